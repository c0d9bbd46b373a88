"""A folder's files, read once each and in order, against every rule and the manifest: the answer is a report."""

from contextlib import nullcontext
from itertools import groupby
from pathlib import Path

from ..exchange.ledger import LEDGER
from ..files.histories import Histories, NotAFolder
from ..files.listed import MANIFEST_NAME, Manifest, read_manifest
from ..files.names import TABLE, read_name
from ..files.repairing import repairing
from .memory import Remembered
from .past import Asked
from .promised import flaws, listed
from .reading import nobody
from .report import Report
from .symbol import Answer
from .work import WORTH_BYTES, Begin, answers, bytes_of, tasks_of


def check_folder(
    folder: Path,
    *,
    live: bool = False,
    since_ms: int = 0,
    remembered: Remembered | None = None,
    jobs: int = 1,
    least_bytes: int = WORTH_BYTES,
    begin: Begin = lambda _: nullcontext(nobody),
) -> Report:
    """Check every symbol of a data folder; `live` says that a collector is writing to it.

    Of files that are over by `since_ms` nothing is asked. What is `remembered` is not read again, and is what is to be
    remembered afterwards. There are `jobs` processes at most, and one where all files are less than `least_bytes`.
    `begin` is told how many bytes there are, and then what is done of them.

    Raises `NotAFolder` when there is nothing to check, `OSError` when a file can't be read.
    """
    report = Report(str(folder))
    try:
        histories = Histories(folder, live=live)
    except NotAFolder:
        if not _are_missing(folder, since_ms, report):
            raise
        return report
    asked = Asked(folder, live, since_ms, _manifest(folder, report), repairing(folder))
    report.set_aside = [entry.name for entry in histories.set_aside]
    symbols = _symbols(histories, asked.manifest)
    size = bytes_of(folder)
    jobs = jobs if size >= least_bytes else 1
    tasks = tasks_of(histories, symbols, remembered or {}, jobs)
    with begin(size) as tell:
        found = zip(tasks, answers(asked, histories, tasks, jobs, tell), strict=True)
        for symbol, pairs in groupby(found, lambda pair: pair[0].symbol):
            _take(report, symbol, [answer for _, answer in pairs], remembered)
    return report


def _are_missing(folder: Path, since_ms: int, report: Report) -> bool:
    """Tell of a folder without data files which are missing, if there should be some; return whether there should."""
    manifest = _manifest(folder, report) if folder.is_dir() else None
    if manifest is not None:
        for symbol in _symbols_of(manifest):
            for name, why in flaws(listed(manifest, symbol, TABLE, since_ms), {}):
                report.broken(name, 1, why)
    return bool(report.total)


def _manifest(folder: Path, report: Report) -> Manifest | None:
    """Return what the manifest says, None where it says nothing: then the report says why."""
    try:
        manifest = read_manifest(folder)
    except OSError as error:
        report.unlisted_why = f"{MANIFEST_NAME} can't be read: {error.strerror or error}"
        return None
    if manifest is None:
        report.unlisted_why = f"no {MANIFEST_NAME}"
        return None
    for line in manifest.odd:
        report.broken(MANIFEST_NAME, line, "not a line of a manifest")
    return manifest


def _symbols(histories: Histories, manifest: Manifest | None) -> list[str]:
    """Return of which symbols there are files, or should be."""
    set_aside = {entry.part.symbol for entry in histories.set_aside}
    return sorted({*histories.symbols, *set_aside, *(_symbols_of(manifest) if manifest else ())})


def _symbols_of(manifest: Manifest) -> list[str]:
    names = [*manifest.files, *manifest.growing]
    return sorted({entry.part.symbol for name in names if (entry := read_name(name))})


def _take(report: Report, symbol: str, answers: list[Answer], remembered: Remembered | None) -> None:
    """Take what was found of a symbol, in the order of the table: first its histories, last what was set aside."""
    found = Report(report.folder)
    for answer in answers:
        found.add(answer.report)
        if remembered is not None:
            remembered |= answer.remembered
    found.histories.sort(key=lambda one: (bool(one.aside), list(TABLE).index(one.kind), one.aside))
    own = [one for one in found.histories if not one.aside]
    if symbol and any(one.rows for one in own) and all(one.kind != LEDGER.name for one in own):
        why = "no ledger: it was deleted, or these are the files of an earlier program that kept none"
        found.broken(LEDGER.file_name(symbol), 1, why)
    found.sort_reasons()
    report.add(found)
