"""A world whose program writes real files, and records all that it is told; and what a replay of that record writes."""

import errno
import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from random import Random
from typing import Any

from aster_collect.exchange.events import Ask, Message
from aster_collect.files.lock import LOCK_NAME
from aster_collect.files.store import Store
from aster_collect.order.entries import Begin, Entry, Moment, Run, Unrecorded
from aster_collect.order.record import lines_of
from aster_collect.order.record_reader import Line, read_entries
from aster_collect.run.build import build_engine
from aster_collect.run.course import Course
from aster_collect.run.desk import Desk
from aster_collect.run.moments import Moments
from aster_collect.run.replay import Replay
from aster_collect.run.retold import Retold
from aster_collect.settings import Settings
from tests.unit.order import chain_world
from tests.unit.order.disk import Crash
from tests.unit.order.market import LEVELS
from tests.unit.order.world import PACE, Setup, World

Between = Callable[[Path], None]

TORN_BYTES = 30  # of a row, at most so many are missing after a crash


class Files:
    """The real files of a world's runs, as its faults treat them."""

    def __init__(self, folder: Path, chance: Random) -> None:
        self.folder, self.chance = folder, chance
        self.is_full = False
        self.crash_in: int | None = None  # after so many more writes
        self.store: Store

    def write(self, descriptor: int, data: bytes) -> int:
        if self.is_full:
            data = data[: self.chance.randrange(20)]
            if not data:
                raise OSError(errno.ENOSPC, "No space left on device")
        if self.crash_in is not None:
            self.crash_in -= 1
            if self.crash_in < 0:
                os.write(descriptor, data[: self.chance.randrange(len(data) + 1)])
                raise Crash
        return os.write(descriptor, data)

    def crash(self, *, of_the_machine: bool) -> None:
        """Lose what was not written; with the machine also the end of some files."""
        self.crash_in, self.is_full = None, False
        growing = sorted(path for path in self.folder.glob("*.csv") if path.name.count(".") == 1)
        for path in growing if of_the_machine else ():
            if self.chance.random() < 0.3:
                os.truncate(path, max(0, path.stat().st_size - self.chance.randrange(TORN_BYTES)))

    def files(self, kind: str, symbol: str) -> list[list[str]]:
        """Return the rows of a kind's file."""
        path = self.folder / f"{kind}_{symbol}.csv"
        return [path.read_text("utf-8").splitlines()[1:]] if path.exists() else []


class Recorded:
    """What a world is with the whole program in real files, and a record of all that it is told.

    Its clocks go on with each look at them, so that no reading is there twice.
    """

    def __init__(self, chance: Random, setup: Any, settings: Settings, between: Between | None = None) -> None:
        """`between` is done to the folder between two runs."""
        self._looks, self._between = 0, between
        self.settings = settings
        self.lines_of_record: list[Line] = []
        self.has_room = True  # for what is recorded
        self._losing: Unrecorded | None = None
        self.record = Retold(self._write).record
        self.files = Files(settings.data_dir, chance)
        self._store: Store | None = None
        super().__init__(chance, setup)  # type: ignore[call-arg]
        self.disk: Any = self.files

    def clock(self) -> float:
        self._looks += 1
        return super().clock() + self._looks * 1e-7  # type: ignore[misc, no-any-return]

    def wall_ns(self) -> int:
        self._looks += 1
        return super().wall_ns() + self._looks * 100  # type: ignore[misc, no-any-return]

    def _start(self) -> None:
        if self._store is not None:
            self._store.close()
            self._touch()
            if self._between is not None:
                self._between(self.settings.data_dir)
        settings, scope = self.settings, self.settings.scope()
        self._moments = moments = Moments(self.clock, self.wall_ns)
        self._store = store = Store(
            settings.data_dir, scope.kinds, scope.options,
            sync=False, rotate=settings.rotate, write=self.files.write, wall=moments.wall,
        )  # fmt: skip
        self.record(moments.now, Run("1.0", settings.told(), settings.symbols, store.rejects.appender.size))
        self.engine, hands = build_engine(settings, store, self._ask, moments)
        self._program_desk = Desk(settings, self.engine, store, moments)
        self._course = Course(self.engine, hands, moments, self.record)

    def _ask(self, ask: Ask) -> None:
        raise NotImplementedError

    def _touch(self) -> None:
        """Let the files have been changed in the world's time, not in ours."""
        ended_ns = self.wall_ns() - self.files.chance.randrange(2 * 10**8, 3 * 10**9)
        for path in self.settings.data_dir.glob("*.csv"):
            os.utime(path, ns=(ended_ns, ended_ns))

    def _write(self, moment: Moment, entry: Entry) -> bool:
        stamp_ns, number, text = lines_of(moment, entry)
        if not self.has_room:
            first_ns = self._losing.from_ns if self._losing else stamp_ns
            self._losing = Unrecorded((self._losing.lines if self._losing else 0) + number, first_ns, stamp_ns, False)
            return False
        if self._losing:
            facts = {"lines": self._losing.lines, "from_ns": self._losing.from_ns, "to_ns": self._losing.to_ns}
            told = json.dumps({"aster": "lost", **facts, "why": "overflow"}, separators=(",", ":"))
            self.lines_of_record.append((stamp_ns, told.encode()))
            self._losing = None
        self.lines_of_record += [(int(line[:19]), line[20:]) for line in text.split(b"\n")[:-1]]
        return True

    def take(self, message: Message) -> None:
        """Let the program be told something."""
        self._course.take(message)

    def written(self) -> list[Path]:
        """Return the files that the program has open, and that have their names still."""
        assert self._store is not None
        return [appender.path for appender in self._store.appenders() if appender.is_at_path()]

    def _opened(self, symbol: str) -> Begin:
        assert self._store is not None
        was = self.files.is_full, self.files.crash_in
        self.files.is_full, self.files.crash_in = False, None
        self._moments.look()
        self._store.open(symbol)
        self.files.is_full, self.files.crash_in = was
        return self._program_desk.begin(symbol)

    def end(self) -> None:
        """Let go of the folder."""
        if self._store is not None:
            self._store.close()


class RecordedWorld(Recorded, World):
    """A world of all kinds but the full book."""

    def __init__(
        self, chance: Random, setup: Setup, folder: Path, *, between: Between | None = None, **options: Any
    ) -> None:
        bounds = setup.bounds
        settings = Settings(
            tuple(setup.symbols), setup.every_symbol, streams=setup.kinds, order_book_levels=LEVELS, data_dir=folder,
            flush_interval_s=PACE.turn_s * 2, poll_interval_s=PACE.poll_s, max_clock_offset_s=PACE.max_clock_offset_s,
            history=bounds.history, backfill_limit=bounds.backfill_limit, hold_trades=bounds.hold_trades,
            hold_s=bounds.hold_s, **options,
        )  # fmt: skip
        super().__init__(chance, setup, settings, between)

    def _ask(self, ask: Ask) -> None:
        self.ask(ask)


class RecordedBooks(Recorded, chain_world.World):
    """A world of full books."""

    def __init__(self, chance: Random, setup: chain_world.Setup, folder: Path, **options: Any) -> None:
        settings = Settings(
            tuple(setup.symbols), streams=("depth",), diff_interval_ms=setup.interval_ms, data_dir=folder,
            flush_interval_s=1.0, check_interval_s=setup.check_s, history=0, **options,
        )  # fmt: skip
        super().__init__(chance, setup, settings)

    def _ask(self, ask: Ask) -> None:
        self.desk.ask(ask)


def replayed(lines: Iterable[Line], folder: Path, **asked: Any) -> Replay:
    """Replay lines into a folder."""
    replay = Replay(folder, asked)
    replay.play(read_entries(lines))
    return replay


def contents(folder: Path) -> dict[str, bytes]:
    """Return all that is in a folder but its lock, by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name != LOCK_NAME}


def differences(live: Path, other: Path) -> Sequence[str]:
    """Return which files differ, and where."""
    one, two = contents(live), contents(other)
    found = [f"{name} is only in {'the run' if name in one else 'the replay'}" for name in one.keys() ^ two.keys()]
    for name in one.keys() & two.keys():
        if one[name] != two[name]:
            ours, theirs = one[name].split(b"\n"), two[name].split(b"\n")
            at = next((n for n, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]), -1)
            found.append(f"{name}:{at + 1}: {ours[at : at + 2]} in the run, {theirs[at : at + 2]} in the replay")
    return sorted(found)
