"""All symbols and kinds of several folders, merged into one that is written beside, and put in place as a whole."""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from ..archive import DamagedFile
from ..errors import ConfigError, LockedError
from ..exchange.events import Gap
from ..exchange.ledger import LEDGER
from ..exchange.streams import KINDS
from ..exchange.streams.kind import Kind, Lane
from ..files.histories import Histories, list_folder
from ..files.lock import NO_LOCKS, TAKEN, lock
from ..files.manifest import settle
from ..files.market import keep_market, market_of
from ..files.period import PERIODS_MS
from ..files.plain import FOLDER_MODE, begin_plain
from ..files.rotate import sync_folder
from ..files.source import Damaged, Source
from .feed import NO_TIME, SEE, Columns, Feed, Tell
from .keyed import Difference
from .lacking import Part, stretches
from .lanes import merge_history
from .ledger import Listed, read_ledger, rows_of
from .opening import Opening
from .sink import Sink

Begin = Callable[[int], AbstractContextManager[Tell]]  # of how many bytes that will be
ENDING = ".merging"  # of the folder that is written beside
SHOWN = 20  # rows of a file that differ


class Merged(NamedTuple):
    """What was merged: how much, rows that differ, files that were left out since they are set aside."""

    symbols: int
    files: int
    rows: int
    gaps: int
    differ: int
    differences: list[Difference]
    set_aside: list[Path]


def merge_folders(folders: Sequence[Path], out: Path, rotate: str, begin: Begin) -> Merged:
    """Merge data folders into one that is not there yet, or is empty.

    `rotate` is one of `PERIODS_MS`, or nothing: then files are closed as in the folders, as often as in any of them.
    Raises `ConfigError` for what can't be merged, `NotAFolder`, `DamagedFile`, `LockedError`, and `OSError`; then
    nothing is left.
    """
    histories = [Histories(folder, live=True) for folder in folders]
    market = _market(folders)
    _refuse_places(folders, out)
    length_ms = PERIODS_MS[rotate] if rotate else _period_ms(histories)
    _refuse_columns(folders, histories, market)
    with _beside(out) as beside, begin(sum(map(_bytes, folders))) as tell:
        keep_market(beside, market)
        merge = _Merge(folders, histories, market, beside, length_ms, tell)
        for symbol in sorted({symbol for each in histories for symbol in each.symbols}):
            merge.symbol(symbol)
        settle(beside)
        return merge.merged


def _market(folders: Sequence[Path]) -> str:
    """Return the market that all folders hold; raise `ConfigError` where they hold several."""
    markets = {folder: market_of(folder) for folder in folders}
    first, *others = markets
    for other in others:
        if markets[other] != markets[first]:
            raise ConfigError(
                f"{other} holds {markets[other]}, and {first} {markets[first]}; give folders of one market"
            )
    return markets[first]


def _refuse_places(folders: Sequence[Path], out: Path) -> None:
    """Raise `ConfigError` where the result would be within a folder that is merged, or is not to be made."""
    for folder in folders:
        if out.resolve().is_relative_to(folder.resolve()):
            raise ConfigError(f"--into: {out} given, a folder outside of {folder} allowed, which is never touched")
    if os.path.lexists(out) and not (out.is_dir() and not out.is_symlink() and not any(out.iterdir())):
        raise ConfigError(f"--into: {out} given, a folder that is not there yet, or is empty, allowed")


def _refuse_columns(folders: Sequence[Path], histories: Sequence[Histories], market: str) -> None:
    """Raise `ConfigError` where files of one history have not the same columns, before hours are spent on others."""
    for symbol in sorted({symbol for each in histories for symbol in each.symbols}):
        columns = {kind.name: Columns(kind, market) for kind in KINDS.values()}
        for folder, each in zip(folders, histories, strict=True):
            with each.open(symbol) as files:
                for source in chain.from_iterable(files.values()):
                    with contextlib.suppress(Damaged):  # which is told where it is read
                        if source.part.kind in columns and (header := source.header()):
                            columns[source.part.kind].take(str(folder / source.name), header)


def _period_ms(histories: Sequence[Histories]) -> int:
    """Return the shortest period by which files are closed, 0 where none is."""
    lengths = {
        part.length_ms
        for each in histories
        for symbol in each.symbols
        for parts in each.parts(symbol).values()
        for part in parts
        if part.period
    }
    return min(lengths, default=0)


def _bytes(folder: Path) -> int:
    return sum((folder / entry.name).stat().st_size for entry in list_folder(folder) if not entry.aside_ms)


@contextlib.contextmanager
def _beside(out: Path) -> Iterator[Path]:
    """Yield the folder to write, which takes its place in the end; after any exception nothing of it is left."""
    out.parent.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
    beside = out.with_name(f".{out.name}{ENDING}")
    beside.mkdir(FOLDER_MODE, exist_ok=True)
    descriptor = os.open(beside, os.O_RDONLY)
    try:
        try:
            lock(descriptor)
        except OSError as error:
            if error.errno in TAKEN:
                raise LockedError(f"{beside}: another merge is writing it; let that one end first") from None
            if error.errno not in NO_LOCKS:
                raise
        try:
            _clear(beside)
            yield beside
            sync_folder(beside)
            beside.replace(out)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
    finally:
        os.close(descriptor)
    sync_folder(out.parent)


def _clear(folder: Path) -> None:
    """Delete what a merge that was killed has left."""
    for path in folder.iterdir():
        path.unlink()


class _Merge:
    """Merges symbol by symbol, and counts."""

    def __init__(
        self,
        folders: Sequence[Path],
        histories: Sequence[Histories],
        market: str,
        out: Path,
        length_ms: int,
        tell: Tell,
    ) -> None:
        self._folders, self._histories, self._market = folders, histories, market
        self._out, self._length_ms, self._tell = out, length_ms, tell
        self._symbols = self._files = self._rows = self._gaps = self._differ = 0
        self._differences: list[Difference] = []

    @property
    def merged(self) -> Merged:
        """What was merged so far."""
        aside = [
            folder / entry.name
            for folder, each in zip(self._folders, self._histories, strict=True)
            for entry in each.set_aside
        ]
        counts = self._symbols, self._files, self._rows, self._gaps, self._differ
        return Merged(*counts, self._differences, aside)

    def symbol(self, symbol: str) -> None:
        """Merge a symbol's histories; the whole folder's, which have no ledger, where it is none."""
        with ExitStack() as opened:
            files = [opened.enter_context(each.open(symbol)) for each in self._histories]
            listed = [self._listed(at, symbol, one.pop(LEDGER.name, None), bool(one)) for at, one in enumerate(files)]
            gaps = [
                gap
                for kind in KINDS.values()
                if kind.whole_folder == (not symbol)
                for gap in self._kind(kind, symbol, files, listed)
            ]
        if symbol:
            self._symbols += 1
            self._gaps += len(gaps)
            self._files += 1
            with begin_plain(self._out / LEDGER.file_name(symbol)) as file:
                file.write(rows_of(gaps))
                file.flush()
                os.fsync(file.fileno())

    def _listed(self, at: int, symbol: str, sources: Iterator[Source] | None, has_rows: bool) -> Listed:
        """Read a folder's ledger; raises `DamagedFile` where there is none."""
        folder = self._folders[at]
        if sources is None and symbol and has_rows:
            path = folder / LEDGER.file_name(symbol)
            raise DamagedFile(f"{path}: it is not there, so nothing says what the other files of {symbol} lack{SEE}")
        return read_ledger(folder, sources or iter(()), self._tell)

    def _kind(
        self, kind: Kind, symbol: str, files: Sequence[dict[str, Iterator[Source]]], listed: Sequence[Listed]
    ) -> list[Gap]:
        """Merge one history, and return what is missing of it."""
        columns = Columns(kind, self._market)
        feeds = [
            Feed(folder, kind, one.get(kind.name, iter(())), columns, self._tell)
            for folder, one in zip(self._folders, files, strict=True)
        ]
        gaps = [
            [*one.of(kind.name), *_set_aside(each, kind, symbol)]
            for each, one in zip(self._histories, listed, strict=True)
        ]
        for feed, each in zip(feeds, gaps, strict=True):
            feed.watch(each)
            feed.fill()
        if columns.form is None:
            return stretches(kind.name, [Part(each, None) for each in gaps]) if any(gaps) else []
        opens = Opening(stamped=columns.is_stamped) if kind.lane is Lane.CHAIN and self._length_ms else None
        with Sink(self._out, kind, symbol, self._length_ms, columns.shape.time, opens) as sink:
            sink.begin(columns.header)
            found = merge_history(kind, feeds, gaps, sink.write, self._differs)
            sink.end()
        self._touch(kind, symbol, feeds)
        self._rows += sink.rows
        self._files += sink.files
        return found

    def _touch(self, kind: Kind, symbol: str, feeds: Sequence[Feed]) -> None:
        """Let the file that grows be as old as the one that its last row is from: that tells how long a pause was."""
        name = kind.file_name(symbol)
        ages = [
            (feed.extent[1] if feed.extent else NO_TIME, (folder / name).stat().st_mtime_ns)
            for folder, feed in zip(self._folders, feeds, strict=True)
            if (folder / name).exists()
        ]
        if ages:
            _, age_ns = max(ages)
            os.utime(self._out / name, ns=(age_ns, age_ns))

    def _differs(self, difference: Difference) -> None:
        self._differ += 1
        if len(self._differences) < SHOWN:
            self._differences.append(difference)


def _set_aside(histories: Histories, kind: Kind, symbol: str) -> Iterator[Gap]:
    """Yield the times whose rows are in files that were set aside, and so in no history: they are lacking.

    A file holds those from its first row's to that in its name; of one whose first row has no time nothing is known.
    """
    for entry in histories.set_aside:
        if entry.part[:2] == (kind.name, symbol) and (row := histories.first_row(entry)):
            with contextlib.suppress(ValueError, IndexError):
                yield Gap(kind.name, kind.row_time_ms(row.decode()), entry.aside_ms, None, None, "restart")
