"""What a run has done and how it stands, at one moment: what the status file, the metrics and the status line say.

Pure. The collector makes one, others put it into words. Times named `_ns` are our clock's Unix nanoseconds, `_ms` the
exchange's Unix milliseconds.
"""

from typing import NamedTuple

from ..order.standing import DELAY_BOUNDS_S, ConnectionState, Delays, StreamState


class Recorded(NamedTuple):
    """What went to the raw record: lines, bytes of their text, and lines for which there was no room.

    Also since when its files can't be written, 0 while they can, and what the last error was.
    """

    lines: int
    bytes: int
    lost: int
    failing_since_ns: int = 0
    last_error: str = ""


NOT_RECORDED = Recorded(0, 0, 0)


class Snapshot(NamedTuple):
    """One moment of a run."""

    version: str
    pid: int
    started_ns: int
    now_ns: int
    settings: dict[str, object]
    connections: list[ConnectionState]
    streams: list[StreamState]
    reconnects: dict[str, int]
    newest_frame_ns: int
    duplicates: int
    skipped: int
    book_checks: int  # comparisons of full books with the exchange's …
    book_mismatches: int  # … that found another
    rejects: int
    queue_batches: int
    queue_bytes: int
    pending_bytes: int
    written_bytes: int
    free_bytes: int
    min_free_bytes: int
    failing_since_ns: int
    last_error: str
    clock_offset_ms: float | None
    clock_uncertainty_ms: float | None
    clock_off: bool
    delays: Delays
    newest: dict[str, dict[str, str]]  # by symbol, what is shown of it
    recorded: Recorded = NOT_RECORDED
    stopped_ns: int = 0  # in the last one of a run alone
    waits_for: str = ""  # what keeps a run from beginning


def waiting(
    version: str,
    pid: int,
    settings: dict[str, object],
    started_ns: int,
    now_ns: int,
    room: tuple[int, int],
    waits_for: str,
) -> Snapshot:
    """Return a moment of a run that has not begun to collect; `room` is what the disk has, and what it should."""
    return Snapshot(
        version=version,
        pid=pid,
        started_ns=started_ns,
        now_ns=now_ns,
        settings=settings,
        connections=[],
        streams=[],
        reconnects={},
        newest_frame_ns=0,
        duplicates=0,
        skipped=0,
        book_checks=0,
        book_mismatches=0,
        rejects=0,
        queue_batches=0,
        queue_bytes=0,
        pending_bytes=0,
        written_bytes=0,
        free_bytes=room[0],
        min_free_bytes=room[1],
        failing_since_ns=0,
        last_error="",
        clock_offset_ms=None,
        clock_uncertainty_ms=None,
        clock_off=False,
        delays=Delays((0,) * (len(DELAY_BOUNDS_S) + 1), 0.0),
        newest={},
        waits_for=waits_for,
    )
