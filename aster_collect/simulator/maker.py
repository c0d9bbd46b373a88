"""Makes frames of events, once for all connections that ask."""

from __future__ import annotations

from .damage import Frame, framed
from .supply import Source

REMEMBERED_FRAMES = 8192  # so that connections with the same streams share what was made once


class FrameMaker:
    """Makes frames of a source's events, and remembers the newest ones for the next connection that asks."""

    def __init__(self) -> None:
        """Starts empty. Safe from any thread: at worst two make the same frame."""
        self._frames: dict[tuple[str, int, int, bool], Frame] = {}

    def __call__(self, source: Source, number: int, wrapped: bool) -> Frame:
        """The frame of an event."""
        key = source.stream, source.cut_us, number, wrapped
        frame = self._frames.get(key)
        if frame is None:
            frame = framed(source.stream, source.text(number), wrapped=wrapped)
            if len(self._frames) >= REMEMBERED_FRAMES:
                self._frames = {}
            self._frames[key] = frame
        return frame
