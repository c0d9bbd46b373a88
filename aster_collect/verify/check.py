"""A folder's files, read once each and in order, against every rule: the answer is a report."""

from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path

from ..exchange.ledger import LEDGER
from ..exchange.streams import KINDS
from ..exchange.streams.kind import Kind, Lane
from ..files.archive import Archive
from ..files.source import LINE_BYTES, Damaged, Source
from .ledger import Flaw, Ledger, Range, union
from .order import Rows
from .report import History, Report
from .rules import Form, form, reason, shown
from .times import read_time

_WHOLE = 100_000


def check_folder(folder: Path, *, live: bool = False) -> Report:
    """Check every symbol of a data folder; `live` says that a collector is writing to it.

    Raises `NotAFolder` when there is nothing to check, `OSError` when a file can't be read.
    """
    archive = Archive(folder, live=live)
    report = Report(str(folder), [entry.name for entry in archive.set_aside])
    set_aside = _set_aside_times(archive)
    for symbol in archive.symbols:
        with archive.open(symbol) as files:
            _symbol(symbol, files, Ledger(set_aside.get(symbol, {})), report)
    return report


def _set_aside_times(archive: Archive) -> dict[str, dict[str, list[Range]]]:
    """Return by symbol and kind which times, in milliseconds, files hold that were set aside.

    A file holds those from its first row's to that in its name; of one whose first row has no time nothing is known.
    """
    found: dict[str, dict[str, list[Range]]] = {}
    for entry in archive.set_aside:
        kind = KINDS.get(entry.part.kind)
        if kind and (first_ms := read_time(kind, archive.first_row(entry))) is not None:
            kinds = found.setdefault(entry.part.symbol, {})
            kinds.setdefault(kind.name, []).append((first_ms, entry.aside_ms))
    return found


def _symbol(symbol: str, files: Mapping[str, Iterator[Source]], ledger: Ledger, report: Report) -> None:
    gaps = _history(symbol, LEDGER, files[LEDGER.name], ledger, report) if LEDGER.name in files else None
    kinds = [kind for kind in KINDS.values() if kind.name in files]
    histories = [_history(symbol, kind, files[kind.name], ledger, report) for kind in kinds]
    if symbol and gaps is None and any(history.rows for history in histories):
        why = "no ledger: it was deleted, or these are the files of an earlier program that kept none"
        report.broken(LEDGER.file_name(symbol), 1, why)
    report.histories += [*histories, *([gaps] if gaps else [])]


def _history(symbol: str, kind: Kind, sources: Iterator[Source], ledger: Ledger, report: Report) -> History:
    """Check the files of one history, oldest first."""
    order = ledger if kind is LEDGER else Rows(kind, ledger)
    rows, names = 0, []
    for source in sources:
        names.append(source.name)
        order.begin_file(source.part.length_ms)
        rows += _file(source, kind, order, report)
    if isinstance(order, Ledger):
        return History(symbol, kind.name, names, rows, ledger.first_ms, ledger.last_ms)
    first_ms, last_ms = (order.times.first_ms, order.times.end_ms) if rows else (None, None)
    history = History(symbol, kind.name, names, rows, first_ms, last_ms, back=order.times.back)
    return history if kind.whole_folder else _against(ledger, kind, history, order.missing_ids)


def _against(ledger: Ledger, kind: Kind, history: History, missing_ids: int) -> History:
    """Add what the ledger says of a history, and how much of it is covered."""
    history = history._replace(gaps=ledger.rows[kind.name])
    if history.first_ms is None or history.last_ms is None:
        return history
    if in_ids := kind.lane is Lane.SEQUENCE:
        missing, whole = missing_ids, history.rows + missing_ids
    else:
        missing = _missing_ms(ledger, kind, history.first_ms, history.last_ms)
        whole = history.last_ms - history.first_ms
    covered = (whole - missing) * _WHOLE // whole if whole > 0 else _WHOLE
    return history._replace(missing=missing, in_ids=in_ids, covered=covered)


def _missing_ms(ledger: Ledger, kind: Kind, first_ms: int, last_ms: int) -> int:
    """Return how much of a time the ledger lists."""
    listed = union(((one.from_ms, one.to_ms) for one in ledger.stretches[kind.name]), 0)
    return sum(max(0, min(last_ms, end_ms) - max(first_ms, start_ms)) for start_ms, end_ms in listed)


def _file(source: Source, kind: Kind, order: Rows | Ledger, report: Report) -> int:
    """Check one file and return its good rows."""
    rows, line, shape = 0, 1, None
    try:
        for block in source.blocks():
            data = block.data
            if shape is None and block.whole:
                header, _, data = data.partition(b"\n")
                shape = form(kind, header)
                line = 2
                if shape is None:
                    why = f"not the header of a {kind.name} file, so its rows were not checked: {shown(header)}"
                    report.broken(source.name, 1, why)
                    order.lose_track()
                    return 0
            if not block.whole:
                why = reason(data, shape)
                if len(data) > LINE_BYTES:
                    report.broken(source.name, line, f"{why}, and more that was not read")
                    order.lose_track()
                elif not source.growing:
                    report.broken(source.name, line, why)
                return rows
            assert shape is not None
            count = data.count(b"\n")
            lines: Sequence[int] = range(line, line + count)
            flaws: list[Flaw] = []
            if not shape.pattern.fullmatch(data):
                lines, data, flaws = _sift(shape, data, line)
            cells = data[:-1].replace(b"\n", b",").split(b",") if data else []
            flaws += order.take(source.name, shape, lines, cells)
            for at, why in sorted(flaws, key=itemgetter(0)):
                report.broken(source.name, at, why)
            rows += len(lines)
            line += count
    except Damaged as error:
        report.broken(source.name, line, f"damaged, the rest was not read: {error}")
        order.lose_track()
    else:
        if shape is None and not source.growing:
            report.broken(source.name, 1, "empty, without even a header")
    return rows


def _sift(shape: Form, data: bytes, line: int) -> tuple[list[int], bytes, list[Flaw]]:
    """Return the good lines of a block that has bad ones, and what is wrong with those."""
    lines, good, flaws = [], [], []
    for at, text in enumerate(data[:-1].split(b"\n"), line):
        text += b"\n"
        if shape.pattern.fullmatch(text):
            lines.append(at)
            good.append(text)
        else:
            flaws.append((at, reason(text, shape)))
    return lines, b"".join(good), flaws
