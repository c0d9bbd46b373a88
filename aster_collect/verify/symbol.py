"""One symbol's files against every rule: the ledger first, then groups of histories that prove each other."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ..exchange.ledger import LEDGER
from ..exchange.streams import KINDS
from ..exchange.streams.kind import Kind, Lane
from ..files.histories import Histories
from ..files.listed import unpacked
from ..files.names import TABLE, Entry, Part
from ..files.source import Source
from .cross import Claims, Cross
from .days import history_of
from .found import total
from .ledger import Ledger, Range, unknown
from .memory import Proven, Remembered, key_of
from .order import Rows
from .past import Asked, Past
from .promised import Held, flaws, is_there_now, listed
from .reading import File, Reading, Tell, nobody
from .report import History, Report
from .times import read_time

Group = tuple[str, ...]  # kinds


class Answer(NamedTuple):
    """What was found, and what is to be remembered."""

    report: Report
    remembered: Remembered
    told: tuple[int, int]  # how many rows and bytes that was


def groups(kinds: Iterable[str]) -> list[Group]:
    """Return what proves itself together, of the kinds that a symbol has growing and closed files of.

    The first is the ledger, with all kinds of which there are no such files; a full book goes with what shows its top.
    """
    there = [kind for kind in KINDS.values() if kind.name in set(kinds)]
    chains = [kind.name for kind in there if kind.lane is Lane.CHAIN]
    together = (*chains, *(kind.name for kind in there if kind.top)) if chains else ()
    alone = [(kind.name,) for kind in there if kind.name not in together]
    absent = [kind for kind in KINDS if kind not in {one.name for one in there}]
    return [(LEDGER.name, *absent), *([together] if together else []), *alone]


class Symbol:
    """The files of one symbol."""

    def __init__(
        self, asked: Asked, histories: Histories, symbol: str, remembered: Remembered, tell: Tell = nobody
    ) -> None:  # fmt: skip
        """`tell` is told of each file's rows and bytes."""
        self._tell, self._told_rows, self._told_bytes = tell, 0, 0
        self._asked, self._symbol = asked, symbol
        self._histories, self._before = histories, remembered
        self._report = Report(str(asked.folder))
        mark = asked.repairing
        repaired = {mark.kind: mark.ids} if mark and mark.symbol == symbol else {}
        self._ledger = Ledger(_set_aside_times(histories, symbol), repaired, since_ms=asked.since_ms)
        self._remembered: Remembered = {}
        self._proven: list[tuple[Past, Kind, list[Proven], list[File]]] = []

    def check(self, wanted: Iterable[Group]) -> Answer:
        """Check some groups."""
        without: set[Part] = set()  # what is not to be read
        with self._histories.open(self._symbol, without) as files:
            there = self._histories.parts(self._symbol)
            without |= {part for found in there.values() for part in found if self._is_over(part)}
            gaps = self._gaps(files.get(LEDGER.name), LEDGER.name in {kind for group in wanted for kind in group})
            for group in wanted:
                held = {}
                if LEDGER.name in group:
                    self._report.histories += gaps[1]
                    held = gaps[0]
                elif any(kind in files for kind in group):
                    held = self._group([KINDS[kind] for kind in group if kind in files], files, there, without)
                held |= self._all_set_aside(group)
                self._judge(group, held)
        for past, kind, known, read in self._proven:
            now = past.proven(kind, known, read, self._ledger, self._report)
            self._remembered[key_of(self._symbol, kind)] = now
        return Answer(self._report, self._remembered, (self._told_rows, self._told_bytes))

    def _done(self, rows: int, size: int) -> None:
        self._told_rows += rows
        self._told_bytes += size
        self._tell(rows, size)

    def _is_over(self, part: Part) -> bool:
        return bool(part.period) and part.end_ms <= self._asked.since_ms

    def _gaps(self, sources: Iterator[Source] | None, is_wanted: bool) -> tuple[dict[str, Held], list[History]]:
        """Read the ledger; return what its files hold, and its history."""
        if sources is None:
            return {}, []
        report = self._report if is_wanted else Report("")
        tell, ledger = self._done if is_wanted else nobody, self._ledger
        reading = Reading(LEDGER, sources, ledger, report, tell=tell)
        reading.finish()
        names, rows = [file.name for file in reading.files], total([file.sum for file in reading.files]).rows
        return _held(reading.files), [History(self._symbol, LEDGER.name, names, rows, ledger.first_ms, ledger.last_ms)]

    def _group(
        self, kinds: Sequence[Kind], files: Mapping[str, Iterator[Source]], there: dict[str, set[Part]],
        without: set[Part],
    ) -> dict[str, Held]:  # fmt: skip
        """Check histories that prove each other; return what their files hold."""
        past = Past(self._asked, kinds, there, without)
        known = past.known(self._symbol, self._before, self._ledger)
        without.update(part for kind in kinds for part in past.parts[kind][: len(known[kind])])
        cross = Cross(self._report)
        orders = {kind: Rows(kind, self._ledger, cross) for kind in kinds}
        for kind, proven in known.items():
            self._done(sum(one.sum.rows for one in proven), sum(one.status[0] for one in proven))
            if proven:
                orders[kind].go_on(proven[-1].state, past.parts[kind][len(proven) - 1].length_ms)
        readings = {
            kind: Reading(
                kind,
                files[kind.name],
                order,
                self._report,
                since_ms=self._asked.since_ms,
                keeps=past.keeper(kind),
                tell=self._done,
            )
            for kind, order in orders.items()
        }
        claims = {kind: Claims(reading.blocks) for kind, reading in readings.items() if kind.top}
        cross.claims = list(claims.values())
        for kind in (*past.chains, *kinds):
            readings[kind].finish()
        held: dict[str, Held] = {}
        for kind, reading in readings.items():
            read = reading.files
            if past.chains and kind in claims:
                read = [_with_proof(file, claims[kind]) for file in read]
            sums = [*(one.sum for one in known[kind]), *(file.sum for file in read)]
            names = [*(one.name for one in known[kind]), *(file.name for file in read)]
            found = total(sums)
            self._report.histories.append(
                history_of(self._symbol, kind, names, found, self._ledger, self._asked.since_ms)
            )
            held |= {unpacked(one.name): Held(one.name, one.bytes, one.sha256) for one in known[kind]} | _held(read)
            self._proven.append((past, kind, known[kind], read))
        return held

    def _all_set_aside(self, group: Group) -> dict[str, Held]:
        """Check the files of some kinds that were set aside, each as a history of its own; return what they hold."""
        held: dict[str, Held] = {}
        for entry in self._histories.set_aside:
            part = entry.part
            if part.symbol != self._symbol or part.kind not in group or entry.aside_ms <= self._asked.since_ms:
                continue
            try:
                source = Source(self._asked.folder / entry.name, part, growing=True, links=True)
            except FileNotFoundError:
                if not self._asked.live:
                    raise
                continue
            with source:
                held |= self._set_aside(entry, source)
        return held

    def _set_aside(self, entry: Entry, source: Source) -> dict[str, Held]:
        kind = TABLE[entry.part.kind]
        order = Ledger({}, {}) if kind is LEDGER else Rows(kind, unknown(), Cross(Report("")))
        reading = Reading(kind, iter([source]), order, self._report, is_aside=True, tell=self._done)
        reading.finish()
        if reading.foreign:
            self._report.notes.append(f"{entry.name}: set aside, not checked: {reading.foreign}")
        else:
            found = total([file.sum for file in reading.files])
            self._report.histories.append(
                History(
                    self._symbol, kind.name, [entry.name], found.rows, found.first_ms, found.last_ms, back=found.back,
                    crossed=found.crossed, aside=entry.name,
                )
            )  # fmt: skip
        return _held(reading.files)

    def _judge(self, group: Group, held: Mapping[str, Held]) -> None:
        """Hold what was found against the manifest."""
        manifest = self._asked.manifest
        if manifest is None:
            return
        promised = list(listed(manifest, self._symbol, group, self._asked.since_ms))
        for name, why in flaws(promised, held):
            if not (self._asked.live and unpacked(name) not in held and is_there_now(self._asked.folder, name)):
                self._report.broken(name, 1, why)
        names = {one.name for _, one in promised}
        self._report.unlisted += sum(name not in names for name in held if name.count(".") > 1)


def _held(files: Iterable[File]) -> dict[str, Held]:
    return {unpacked(file.name): Held(file.name, file.bytes, file.sha256) for file in files}


def _with_proof(file: File, claims: Claims) -> File:
    found = file.sum._replace(proof=claims.proof(file.name, file.sum.rows), shows=claims.shows(file.name))
    return file._replace(sum=found)


def _set_aside_times(histories: Histories, symbol: str) -> dict[str, list[Range]]:
    """Return by kind which times, in milliseconds, files of a symbol hold that were set aside.

    A file holds those from its first row's to that in its name; of one whose first row has no time nothing is known.
    """
    found: dict[str, list[Range]] = {}
    for entry in histories.set_aside:
        kind = KINDS.get(entry.part.kind)
        if (
            kind
            and entry.part.symbol == symbol
            and (first_ms := read_time(kind, histories.first_row(entry))) is not None
        ):
            found.setdefault(kind.name, []).append((first_ms, entry.aside_ms))
    return found
