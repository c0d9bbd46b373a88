"""What is due on one connection: its streams, and their next events in the order of their times. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence

from .damage import Frame
from .supply import Source, Supply

Encode = Callable[[Source, int], Frame]


class Due:
    """The streams of a connection and their next events; the caller says what time it is, in Unix microseconds."""

    def __init__(self, supply: Supply, encode: Encode, cut_us: int = 0) -> None:
        """`encode` turns a source's event into a frame; batches of depth are cut so much later than elsewhere."""
        self._cut_us = cut_us
        self._supply = supply
        self._encode = encode
        self._version = supply.version
        self._sources: dict[str, Source | None] = {}
        self._heap: list[tuple[int, int, str, int, Source]] = []  # time, rank, stream, event number, source

    @property
    def streams(self) -> tuple[str, ...]:
        """The names that were subscribed, silent ones too; may be read from any thread."""
        return tuple(self._sources)

    def subscribe(self, streams: Iterable[str], now_us: int) -> None:
        """Begin streams with their first events after now; one that goes on already does so."""
        for stream in streams:
            if stream not in self._sources:
                source = self._supply.source(stream, self._cut_us)
                self._sources = {**self._sources, stream: source}
                self._begin(source, now_us)

    def unsubscribe(self, streams: Sequence[str]) -> None:
        """End streams."""
        self._sources = {name: source for name, source in self._sources.items() if name not in streams}
        self._heap = [entry for entry in self._heap if entry[2] in self._sources]
        heapq.heapify(self._heap)

    def frames(self, now_us: int, most: int) -> list[Frame]:
        """At most so many frames of what has come due, in order."""
        if self._version != self._supply.version:
            self._follow(now_us)
        heap, encode = self._heap, self._encode
        frames: list[Frame] = []
        while heap and heap[0][0] <= now_us and len(frames) < most:
            _, rank, stream, number, source = heap[0]
            frames.append(encode(source, number))
            number = source.after(number)
            time_us = source.time_us(number)
            if source.end_us is None or time_us <= source.end_us:
                heapq.heapreplace(heap, (time_us, rank, stream, number, source))
            else:
                heapq.heappop(heap)
        return frames

    def _begin(self, source: Source | None, now_us: int) -> None:
        if source is not None:
            self._push(source, source.first_after(now_us))

    def _push(self, source: Source, number: int) -> None:
        time_us = source.time_us(number)
        if source.end_us is None or time_us <= source.end_us:
            heapq.heappush(self._heap, (time_us, source.rank, source.stream, number, source))

    def _follow(self, now_us: int) -> None:
        """Let listed symbols begin and delisted ones end, where they have streams of their own and where they share."""
        self._version = self._supply.version
        waiting = {entry[2]: entry[3] for entry in self._heap}
        self._heap = []
        for stream, known in list(self._sources.items()):
            source = self._supply.source(stream, self._cut_us)
            self._sources = {**self._sources, stream: source}
            if source is not None and stream in waiting:
                # Of a stream of all symbols the event that waited may be one of a symbol that has ended.
                self._push(source, source.after(waiting[stream] - 1))
            elif source is not None and (known is None or source.end_us != known.end_us):
                self._begin(source, now_us)
