"""What has been counted so far, and the status line that says it.

Pure. One thread owns the counters: the collector's.
"""

from collections import Counter
from dataclasses import dataclass, field

from . import rows


@dataclass
class Stats:
    """Counters since the start; `frames` and `rows` by kind, `lost` by the reason of a lost connection."""

    frames: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    gaps: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    skipped: int = 0
    newest_frame_ns: int = 0


class StatusLine:
    """The difference between two looks at the counters, as one line."""

    def __init__(self, now_s: float) -> None:
        self._then_s = now_s
        self._frames: Counter[str] = Counter()
        self._rows: Counter[str] = Counter()

    def line(self, stats: Stats, now_s: float, now_ns: int, **facts: object) -> str:
        """Return the rates since the last call and the totals, as `key=value`; times in seconds."""
        elapsed_s = max(now_s - self._then_s, 1e-9)
        new_rows = {kind: (stats.rows[kind] - self._rows[kind]) / elapsed_s for kind in rows.KINDS}
        new_frames = {kind: (stats.frames[kind] - self._frames[kind]) / elapsed_s for kind in rows.KINDS}
        rates = [f"{kind}={new_rows[kind]:.1f}/{new_frames[kind]:.1f}" for kind in rows.KINDS]
        self._then_s, self._frames, self._rows = now_s, stats.frames.copy(), stats.rows.copy()
        age = f"{max(0, now_ns - stats.newest_frame_ns) / 1e9:.1f}" if stats.newest_frame_ns else "none"
        known = {
            "reconnects": stats.lost.total(),
            "gaps": stats.gaps.total(),
            "duplicates": stats.duplicates,
            "skipped": stats.skipped,
            **facts,
            "newest_frame_age_s": age,
        }
        told = " ".join(f"{name}={value}" for name, value in known.items())
        return f"rows/frames_a_second {' '.join(rates)} {told}"
