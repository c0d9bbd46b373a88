"""A recording as a live exchange: its events at their distances from the start, and again from the beginning."""

from __future__ import annotations

import json
import re
from functools import partial

from .playback import Playback
from .recording import Recording, Track, compact
from .replayed import Replayed
from .supply import Source
from .venues import FUTURES, Venue

_PARTIAL = re.compile(r"(.+@depth)(5|10|20)(@.+)?")


class Replay:
    """Plays a recording from a start on; see `supply.Supply`."""

    def __init__(self, recording: Recording, venue: Venue = FUTURES, *, once: bool = False, speed: float = 1.0) -> None:
        """`once` ends every stream with the recording; the speed makes its time pass faster. Raises ValueError."""
        self.venue = venue
        self.version = 0
        self.recording = recording
        self._playback = Playback(recording, once=once, speed=speed)
        self._symbols = {symbol: Replayed(self._playback, symbol) for symbol in recording.symbols}

    def begin(self, now_us: int) -> None:
        """Let the recording begin now."""
        self._playback.begin(now_us)

    def listed(self) -> tuple[Replayed, ...]:
        """The symbols of the recording."""
        return tuple(self._symbols.values())

    def one_listed(self, symbol: str) -> Replayed | None:
        """One of its symbols, or None."""
        return self._symbols.get(symbol)

    def source(self, stream: str, cut_us: int = 0) -> Source | None:
        """What a stream name stands for: what was recorded of it, or the top of a deeper book; else silence.

        Its batches are those that were recorded.
        """
        track = self.recording.tracks.get(stream) or self._cut(stream)
        if track is None:
            return None
        return Source(
            stream,
            0,
            lambda after_us: max(0, self._playback.last_at(track, after_us) + 1),
            partial(self._playback.time_us, track),
            partial(self._playback.text, track),
            self._playback.end_us,
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
            cut.add(offset_us, compact(short))
        return cut
