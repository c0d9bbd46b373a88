"""A raw record told to the same engine, by the clocks of then: the files that its runs wrote, or would have written."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import ConfigError, DecodeError, StoreError
from ..exchange.events import Answer, Ask, Bad, Batch, Gap, Lost, Opened, Reopen, Wanted
from ..exchange.form import Form
from ..exchange.ledger import LEDGER, UNRECORDED
from ..files.compress import compress
from ..files.raw_reader import RawLines
from ..files.source import Damaged
from ..files.store import Store
from ..order.effects import Flush
from ..order.engine import Engine
from ..order.entries import Again, Begin, Close, Entry, Moment, Run, Settle, Step, Unrecorded
from ..order.record_reader import read_entries
from ..settings import Settings
from .build import build_engine
from .carried import Carried
from .course import Course
from .found import Found
from .hands import Hands
from .moments import Moments
from .recalled import alike, changed, has_none, recalled

CLOCKS_MS = 1000  # by which the exchange's clock may differ from ours


class Replay:
    """The recorded runs, one after another, in a folder.

    ```
    entry ──▶ its moment is now ──▶ course: engine, hands ──▶ store
    run   ──▶ another engine and store, in the files that the one before has left
    ```
    """

    def __init__(self, folder: Path, asked: Mapping[str, Any]) -> None:
        """`asked` are settings that are to be others than those recorded, by name."""
        self.runs = self.frames = self.rows = self.gaps = 0
        self._folder, self._asked = folder, asked
        self._moment = Moment(0.0, 0)
        self._moments = Moments(lambda: self._moment.s, lambda: self._moment.ns)
        self._found = Found(folder)
        self._settings: Settings
        self._store: Store | None = None
        self._engine: Engine
        self._hands: Hands
        self._course: Course
        self.carried: Carried
        self._is_within = False  # whether it begins within a run
        self._began_within = False  # whether its run does
        self._passes = False  # over a run that had nothing of what is asked for
        self._lacks = False  # whether what is said again may be new: the record lacks something before
        self._standing: list[Run | Begin | Wanted | Opened] = []  # … and that is what is said again
        self._takes: dict[type, Callable[[Any], object]] = {
            Run: self._run, Begin: self._begin, Unrecorded: self._unrecorded,
            Step: lambda _: self._course.step(), Settle: lambda one: self._course.settle(one.stopped_s),
            Close: lambda _: self._course.close(), Reopen: self._reopen,
            Wanted: lambda one: self.carried.wanted(one), Lost: lambda one: self.carried.lost(one),
            Opened: lambda one: self.carried.take(one), Bad: lambda one: self.carried.take(one),
            Batch: lambda one: self.carried.batch(one), Answer: self._answer, Again: self._again,
        }  # fmt: skip

    @property
    def notes(self) -> list[str]:
        """Where the files can't be those of then, and why."""
        return self._found.notes

    def play(self, entries: Iterable[tuple[Moment, Entry]]) -> None:
        """Do all that is recorded. What was not flushed when a crash ended a run is not written.

        Raises `ConfigError`, `LockedError` and `StoreError` as a run does, and what the entries raise.
        """
        try:
            for moment, entry in entries:
                self._moment = moment if moment.s else moment._replace(s=self._moment.s)  # lines `lost` have none
                self._is_within = isinstance(entry, Again) and (self._is_within or self._store is None)
                told = entry.entry if isinstance(entry, Again) else entry
                if self._passes and not isinstance(entry, Run):
                    continue
                if self._store is None and not isinstance(told, Run):
                    raise ConfigError("the record begins in the middle of an hour; give the files before it too")
                if self._standing and not isinstance(entry, Again):
                    self._mend()
                self._takes[type(entry)](entry)
                self._look_at_files()
        finally:
            self._end()

    def _look_at_files(self) -> None:
        if self._store is None:
            return
        if self._hands.failing_since_ns:
            raise StoreError(self._store.last_error)
        for path in self._hands.take_closed():
            if self._settings.compress:
                compress(path)

    def _again(self, again: Again) -> None:
        """Take what is said again where a replay begins, or the record lacks something; else it is known."""
        if self._is_within:
            self._takes[type(again.entry)](again.entry)
        elif self._lacks:
            self._standing.append(again.entry)

    def _mend(self) -> None:
        """Go on as the run stood behind what the record lacks."""
        standing, self._standing, self._lacks = self._standing, [], False
        begun = self._engine.lanes.symbols
        for begin in standing:
            if isinstance(begin, Begin) and begin.symbol and begin.symbol not in begun:
                self._begin(begin)
        wanted = [one for one in standing if isinstance(one, Wanted)]
        for one in wanted:
            self.carried.wanted(one)
        self.carried.keep({one.connection for one in wanted})

    def _end(self) -> None:
        """Let go of a run's files, as a crash does if it did not close."""
        if self._store is not None:
            self._store.close()
            self._store = None
            self.rows += sum(lane.rows for lane in self._engine.lanes.all.values())
            self.gaps += sum(self._hands.gaps.values())
            self.frames += self.carried.frames

    def _write_rest(self) -> None:
        """Write all that came, since turns were at other moments then; of what a kill took the next run knows."""
        for _ in range(2):
            self._hands.carry([*self._engine.move(everything=True), Flush(True)])

    def _run(self, run: Run) -> None:
        if self._began_within:
            self._write_rest()
        self._began_within = self._is_within
        self._end()
        recorded = recalled(run, self._folder)
        self._passes = bool(self.runs) and has_none(recorded, self._asked)
        if self._passes:
            self.notes.append(f"a run is left out: it collected {', '.join(recorded.streams)} alone")
            return
        self._settings = settings = changed(recorded, self._asked, is_first=not self.runs)
        self.runs += 1
        if self._is_within:
            settings = replace(settings, history=0)  # what was before can't be asked for
            self.notes.append("the record begins within a run; so do the files")
        self._found.run(run.rejects_bytes, alike=alike(recorded, settings) and not self._is_within)
        self._moments.look()
        self._store = Store(
            self._folder, settings.scope().kinds, settings.scope().options,
            market=settings.market, sync=False, rotate=settings.rotate, wall=self._moments.wall,
        )  # fmt: skip
        self._engine, self._hands = build_engine(settings, self._store, _ask_nobody, self._moments)
        self._course = Course(self._engine, self._hands, self._moments)
        self.carried = Carried(self._course)
        self._standing, self._lacks = [], False

    def _begin(self, begin: Begin) -> None:
        assert self._store is not None
        kinds = [kind for kind in (*self._settings.scope().kinds, LEDGER) if kind.whole_folder == (not begin.symbol)]
        forms = [Form(kind, self._settings.scope().options) for kind in kinds]
        self._moments.look()
        self._found.make(self._store, forms, begin)
        self._store.open(begin.symbol, at_once=begin.made)
        self._found.tell(self._store, forms, begin)
        self._course.begin(self._found.resume(self._store, begin))

    def _unrecorded(self, lack: Unrecorded) -> None:
        """Let what the record lacks be missing."""
        assert self._store is not None
        self.notes.append(f"the record lacks {lack.lines} lines; the ledger tells of their time")
        self._lacks = True
        self.carried.lose()
        for lane in self._engine.lanes.all.values() if lack.destroyed else ():
            if lane.kind.uncovered:
                from_ms, to_ms = lack.from_ns // 1_000_000 - CLOCKS_MS, lack.to_ns // 1_000_000 + CLOCKS_MS
                gap = Gap.of_time(lane.kind.name, from_ms, to_ms, UNRECORDED)
                self._store.backlog.gap(lane.symbol, gap)

    def _reopen(self, reopen: Reopen) -> None:
        """Begin those files anew that the run did."""
        assert self._store is not None
        self._moments.look()
        self._found.move(self._store, reopen.moved)
        self._course.take(reopen)

    def _answer(self, answer: Answer) -> None:
        """Take an answer, but of what is not asked for now."""
        if not answer.ask.kind or (answer.ask.kind, answer.ask.symbol) in self._engine.lanes.all:
            self._course.take(answer)


def read(paths: Iterable[Path]) -> Iterator[tuple[Moment, Entry]]:
    """Yield what is recorded in files, given in order; raises `OSError`, and `DecodeError` where they are no record."""
    lines = RawLines(paths)
    try:
        yield from read_entries(lines)
    except Damaged as error:
        raise DecodeError(str(error)) from error
    except DecodeError as error:
        raise DecodeError(f"{lines.place}: {error}") from error


def _ask_nobody(ask: Ask) -> None:
    """Ask nobody: the answers are in the record."""
