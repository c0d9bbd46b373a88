"""A snapshot in the Prometheus text format, for a file that node_exporter's textfile collector reads.

Pure. Names, base units, help and type follow https://prometheus.io/docs/practices/naming/ and
https://prometheus.io/docs/instrumenting/exposition_formats/. A time is 0 for what has not happened yet, so that an
alert on its age fires.
"""

from collections import Counter
from collections.abc import Iterable
from itertools import accumulate

from ..order.standing import DELAY_BOUNDS_S, Delays
from .snapshot import Snapshot

PREFIX = "aster_collect_"

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


def metrics_text(snapshot: Snapshot) -> str:
    """Return the whole content of a metrics file."""
    seen = snapshot
    streams = [(_labels(symbol=stream.symbol, kind=stream.kind), stream) for stream in seen.streams]
    trades = [(_labels(symbol=stream.symbol), stream) for stream in seen.streams if stream.has_ids]
    links = [(_labels(connection=str(link.number)), link) for link in seen.connections]
    frames = Counter[str]()
    for stream in seen.streams:
        frames[stream.kind] += stream.frames
    offset_ms, uncertainty_ms = seen.clock_offset_ms, seen.clock_uncertainty_ms
    families = (
        _family("build_info", "gauge", "The running version, always 1.", [(_labels(version=seen.version), 1)]),
        _one("start_time_seconds", "gauge", "When this run started, Unix time.", _seconds(seen.started_ns)),
        _family(
            "rows_total",
            "counter",
            "Rows handed to the file of a symbol's kind.",
            [(labels, stream.rows) for labels, stream in streams],
        ),
        _family(
            "frames_total",
            "counter",
            "Frames received of a kind, repeats on other connections included.",
            [(_labels(kind=kind), count) for kind, count in frames.items()],
        ),
        _family(
            "gaps_total",
            "counter",
            "Gaps recorded in the ledger of a symbol.",
            [(labels, stream.gaps) for labels, stream in streams],
        ),
        _family(
            "last_row_timestamp_seconds",
            "gauge",
            "The exchange's time of the newest row, Unix time.",
            [(labels, f"{stream.last_row_ms / 1000:.3f}") for labels, stream in streams],
        ),
        _family(
            "last_frame_timestamp_seconds",
            "gauge",
            "When a connection last brought a frame, Unix time.",
            [(labels, _seconds(link.last_frame_ns)) for labels, link in links],
        ),
        _family(
            "connection_up",
            "gauge",
            "Whether a connection is open.",
            [(labels, int(link.state == "open")) for labels, link in links],
        ),
        _family(
            "reconnects_total",
            "counter",
            "Connections lost, by reason.",
            [(_labels(reason=reason), count) for reason, count in seen.reconnects.items()],
        ),
        _one("queue_batches", "gauge", "Received batches that wait to be decoded.", seen.queue_batches),
        _one("queue_bytes", "gauge", "Bytes of the batches that wait to be decoded.", seen.queue_bytes),
        _one("pending_bytes", "gauge", "Bytes of rows that wait to be written.", seen.pending_bytes),
        _one("written_bytes_total", "counter", "Bytes written to the files.", seen.written_bytes),
        _one("recorded_lines_total", "counter", "Lines that went to the raw record.", seen.recorded.lines),
        _one("recorded_bytes_total", "counter", "Bytes of these lines, before compression.", seen.recorded.bytes),
        _one("lost_lines_total", "counter", "Lines that had no room on their way to the record.", seen.recorded.lost),
        _one("free_bytes", "gauge", "Free bytes on the disk of the data folder.", seen.free_bytes),
        _one("write_failing", "gauge", "Whether the last write failed.", int(seen.failing_since_ns > 0)),
        _one("rejects_total", "counter", "Frames that could not be decoded.", seen.rejects),
        _one("duplicates_total", "counter", "Events dropped since they had come before.", seen.duplicates),
        _one("book_checks_total", "counter", "Comparisons of full books with the exchange's.", seen.book_checks),
        _one("book_mismatches_total", "counter", "Comparisons that found another book.", seen.book_mismatches),
        _family(
            "held_trades",
            "gauge",
            "Trades held behind a hole that is being filled.",
            [(labels, stream.held) for labels, stream in trades],
        ),
        _family(
            "missing_trades",
            "gauge",
            "Trades of a hole that is being filled.",
            [(labels, stream.missing) for labels, stream in trades],
        ),
        _family(
            "clock_offset_seconds",
            "gauge",
            "The exchange's clock less ours; absent until it is known.",
            [] if offset_ms is None else [("", offset_ms / 1000)],
        ),
        _family(
            "clock_offset_uncertainty_seconds",
            "gauge",
            "By how much that can be wrong: half of the round trip.",
            [] if uncertainty_ms is None else [("", uncertainty_ms / 1000)],
        ),
        _histogram("receive_delay_seconds", "From the exchange's send time to receipt, by batch.", seen.delays),
    )
    return "".join(families)


def _one(name: str, kind: str, text: str, value: object) -> str:
    return _family(name, kind, text, [("", value)])


def _family(name: str, kind: str, text: str, samples: Iterable[tuple[str, object]]) -> str:
    name = PREFIX + name
    lines = [f"{name}{labels} {value}\n" for labels, value in samples]
    return f"# HELP {name} {text}\n# TYPE {name} {kind}\n{''.join(lines)}"


def _histogram(name: str, text: str, delays: Delays) -> str:
    bounds = (*map(str, DELAY_BOUNDS_S), "+Inf")
    within = zip(bounds, accumulate(delays.counts), strict=True)
    samples: list[tuple[str, object]] = [("_bucket" + _labels(le=bound), count) for bound, count in within]
    return _family(name, "histogram", text, [*samples, ("_sum", delays.sum_s), ("_count", sum(delays.counts))])


def _labels(**labels: str) -> str:
    told = ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels.items())
    return f"{{{told}}}"


def _seconds(time_ns: int) -> str:
    return f"{time_ns // 1_000_000 / 1000:.3f}"
