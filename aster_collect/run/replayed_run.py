"""One recorded run told again: its engine and hands, its files, and its connections."""

from collections.abc import Callable
from typing import Any

from ..errors import StoreError
from ..exchange.events import Answer, Ask, Bad, Batch, Lost, Opened, Reopen, Wanted
from ..exchange.form import Form
from ..exchange.ledger import LEDGER
from ..files.compress import compress
from ..files.manifest import take_back
from ..files.rotate import closed_part
from ..files.store import Store
from ..order.effects import Flush
from ..order.entries import Again, Begin, Close, Entry, Settle, Step, Unrecorded
from ..settings import Settings
from .build import build_engine
from .carried import Carried
from .course import Course
from .found import Found
from .lacking import Lacking, destroyed
from .moments import Moments


class ReplayedRun:
    """Takes the entries of a run, as it took what they tell of.

    ```
    entry ──▶ course: engine, hands ──▶ store
    ```
    """

    def __init__(self, settings: Settings, found: Found, moments: Moments) -> None:
        """Lock the folder; raises `LockedError`, `StoreError` and `OSError` as a run does."""
        self._settings, self._found, self._moments = settings, found, moments
        self._moments.look()
        self._store = Store(
            settings.data_dir, settings.scope().kinds, settings.scope().options,
            market=settings.market, sync=False, rotate=settings.rotate, wall=moments.wall,
        )  # fmt: skip
        take_back(settings.data_dir, sync=False)
        self._engine, self._hands = build_engine(settings, self._store, _ask_nobody, moments)
        self._course = Course(self._engine, self._hands, moments)
        self.carried = Carried(self._course)
        self._lacking = Lacking()
        self._takes: dict[type, Callable[[Any], object]] = {
            Begin: self._begin, Again: self._lacking.again, Unrecorded: self._unrecorded,
            Step: self._step, Settle: self._settle, Close: self._close, Reopen: self._reopen, Answer: self._answer,
            Wanted: self.carried.wanted, Opened: self.carried.take, Bad: self.carried.take,
            Batch: self.carried.batch, Lost: self.carried.lost,
        }  # fmt: skip

    @property
    def rows(self) -> int:
        """How many rows it wrote."""
        return sum(lane.rows for lane in self._engine.lanes.all.values())

    @property
    def gaps(self) -> int:
        """How many rows of the ledger it wrote."""
        return sum(self._hands.gaps.values())

    def take(self, entry: Entry) -> None:
        """Do what an entry tells of, but what was known; raises `ConfigError` and `StoreError`."""
        if not isinstance(entry, Again):
            self.go_on()
        self._takes[type(entry)](entry)
        self._look_at_files()

    def go_on(self) -> None:
        """Go on as the run stood behind what the record lacks, if that was said."""
        if stood := self._lacking.stood():
            begun = self._engine.lanes.symbols
            for begin in stood.begun:
                if begin.symbol and begin.symbol not in begun:
                    self._begin(begin)
            for wanted in stood.wanted:
                self.carried.wanted(wanted)
            self.carried.keep({wanted.connection for wanted in stood.wanted})

    def write_rest(self) -> None:
        """Write all that came."""
        for _ in range(2):
            self._hands.carry([*self._engine.move(everything=True), Flush(True)])

    def end(self) -> None:
        """Let go of the files, as a crash does if the run did not close."""
        self._store.close()

    def _look_at_files(self) -> None:
        if self._hands.failing_since_ns:
            raise StoreError(self._store.last_error)
        for path in self._hands.take_renamed():
            if self._settings.compress and closed_part(path.name):
                compress(path)

    def _begin(self, begin: Begin) -> None:
        scope = self._settings.scope()
        kinds = [kind for kind in (*scope.kinds, LEDGER) if kind.whole_folder == (not begin.symbol)]
        forms = [Form(kind, scope.options) for kind in kinds]
        self._moments.look()
        self._found.make(self._store, forms, begin)
        self._store.open(begin.symbol, at_once=begin.made)
        self._found.tell(self._store, forms, begin)
        self._course.begin(self._found.resume(self._store, begin))

    def _unrecorded(self, lack: Unrecorded) -> None:
        """Let what the record lacks be missing."""
        self._found.notes.append(f"the record lacks {lack.lines} lines; the ledger tells of their time")
        self._lacking.lack()
        self.carried.lose()
        for symbol, gap in destroyed(lack, self._engine.lanes.all.values()):
            self._store.backlog.gap(symbol, gap)

    def _step(self, _: Step) -> None:
        self._course.step()

    def _settle(self, settle: Settle) -> None:
        self._course.settle(settle.stopped_s)

    def _close(self, _: Close) -> None:
        self._course.close()

    def _reopen(self, reopen: Reopen) -> None:
        """Begin those files anew that the run did."""
        self._moments.look()
        self._found.move(self._store, reopen.moved)
        self._course.take(reopen)

    def _answer(self, answer: Answer) -> None:
        """Take an answer, but of what is not asked for now."""
        if not answer.ask.kind or (answer.ask.kind, answer.ask.symbol) in self._engine.lanes.all:
            self._course.take(answer)


def _ask_nobody(ask: Ask) -> None:
    """Ask nobody: the answers are in the record."""
