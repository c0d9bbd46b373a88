"""A folder's files, read once each and in order, against every rule: the answer is a report."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ..exchange.rows import GAPS, ORDERBOOK, PRICES, TRADES, file_name
from ..files.archive import Archive
from ..files.names import KINDS
from ..files.source import LINE_BYTES, Damaged, Source
from .ledger import Ledger, Range, union
from .order import Books, Prices, Trades
from .report import History, Report
from .rules import Form, form, reason, shown

Order = Prices | Books | Trades | Ledger
_ORDERS: dict[str, type[Prices | Books | Trades]] = {PRICES: Prices, ORDERBOOK: Books, TRADES: Trades}
_WHOLE = 100_000
_TIME = re.compile(rb"([0-9]{1,11})\.([0-9]{3}),")


def check_folder(folder: Path, *, live: bool = False) -> Report:
    """Check every symbol of a data folder; `live` says that a collector is writing to it.

    Raises `NotAFolder` when there is nothing to check, `OSError` when a file can't be read.
    """
    archive = Archive(folder, live=live)
    report = Report(str(folder), [entry.name for entry in archive.set_aside])
    set_aside = _set_aside_times(archive)
    for symbol in archive.symbols:
        with archive.open(symbol) as files:
            _symbol(symbol, files, Ledger(report.broken, set_aside.get(symbol, {})), report)
    return report


def _set_aside_times(archive: Archive) -> dict[str, dict[str, list[Range]]]:
    """Return by symbol and kind which times, in milliseconds, files hold that were set aside.

    A file holds those from its first row's to that in its name; of one whose rows begin with no time nothing is known.
    """
    found: dict[str, dict[str, list[Range]]] = {}
    for entry in archive.set_aside:
        if first := _TIME.match(archive.first_row(entry)):
            kinds = found.setdefault(entry.part.symbol, {})
            kinds.setdefault(entry.part.kind, []).append((int(first[1] + first[2]), entry.aside_ms))
    return found


def _symbol(symbol: str, files: Mapping[str, Iterator[Source]], ledger: Ledger, report: Report) -> None:
    histories = {}
    for kind in (GAPS, PRICES, ORDERBOOK, TRADES):
        if kind not in files:
            continue
        order: Order = ledger if kind == GAPS else _ORDERS[kind](ledger, report.broken)
        rows, names = 0, []
        for source in files[kind]:
            names.append(source.name)
            order.begin_file(source.part.length_ms)
            rows += _file(source, kind, order, report)
        histories[kind] = _history(symbol, kind, names, rows, order, ledger)
    if GAPS not in files and any(history.rows for history in histories.values()):
        why = "no ledger: it was deleted, or these are the files of an earlier program that kept none"
        report.broken(file_name(GAPS, symbol), 1, why)
    report.histories += [histories[kind] for kind in KINDS if kind in histories]


def _file(source: Source, kind: str, order: Order, report: Report) -> int:
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
                    why = f"not the header of a {kind} file, so its rows were not checked: {shown(header)}"
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
            found = shape.pattern.findall(data)
            count = data.count(b"\n")
            whole = len(found) == count
            order.take(source.name, enumerate(found, line) if whole else _sift(source, shape, data, line, report))
            rows += len(found)
            line += count
    except Damaged as error:
        report.broken(source.name, line, f"damaged, the rest was not read: {error}")
        order.lose_track()
    else:
        if shape is None and not source.growing:
            report.broken(source.name, 1, "empty, without even a header")
    return rows


def _sift(
    source: Source, shape: Form, data: bytes, line: int, report: Report
) -> Iterable[tuple[int, tuple[bytes, ...]]]:
    """Yield the good rows of a block that has bad ones, and report those."""
    for at, text in enumerate(data[:-1].split(b"\n"), line):
        if match := shape.pattern.fullmatch(text + b"\n"):
            yield at, match.groups()
        else:
            report.broken(source.name, at, reason(text + b"\n", shape))


def _history(symbol: str, kind: str, names: list[str], rows: int, order: Order, ledger: Ledger) -> History:
    if isinstance(order, Ledger):
        return History(symbol, kind, names, rows, ledger.first_ms, ledger.last_ms, None, None, None, None)
    first_ms, last_ms = order.times.first_ms, order.times.end_ms
    gaps = ledger.rows[kind]
    if first_ms < 0:
        return History(symbol, kind, names, rows, None, None, gaps, None, None, None)
    if isinstance(order, Trades):
        missing, all_of_it = order.missing, rows + order.missing
    else:
        stretches = ((from_ms, to_ms) for from_ms, to_ms, *_ in ledger.stretches[kind])
        inside = ((max(first_ms, start), min(last_ms, end)) for start, end in union(stretches, 0))
        missing, all_of_it = sum(max(0, end - start) for start, end in inside), last_ms - first_ms
    covered = (all_of_it - missing) * _WHOLE // all_of_it if all_of_it > 0 else _WHOLE
    return History(symbol, kind, names, rows, first_ms, last_ms, gaps, missing, covered, order.times.back)
