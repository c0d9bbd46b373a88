"""What two moments of a run show together: rates, and the delay of late. Pure.

Rates are the difference of two snapshots; without an earlier one they are those since the start.
"""

from ..exchange.streams import KINDS
from ..order.standing import Delays
from .snapshot import Snapshot


def rates(snapshot: Snapshot, previous: Snapshot | None) -> dict[str, tuple[float, float]]:
    """Return rows and frames a second of each kind, 0 where no time has passed; a stream that went away is left out.

    Trades that were fetched over REST had no frame: of their rows no more are counted than frames came.
    """
    then_ns = previous.now_ns if previous else snapshot.started_ns
    elapsed_s = (snapshot.now_ns - then_ns) / 1e9
    before = {(one.symbol, one.kind): one for one in previous.streams} if previous else {}
    counts = {kind: [0, 0] for kind in collected(snapshot)}
    for stream in snapshot.streams:
        earlier = before.get((stream.symbol, stream.kind))
        count = counts[stream.kind]
        count[0] += stream.rows - (earlier.rows if earlier else 0)
        count[1] += stream.frames - (earlier.frames if earlier else 0)
    if elapsed_s <= 0:
        return dict.fromkeys(counts, (0.0, 0.0))
    for stream in snapshot.streams:
        if stream.has_ids:
            counts[stream.kind][0] = min(counts[stream.kind])
    return {kind: (new_rows / elapsed_s, new_frames / elapsed_s) for kind, (new_rows, new_frames) in counts.items()}


def collected(snapshot: Snapshot) -> list[str]:
    """Return what a run collects, in the order of the table of streams."""
    there = {stream.kind for stream in snapshot.streams}
    return [kind for kind in KINDS if kind in there]


def mean_delay_s(delays: Delays, previous: Delays | None) -> float | None:
    """Return the mean of the delays that came since, None where none did."""
    count = sum(delays.counts) - (sum(previous.counts) if previous else 0)
    return (delays.sum_s - (previous.sum_s if previous else 0.0)) / count if count > 0 else None
