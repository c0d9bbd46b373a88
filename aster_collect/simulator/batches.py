"""What one symbol's depth events tell of: changes of the book between two quotes, at each speed and in real time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .books import Quote
from .noise import Timeline
from .quotes import Quotes

BATCH_DELAY_US = 50_000  # a depth event is sent when its time has come, but no later than this after the last change


class Batch(NamedTuple):
    """What a depth event tells of: the changes behind one quote up to another."""

    before: Quote
    last: Quote
    sent_us: int


class Batches:
    """The batches of one book, by number; `cut_us` is by how much later than elsewhere they are cut.

    Those of every speed end where one in real time does, so that who keeps a book from either meets the same ids.
    """

    def __init__(self, lines: Sequence[Timeline], quotes: Quotes, quotes_a_diff: int) -> None:
        """The lines are those of the speeds, the fastest first; in real time each batch is of so many quotes."""
        self._lines, self._quotes, self._quotes_a_diff = lines, quotes, quotes_a_diff

    def batch(self, speed: int, number: int, cut_us: int) -> Batch:
        """What a depth event of a speed tells of."""
        before, last = (self._end(speed, one, cut_us) for one in (number - 1, number))
        return Batch(before, last, self.sent_us(speed, number, cut_us))

    def first_after(self, speed: int, after_us: int, cut_us: int) -> int:
        """The first depth event of a speed that may go out after a time: none before it does."""
        return self._lines[speed].first_after(after_us - cut_us)

    def sent_us(self, speed: int, number: int, cut_us: int) -> int:
        """When a depth event of a speed goes out."""
        ends_us = self._lines[speed].time_us(number) + cut_us
        return min(ends_us, self._end(speed, number, cut_us).time_us + BATCH_DELAY_US)

    def _end(self, speed: int, number: int, cut_us: int) -> Quote:
        last = self._quotes.line.last_at(self._lines[speed].time_us(number) + cut_us)
        return self._quotes.quote(last - (last - self._real_time_end(0, cut_us)) % self._quotes_a_diff)

    def real_time(self, number: int, cut_us: int) -> Batch:
        """What a depth event in real time tells of: the newest quotes, and it comes with the last of them."""
        before, last = (self._quotes.quote(self._real_time_end(one, cut_us)) for one in (number - 1, number))
        return Batch(before, last, last.time_us)

    def first_real_time_after(self, after_us: int) -> int:
        """The first depth event in real time that may go out after a time: none before it does."""
        return self._quotes.line.last_at(after_us) // self._quotes_a_diff

    def real_time_sent_us(self, number: int, cut_us: int) -> int:
        """When a depth event in real time goes out."""
        return self._quotes.line.time_us(self._real_time_end(number, cut_us))

    def _real_time_end(self, number: int, cut_us: int) -> int:
        return number * self._quotes_a_diff + cut_us // self._quotes.line.spacing_us % self._quotes_a_diff
