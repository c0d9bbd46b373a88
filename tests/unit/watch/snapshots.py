"""Moments of a run, for the tests of what is made of them."""

from pathlib import Path
from typing import Any

from aster_collect.watch.snapshot import ConnectionState, Delays, Snapshot, StreamState, waiting

SECOND = 1_000_000_000
NOW_NS = 1_795_364_640_123_456_789
WIDE = "币安人生USDT"


def streams(*, frames: int = 1000, rows: int = 900, symbols: tuple[str, ...] = ("BTCUSDT", WIDE)) -> list[StreamState]:
    """Return three streams a symbol; each one's trades have a gap, a hole of 5 and 3 held behind it."""
    row_ms = NOW_NS // 1_000_000 - 50
    return [
        StreamState(symbol, kind, frames, rows, row_ms, *((1, 5, 3) if kind == "trades" else (0, 0, 0)))
        for symbol in symbols
        for kind in ("prices", "orderbook", "trades")
    ]


def snapshot(**changed: Any) -> Snapshot:
    """Return an hour of a run that goes well, but for what is changed."""
    return Snapshot(
        version="1.0.0",
        pid=4242,
        started_ns=NOW_NS - 3600 * SECOND,
        now_ns=NOW_NS,
        settings={"symbols": ("BTCUSDT", WIDE), "data_dir": Path("ASTER_data"), "flush_interval_s": 5.0},
        connections=[
            ConnectionState(1, "open", NOW_NS - 3600 * SECOND, NOW_NS - SECOND // 10, 123_456, 0),
            ConnectionState(2, "connecting", 0, 0, 0, 2),
        ],
        streams=streams(),
        reconnects={"reset": 1, "stall": 2},
        newest_frame_ns=NOW_NS - SECOND // 10,
        duplicates=7,
        skipped=2,
        book_checks=5,
        book_mismatches=1,
        rejects=4,
        queue_batches=6,
        queue_bytes=4096,
        pending_bytes=12_000,
        written_bytes=123_456_789,
        free_bytes=12_300 << 20,
        min_free_bytes=200 << 20,
        failing_since_ns=0,
        last_error="",
        clock_offset_ms=-12.5,
        clock_uncertainty_ms=40.0,
        clock_off=False,
        delays=Delays((0, 0, 3, 50, 10, 4, 1, 0, 0, 0, 0, 0), 3.4),
        newest={
            symbol: {"price": price}
            for symbol, price in (
                ("BTCUSDT", "68000.10"),
                (WIDE, "0.1234"),
                ("ETHUSDT", "3000.1"),
                ("SOLUSDT", "150.2"),
            )
        },
    )._replace(**changed)


def unbegun(waits_for: str = "nothing is trading") -> Snapshot:
    """Return a minute of waiting at the start, on a disk with 12 GB of room."""
    room = (12_300 << 20, 200 << 20)
    return waiting("1.0.0", 4242, snapshot().settings, NOW_NS - 60 * SECOND, NOW_NS, room, waits_for)
