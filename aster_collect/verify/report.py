"""What was found, as a table for people and as one object for machines; at most 20 reasons a file are kept."""

from collections.abc import Container, Iterator
from operator import itemgetter
from typing import Any, NamedTuple, Self
from unicodedata import east_asian_width

from ..exchange.ledger import LEDGER
from ..files.listed import MANIFEST_NAME, unpacked
from ..files.names import DAY_MS
from .found import Back, Crossed, Proof
from .times import utc

REASONS = 20
_TITLES_OF_DAYS = ("symbol", "file", "day", "rows", "missing", "covered")
_TITLES = ("symbol", "file", "rows", "first", "last", "gaps", "missing", "covered")


class Day(NamedTuple):
    """A day of UTC of a history, by its number since 1970; `missing` and `covered` are as those of a history."""

    day: int
    rows: int
    missing: int
    covered: int


class History(NamedTuple):
    """One symbol's rows of one kind over all its files.

    `symbol` is blank where one file is for all. `missing` counts ids where `in_ids` says so, and milliseconds else;
    `covered` is in thousandths of a percent, rounded down, so that 100000 means all. Both and `gaps` are None where
    they have no meaning. `back` says how often time goes back without breaking a promise, None where it never does;
    `crossed` is such a count of a full book, and `proof` says what that proves of these rows.
    """

    symbol: str
    kind: str
    files: list[str]
    rows: int
    first_ms: int | None = None
    last_ms: int | None = None
    gaps: int | None = None
    missing: int | None = None
    in_ids: bool = False
    covered: int | None = None
    back: Back | None = None
    crossed: Crossed | None = None
    proof: Proof | None = None
    aside: str = ""  # the name of a file that was set aside, and is a history of its own
    days: list[Day] | None = None


class Report:
    """What one look at a folder found."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.set_aside: list[str] = []
        self.unlisted_why = ""  # where there is no manifest that says which files there should be
        self.unlisted = 0  # how many files it should list, and does not
        self.notes: list[str] = []  # of files that were set aside, and not checked
        self.histories: list[History] = []
        self.reasons: dict[str, list[tuple[int, str]]] = {}
        self.counts: dict[str, int] = {}

    def broken(self, name: str, line: int, why: str) -> None:
        """Note a broken promise."""
        self.counts[name] = self.counts.get(name, 0) + 1
        reasons = self.reasons.setdefault(name, [])
        if len(reasons) < REASONS:
            reasons.append((line, why))

    def sort_reasons(self) -> None:
        """Put reasons into the order of the files, whichever was read first, and of their lines."""
        order = {name: at for at, name in enumerate(name for one in self.histories for name in one.files)}
        names = sorted(self.reasons, key=lambda name: (order.get(name, len(order)), name))
        self.reasons = {name: sorted(self.reasons[name], key=itemgetter(0)) for name in names}

    @property
    def nothing_proven(self) -> bool:
        """Whether no promise was broken only because there is not one row."""
        return not self.total and not any(
            history.rows for history in self.histories if history.kind != LEDGER.name and not history.aside
        )

    def add(self, other: Self) -> None:
        """Add what another look found, at other files of the folder."""
        self.histories += other.histories
        self.notes += other.notes
        self.unlisted += other.unlisted
        for name, reasons in other.reasons.items():
            self.reasons[name] = (self.reasons.get(name, []) + reasons)[:REASONS]
            self.counts[name] = self.counts.get(name, 0) + other.counts[name]

    @property
    def total(self) -> int:
        """How many times a promise was broken."""
        return sum(self.counts.values())

    def text(self, *, by_days: bool = False) -> Iterator[str]:
        """Yield the lines for people; `by_days` says that there is to be one a day too."""
        yield from _table([_TITLES, *map(_cells, self.histories)])
        if by_days:
            days = [cells for one in self.histories for cells in _cells_of_days(one)]
            yield from _table([_TITLES_OF_DAYS, *days], left=(0, 1, 2))
        for history in self.histories:
            if history.proof:
                yield f"{history.symbol} {history.kind}: {_proven(history.rows, history.proof)}"
        for crossed in (history.crossed for history in self.histories if history.crossed):
            moments = f"{crossed.moments} time{'s' * (crossed.moments > 1)} from here on, not at the end of a timestamp"
            yield f"{self.folder}/{crossed.file}:{crossed.line}: the book is crossed {moments}; counted, not broken"
        for back in (history.back for history in self.histories if history.back):
            steps = f"{back.steps} time{'s' * (back.steps > 1)} from here on, by {back.largest_ms} ms at most"
            yield f"{self.folder}/{back.file}:{back.line}: time goes back {steps}; counted, not broken"
        yield from (f"{self.folder}/{note}" for note in self.notes)
        if self.unlisted_why:
            yield f"{self.unlisted_why}: a missing file would not be noticed"
        if self.unlisted:
            files = f"{self.unlisted} file{'s' * (self.unlisted > 1)}"
            yield f"not in {MANIFEST_NAME} yet: {files}; a run of the collector lists what is there"
        for name, reasons in self.reasons.items():
            for line, why in reasons:
                yield f"{self.folder}/{name}:{line}: {why}"
            if self.counts[name] > len(reasons):
                yield f"{self.folder}/{name}: and {self.counts[name] - len(reasons)} more"
        rows, count = self._size()
        yield f"broken: {self.total}" if self.total else f"all promises hold: {rows} rows in {count} files"

    def json(self, *, by_days: bool = False) -> dict[str, Any]:
        """Return the object for machines; the help of the command says what is in it."""
        rows, files = self._size()
        return {
            "folder": self.folder,
            "holds": not self.total,
            "rows": rows,
            "files": files,
            "broken": self.total,
            "histories": [_object(one) | (_days(one) if by_days else {}) for one in self.histories],
            "reasons": [
                {"file": name, "line": line, "reason": why}
                for name, reasons in self.reasons.items()
                for line, why in reasons
            ],
            "set_aside": self.set_aside,
            "manifest": not self.unlisted_why,
            "unlisted": self.unlisted,
        }

    def _size(self) -> tuple[int, int]:
        return sum(history.rows for history in self.histories), sum(len(history.files) for history in self.histories)


def _cells(history: History) -> tuple[str, ...]:
    missing = history.missing
    amount = "-" if missing is None else f"{missing} ids" if history.in_ids else f"{_thousandths(missing)} s"
    return (
        history.symbol or "-",
        _file(history),
        str(history.rows),
        _utc(history.first_ms) or "-",
        _utc(history.last_ms) or "-",
        "-" if history.gaps is None else str(history.gaps),
        amount,
        "-" if history.covered is None else f"{_thousandths(history.covered)} %",
    )


def _file(history: History) -> str:
    """Return which file it is: the kind, or of one that was set aside its name without the symbol."""
    return unpacked(history.aside).removesuffix(".csv").replace(f"_{history.symbol}.", ".") or history.kind


def _object(history: History) -> dict[str, Any]:
    missing = history.missing
    seconds = None if missing is None or history.in_ids else missing / 1000
    return {
        "symbol": history.symbol or None,
        "kind": history.kind,
        "files": history.files,
        "set_aside": bool(history.aside),
        "rows": history.rows,
        "first": _utc(history.first_ms),
        "last": _utc(history.last_ms),
        "gaps": history.gaps,
        "missing_ids": missing if history.in_ids else None,
        "missing_s": seconds,
        "covered_percent": None if history.covered is None else history.covered / 1000,
        "time_back": history.back and history.back._asdict(),
        "crossed": history.crossed and history.crossed._asdict(),
        "proven": history.proof and history.proof._asdict(),
    }


def _cells_of_days(history: History) -> Iterator[tuple[str, ...]]:
    for day, rows, missing, covered in history.days or ():
        amount = f"{missing} ids" if history.in_ids else f"{_thousandths(missing)} s"
        yield history.symbol or "-", _file(history), _date(day), str(rows), amount, f"{_thousandths(covered)} %"


def _days(history: History) -> dict[str, Any]:
    days = history.days
    return {
        "days": days and [
            {
                "day": _date(day), "rows": rows, "missing_ids": missing if history.in_ids else None,
                "missing_s": None if history.in_ids else missing / 1000, "covered_percent": covered / 1000,
            }
            for day, rows, missing, covered in days
        ]
    }  # fmt: skip


def _date(day: int) -> str:
    return utc(day * DAY_MS)[:10]


def _proven(rows: int, proof: Proof) -> str:
    said = f"the full book proves {proof.rows} of {rows} rows"
    return f"{said}, and can't say it of {proof.unsaid}" if proof.unsaid else said


def _thousandths(value: int) -> str:
    return f"{value // 1000}.{value % 1000:03d}"


def _utc(time_ms: int | None) -> str | None:
    return None if time_ms is None else utc(time_ms)


def _table(lines: list[tuple[str, ...]], left: Container[int] = (0, 1, 3, 4)) -> Iterator[str]:
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    for cells in lines:
        padded = []
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True)):
            space = " " * (width - _width(cell))
            padded.append(cell + space if at in left else space + cell)
        yield "  ".join(padded).rstrip()


def _width(text: str) -> int:
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
