"""A recorded book at any moment: a snapshot, with the diffs that came since."""

from __future__ import annotations

import json
from bisect import bisect_right
from decimal import Decimal
from typing import Any

from .recording import Track


def rebuilt(snapshots: Track, diffs: Track | None, passed_us: int) -> dict[str, Any]:
    """The book, its id and its time as recorded, at a time since the recording began.

    Before the first snapshot that one is shown: its id says which diffs it has already.
    """
    place = max(0, bisect_right(snapshots.offsets_us, passed_us) - 1)
    snapshot = json.loads(snapshots.texts[place])
    bids, asks = dict(snapshot["bids"]), dict(snapshot["asks"])
    last, time_ms = snapshot["lastUpdateId"], snapshot.get("T")
    played = [] if diffs is None else diffs.texts[: bisect_right(diffs.offsets_us, passed_us)]
    for diff in map(json.loads, played):
        if diff["u"] <= last:
            continue
        for side, levels in ((bids, diff["b"]), (asks, diff["a"])):
            for price, quantity in levels:
                side[price] = quantity
        last, time_ms = diff["u"], diff.get("T")
    return {"lastUpdateId": last, "T": time_ms, "bids": _sorted(bids, -1), "asks": _sorted(asks, 1)}


def _sorted(levels: dict[str, str], sign: int) -> list[tuple[str, str]]:
    kept = [(price, quantity) for price, quantity in levels.items() if Decimal(quantity)]
    return sorted(kept, key=lambda level: sign * Decimal(level[0]))
