"""Where a recording that is played has come to: each of its times and ids as they are when it is played."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import partial

from .recording import Recording, Track, moved


class Playback:
    """Maps a recording's times to those at which it is played, and back; time is an argument, in Unix microseconds.

    Times are moved to now. When it ends it begins anew, with ids that go on rising: those of aggregate trades by one,
    and a full book's diffs with a hole, since the book is another. An event is numbered over all times it is played.
    """

    def __init__(self, recording: Recording, *, once: bool, speed: float) -> None:
        """`once` ends it with the recording; the speed makes its time pass faster. Raises ValueError."""
        if not 0 < speed <= 1000:
            raise ValueError(f"speed must be above 0 and at most 1000, not {speed:g}")
        self.recording = recording
        self._once = once
        self._speed = speed
        self._start_us = 0

    def begin(self, now_us: int) -> None:
        """Let the recording begin now."""
        self._start_us = now_us

    @property
    def end_us(self) -> int | None:
        """When the last event has been played, if it is not played again."""
        return self._start_us + int((self.recording.length_us - 1) / self._speed) if self._once else None

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
