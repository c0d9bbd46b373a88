"""What a log says of a run, as `key=value`: once a minute, and at its end. Pure."""

import shlex
import sys

from ..exchange.streams import KINDS
from ..order.standing import NEVER_DELIVERED_S
from .rates import collected, rates
from .snapshot import Snapshot

NAMES = 5  # of streams without a frame


def log_line(snapshot: Snapshot, previous: Snapshot | None) -> str:
    """Return what a log says once a minute, as `key=value`: rates since `previous`, totals since the start."""
    facts: dict[str, object] = {}
    for kind, (row_rate, frame_rate) in rates(snapshot, previous).items():
        facts[f"{_word(kind)}_rows_per_s"] = f"{row_rate:.1f}"
        facts[f"{_word(kind)}_frames_per_s"] = f"{frame_rate:.1f}"
    facts |= {
        "reconnects": sum(snapshot.reconnects.values()),
        "gaps": sum(stream.gaps for stream in snapshot.streams),
        "rejects": snapshot.rejects,
        "duplicates": snapshot.duplicates,
        "skipped": snapshot.skipped,
        "held_trades": sum(stream.held for stream in snapshot.streams),
        "missing_trades": sum(stream.missing for stream in snapshot.streams),
        "queue_batches": snapshot.queue_batches,
        "pending_bytes": snapshot.pending_bytes,
        "newest_frame_age_s": _age(snapshot.now_ns, snapshot.newest_frame_ns, "none"),
    }
    if snapshot.now_ns - snapshot.started_ns >= NEVER_DELIVERED_S * 1_000_000_000:
        never = [f"{stream.symbol}/{stream.kind}" for stream in snapshot.streams if not stream.frames]
        if never:
            facts["never_delivered"] = len(never)
            facts["never_delivered_streams"] = ",".join(never[:NAMES])
    return " ".join(f"{name}={value}" for name, value in facts.items())


def stop_line(snapshot: Snapshot) -> str:
    """Return what a run says of itself at its end, as `key=value`."""
    counts = dict.fromkeys(collected(snapshot), 0)
    for stream in snapshot.streams:
        counts[stream.kind] += stream.rows
    facts: dict[str, object] = {
        "seconds": f"{(snapshot.stopped_ns - snapshot.started_ns) / 1e9:.1f}",
        **{f"{_word(kind)}_rows": count for kind, count in counts.items()},
        "gaps": sum(stream.gaps for stream in snapshot.streams),
        "folder": snapshot.settings["data_dir"],
    }
    return " ".join(f"{name}={value}" for name, value in facts.items())


def proof_command(snapshot: Snapshot) -> str:
    """Return the command that proves a run's files, fit for a shell."""
    python = shlex.quote(sys.executable or "python3")
    return f"{python} -m aster_collect verify {shlex.quote(str(snapshot.settings['data_dir']))}"


def _word(kind: str) -> str:
    return KINDS[kind].prefix


def _age(now_ns: int, then_ns: int, none: str) -> str:
    return f"{max(0, now_ns - then_ns) / 1e9:.1f}" if then_ns else none
