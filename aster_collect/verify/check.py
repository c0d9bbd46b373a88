"""A folder's files, read once each and in order, against every rule: the answer is a report."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from ..exchange.ledger import LEDGER
from ..exchange.streams import KINDS
from ..exchange.streams.kind import Kind, Lane
from ..files.histories import Histories
from ..files.repairing import repairing
from ..files.source import Source
from .cross import Claims, Cross
from .ledger import Ledger, Range, union
from .order import Rows
from .reading import Reading
from .report import History, Report
from .times import read_time

_WHOLE = 100_000


def check_folder(folder: Path, *, live: bool = False) -> Report:
    """Check every symbol of a data folder; `live` says that a collector is writing to it.

    Raises `NotAFolder` when there is nothing to check, `OSError` when a file can't be read.
    """
    histories = Histories(folder, live=live)
    report = Report(str(folder), [entry.name for entry in histories.set_aside])
    set_aside = _set_aside_times(histories)
    mark = repairing(folder)
    for symbol in histories.symbols:
        with histories.open(symbol) as files:
            repaired = {mark.kind: mark.ids} if mark and mark.symbol == symbol else {}
            _symbol(symbol, files, Ledger(set_aside.get(symbol, {}), repaired), report)
    return report


def _set_aside_times(histories: Histories) -> dict[str, dict[str, list[Range]]]:
    """Return by symbol and kind which times, in milliseconds, files hold that were set aside.

    A file holds those from its first row's to that in its name; of one whose first row has no time nothing is known.
    """
    found: dict[str, dict[str, list[Range]]] = {}
    for entry in histories.set_aside:
        kind = KINDS.get(entry.part.kind)
        if kind and (first_ms := read_time(kind, histories.first_row(entry))) is not None:
            kinds = found.setdefault(entry.part.symbol, {})
            kinds.setdefault(kind.name, []).append((first_ms, entry.aside_ms))
    return found


def _symbol(symbol: str, files: Mapping[str, Iterator[Source]], ledger: Ledger, report: Report) -> None:
    """Check the ledger, then the full book, and along with it what shows its top, then all else."""
    gaps = _gaps(symbol, files[LEDGER.name], ledger, report) if LEDGER.name in files else None
    cross = Cross(report)
    orders = {kind: Rows(kind, ledger, cross) for kind in KINDS.values() if kind.name in files}
    readings = {kind: Reading(kind, files[kind.name], order, report) for kind, order in orders.items()}
    claims = {kind: Claims(reading.blocks) for kind, reading in readings.items() if kind.top}
    chains = [reading for kind, reading in readings.items() if kind.lane is Lane.CHAIN]
    cross.claims = list(claims.values())
    for reading in (*chains, *readings.values()):
        reading.finish()
    histories = [_history(symbol, reading, orders[kind], ledger) for kind, reading in readings.items()]
    if chains:
        histories = [
            history._replace(proof=claims[kind].proof(history.rows)) if kind in claims else history
            for kind, history in zip(readings, histories, strict=True)
        ]
    if symbol and gaps is None and any(history.rows for history in histories):
        why = "no ledger: it was deleted, or these are the files of an earlier program that kept none"
        report.broken(LEDGER.file_name(symbol), 1, why)
    report.histories += [*histories, *([gaps] if gaps else [])]


def _gaps(symbol: str, sources: Iterator[Source], ledger: Ledger, report: Report) -> History:
    """Read the ledger."""
    reading = Reading(LEDGER, sources, ledger, report)
    reading.finish()
    return History(symbol, LEDGER.name, reading.names, reading.rows, ledger.first_ms, ledger.last_ms)


def _history(symbol: str, reading: Reading, order: Rows, ledger: Ledger) -> History:
    """Return what was found of a history that has been read."""
    kind, rows, times = reading.kind, reading.rows, order.times
    first_ms, last_ms = (times.first_ms, times.end_ms) if rows else (None, None)
    found = History(symbol, kind.name, reading.names, rows, first_ms, last_ms, back=times.back)
    found = found._replace(crossed=order.ids.crossed)
    return found if kind.whole_folder else _against(ledger, kind, found, order.ids.missing)


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
