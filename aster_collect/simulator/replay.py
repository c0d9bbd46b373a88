"""A recording as a live exchange: its events at their distances from the start, and again from the beginning."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from functools import partial

from .recording import Recording, Track, moved
from .replayed import Replayed
from .supply import Source
from .venues import FUTURES, Venue

_PARTIAL = re.compile(r"(.+@depth)(5|10|20)(@.+)?")


class Replay:
    """Plays a recording from a start on; time is an argument, in Unix microseconds.

    Times are moved to now. When it ends it begins anew, with ids that go on rising: those of aggregate trades by one,
    and a full book's diffs with a hole, since the book is another. An event is numbered over all times it is played.
    """

    def __init__(self, recording: Recording, venue: Venue = FUTURES, *, once: bool = False, speed: float = 1.0) -> None:
        """`once` ends every stream with the recording; the speed makes its time pass faster. Raises ValueError."""
        if not 0 < speed <= 1000:
            raise ValueError(f"speed must be above 0 and at most 1000, not {speed:g}")
        self.venue = venue
        self.version = 0
        self.recording = recording
        self._once = once
        self._speed = speed
        self._start_us = 0
        self._symbols = {symbol: Replayed(self, symbol) for symbol in recording.symbols}

    def begin(self, now_us: int) -> None:
        """Let the recording begin now."""
        self._start_us = now_us

    @property
    def end_us(self) -> int | None:
        """When the last event has been played, if it is not played again."""
        return self._start_us + int((self.recording.length_us - 1) / self._speed) if self._once else None

    def listed(self) -> tuple[Replayed, ...]:
        """The symbols of the recording."""
        return tuple(self._symbols.values())

    def one_listed(self, symbol: str) -> Replayed | None:
        """One of its symbols, or None."""
        return self._symbols.get(symbol)

    def source(self, stream: str) -> Source | None:
        """What a stream name stands for: what was recorded of it, or the top of a deeper book; else silence."""
        track = self.recording.tracks.get(stream) or self._cut(stream)
        if track is None:
            return None
        return Source(
            stream,
            0,
            lambda after_us: max(0, self.last_at(track, after_us) + 1),
            partial(self.time_us, track),
            partial(self.text, track),
            self.end_us,
        )

    def _cut(self, stream: str) -> Track | None:
        match = _PARTIAL.fullmatch(stream)
        if match is None:
            return None
        levels, speed = int(match[2]), match[3] or ""
        deeper = (self.recording.tracks.get(f"{match[1]}{more}{speed}") for more in (10, 20) if more > levels)
        track = next((one for one in deeper if one is not None), None)
        if track is None:
            return None
        cut = Track()
        for offset_us, text in zip(track.offsets_us, track.texts, strict=True):
            book = json.loads(text)
            short = {key: value[:levels] if isinstance(value, list) else value for key, value in book.items()}
            cut.add(offset_us, json.dumps(short, ensure_ascii=False, separators=(",", ":")))
        return cut

    # Places in time

    def elapsed_us(self, now_us: int) -> tuple[int, int]:
        """How often the recording has been played to its end, and how far it has come since, in its own time."""
        passed_us = int((now_us - self._start_us) * self._speed)
        if self._once and passed_us >= self.recording.length_us:
            return 0, self.recording.length_us
        return divmod(passed_us, self.recording.length_us)

    def time_us(self, track: Track, number: int) -> int:
        """When an event is played."""
        round_, place = divmod(number, len(track.offsets_us))
        passed_us = round_ * self.recording.length_us + track.offsets_us[place]
        return self._start_us + int(passed_us / self._speed)

    def last_at(self, track: Track, now_us: int) -> int:
        """The number of the last event that has been played at a time; below 0 when there is none."""
        round_, passed_us = self.elapsed_us(now_us)
        number = round_ * len(track.offsets_us) + bisect_right(track.offsets_us, passed_us)
        while number >= 0 and self.time_us(track, number) > now_us:
            number -= 1
        return max(number, -1)

    def text(self, track: Track, number: int) -> str:
        """An event as it is sent."""
        round_, place = divmod(number, len(track.texts))
        return self.moved(track.texts[place], round_)

    def moved(self, text: str, round_: int, symbol: str = "") -> str:
        """A recorded text with the times and ids that it has when it is played for a time, counted from 0."""
        named = re.search(r'"s":"([^"\\]+)"', text)
        symbol = symbol or (named[1] if named else "")

        def rise(family: str) -> int:
            span = self.recording.spans.get((symbol, family))
            return round_ * span.size if span else 0

        return moved(text, partial(self.moved_ms, round_), rise)

    def moved_ms(self, round_: int, time_ms: int) -> int:
        """A recorded time as it is when it is played."""
        passed_us = time_ms * 1000 - self.recording.begun_us + round_ * self.recording.length_us
        return (self._start_us + int(passed_us / self._speed)) // 1000

    def recorded_us(self, round_: int, time_us: int) -> int:
        """The recorded time, in exchange microseconds, that is played at a time of a round."""
        passed_us = int((time_us - self._start_us) * self._speed)
        return passed_us - round_ * self.recording.length_us + self.recording.begun_us
