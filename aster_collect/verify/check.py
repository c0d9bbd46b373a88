"""A folder's files, read once each and in order, against every rule: the answer is a report."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from ..exchange.rows import GAPS, ORDERBOOK, PRICES, TRADES, file_name
from ..files.archive import KINDS, Files, Source, close, in_order, list_folder, open_current, open_part, set_aside_times
from ..files.blocks import LINE_BYTES, Damaged, blocks
from .ledger import Ledger, union
from .order import Books, Prices, Trades
from .report import History, Report
from .rules import Form, form, reason, shown

Order = Prices | Books | Trades | Ledger
_ORDERS: dict[str, type[Prices | Books | Trades]] = {PRICES: Prices, ORDERBOOK: Books, TRADES: Trades}
_WHOLE = 100_000


def check_folder(folder: Path, *, live: bool = False) -> Report:
    """Check every symbol of a data folder; `live` says that a collector is writing to it.

    Raises `NotAFolder` when there is nothing to check, `OSError` when a file can't be read.
    """
    listing = list_folder(folder)
    report = Report(str(folder), listing.set_aside)
    set_aside = set_aside_times(folder, listing, live)
    for symbol in sorted(listing.symbols):
        listing, current = open_current(folder, listing, symbol, live)
        try:
            ledger = Ledger(report.broken, set_aside.get(symbol, {}))
            _symbol(folder, symbol, listing.symbols.get(symbol, {}), current, live, ledger, report)
        finally:
            close(current)
    return report


def _symbol(
    folder: Path,
    symbol: str,
    files: dict[str, Files],
    current: dict[str, Source],
    live: bool,
    ledger: Ledger,
    report: Report,
) -> None:
    histories = {}
    for kind in (GAPS, PRICES, ORDERBOOK, TRADES):
        if kind not in files:
            continue
        order: Order = ledger if kind == GAPS else _ORDERS[kind](ledger, report.broken)
        rows, names = 0, []
        for source in _sources(folder, files[kind], current.get(kind), live):
            names.append(source.name)
            order.begin_file(source.period_ms)
            rows += _file(source, kind, order, report)
        histories[kind] = _history(symbol, kind, names, rows, order, ledger)
    if GAPS not in files and any(history.rows for history in histories.values()):
        why = "no ledger: it was deleted, or these are the files of an earlier program that kept none"
        report.broken(file_name(GAPS, symbol), 1, why)
    report.histories += [histories[kind] for kind in KINDS if kind in histories]


def _sources(folder: Path, files: Files, current: Source | None, live: bool) -> Iterator[Source]:
    for name in in_order(folder, files.parts, live):
        if source := open_part(folder, name, live):
            with source.stream:
                yield source
    if current is not None:
        yield current


def _file(source: Source, kind: str, order: Order, report: Report) -> int:
    """Check one file and return its good rows."""
    rows, line, shape = 0, 1, None
    try:
        for block in blocks(source):
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
