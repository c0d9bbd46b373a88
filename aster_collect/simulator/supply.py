"""What an exchange has to offer: streams by name, symbols by name. A seeded market supplies it, or a recording."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from .venues import Venue


def following(number: int) -> int:
    """The number of the next event, where a stream counts its events by one."""
    return number + 1


class Source(NamedTuple):
    """One stream's events by number: rising times, Unix microseconds, and payloads as JSON text."""

    stream: str
    rank: int  # the order of events of the same microsecond, so that update ids rise over a symbol's streams
    first_after: Callable[[int], int]
    time_us: Callable[[int], int]
    text: Callable[[int], str]
    end_us: int | None  # no event after this
    after: Callable[[int], int] = following
    cut_us: int = 0  # by how much later than elsewhere batches are cut: the same number is another event then


class ListedSymbol(Protocol):
    """One symbol as REST shows it; times are Unix microseconds, rows and objects JSON text."""

    @property
    def symbol(self) -> str:
        """The symbol, upper case."""

    @property
    def end_us(self) -> int | None:
        """When its events ended, or will."""

    def is_trading(self, now_us: int) -> bool:
        """Whether it trades at a time."""

    def info(self, now_us: int) -> Mapping[str, Any]:
        """Its entry of exchangeInfo."""

    def first_trade_from(self, time_us: int) -> int:
        """The id of the first aggregate trade at or after a time."""

    def last_trade_at(self, time_us: int) -> int:
        """The id of the last aggregate trade that is not after a time."""

    def trade_rows(self, ids: Sequence[int]) -> list[str]:
        """The rows of the aggregate trades of these ids that exist."""

    def fill_rows(self, limit: int, now_us: int) -> list[str]:
        """The newest single fills, oldest first."""

    def book(self, limit: int, now_us: int) -> str | None:
        """The book with so many levels a side; None where it is not known."""

    def ticker(self, now_us: int) -> str | None:
        """The best bid and offer; None where they are not known."""

    def premium(self, now_us: int) -> Mapping[str, Any] | None:
        """Mark price and funding; None where the symbol has none."""

    def open_interest(self, now_us: int) -> str | None:
        """The quantity of open contracts; None where the symbol has none."""

    def funding(self, now_us: int) -> Mapping[str, Any] | None:
        """Its entry of fundingInfo; None where it has none."""

    def funding_times(self, start_us: int, end_us: int) -> Sequence[int]:
        """The times of fundings between two times, both included, ascending."""

    def funding_rate(self, time_us: int) -> str:
        """The rate that was paid at a funding."""


class Supply(Protocol):
    """All that the exchange's connections and REST answers draw on. Reading is safe from any thread."""

    @property
    def venue(self) -> Venue:
        """Which of the exchange's markets it is."""

    @property
    def version(self) -> int:
        """Rises with each change of the list of symbols."""

    def source(self, stream: str, cut_us: int = 0) -> Source | None:
        """What a stream name stands for; None for a name that stays silent.

        A market's servers may cut a stream of changes into other batches: each so much later.
        """

    def listed(self) -> Sequence[ListedSymbol]:
        """All symbols, trading or not."""

    def one_listed(self, symbol: str) -> ListedSymbol | None:
        """An upper-case symbol."""
