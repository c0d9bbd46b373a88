"""The trades of a symbol of a recording as REST shows them: by their ids, over all times that it is played."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal

from .playback import Playback
from .recording import compact


class ReplayedTrades:
    """The aggregate trades and single fills of one symbol."""

    def __init__(self, playback: Playback, symbol: str) -> None:
        """They are those of the symbol's streams, if these were recorded."""
        self._playback = playback
        recording = playback.recording
        self._trades = recording.track(symbol, "@aggTrade")
        self._fills = recording.track(symbol, "@trade")
        self._span = recording.spans.get((symbol, "trade"))
        rows = [json.loads(text) for text in self._trades.texts] if self._trades else []
        self._places = {row["a"]: place for place, row in enumerate(rows)}
        by_id = sorted(rows, key=lambda row: row["a"])
        self._ids: list[int] = [row["a"] for row in by_id]
        self._times_us = [row["T"] * 1000 for row in by_id]

    def first_from(self, time_us: int) -> int:
        """The id of the first aggregate trade at or after a time."""
        if self._span is None:
            return 1
        round_ = max(0, self._playback.elapsed_us(time_us)[0])
        place = bisect_left(self._times_us, self._playback.recorded_us(round_, time_us))
        if place < len(self._ids):
            return self._ids[place] + round_ * self._span.size
        return self._ids[0] + (round_ + 1) * self._span.size

    def last_at(self, time_us: int) -> int:
        """The highest id that has been played at a time."""
        track = self._trades
        if track is None or self._span is None:
            return 0
        number = self._playback.last_at(track, time_us)
        if number < 0:
            return self._span.first - 1
        return int(json.loads(self._playback.text(track, number))["a"])

    def rows(self, ids: Sequence[int]) -> list[str]:
        """The rows of those of the ids that were recorded."""
        track, span = self._trades, self._span
        if track is None or span is None:
            return []
        rows = []
        for number in ids:
            round_ = (number - span.first) // span.size
            place = self._places.get(number - round_ * span.size)
            if place is not None:
                trade = json.loads(self._playback.moved(track.texts[place], round_))
                rows.append(compact({key: trade[key] for key in "apqflTm"}))
        return rows

    def fill_rows(self, limit: int, now_us: int) -> list[str]:
        """The newest single fills that have been played, oldest first."""
        track = self._fills
        if track is None:
            return []
        last = self._playback.last_at(track, now_us)
        rows = []
        for number in range(max(0, last - limit + 1), last + 1):
            fill = json.loads(self._playback.text(track, number))
            row = {"id": fill["t"], "price": fill["p"], "qty": fill["q"]}
            row["quoteQty"] = f"{Decimal(fill['p']) * Decimal(fill['q']):f}"
            rows.append(compact({**row, "time": fill["T"], "isBuyerMaker": fill["m"]}))
        return rows
