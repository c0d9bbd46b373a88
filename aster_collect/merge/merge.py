"""All symbols and kinds of several folders, merged into one that is written beside, and put in place as a whole."""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import NamedTuple

from ..archive import DamagedFile
from ..exchange.events import Gap
from ..exchange.ledger import LEDGER
from ..exchange.streams import KINDS
from ..exchange.streams.kind import Kind, Lane
from ..files.histories import Histories
from ..files.manifest import settle
from ..files.market import keep_market
from ..files.period import PERIODS_MS
from ..files.plain import begin_plain
from ..files.source import Source
from .columns import SEE, Columns
from .feed import NO_TIME, Feed, Tell
from .inputs import common_market, refuse_columns, shortest_period_ms, total_bytes
from .keyed import Difference
from .lacking import Part, stretches
from .lanes import merge_history
from .ledger import Listed, read_ledger, rows_of
from .opening import Opening
from .place import in_place, refuse_places
from .sink import Sink

Begin = Callable[[int], AbstractContextManager[Tell]]  # of how many bytes that will be
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
    market = common_market(folders)
    refuse_places(folders, out)
    refuse_columns(folders, market)
    length_ms = PERIODS_MS[rotate] if rotate else shortest_period_ms(histories)
    with in_place(out) as beside, begin(total_bytes(folders)) as tell:
        keep_market(beside, market)
        merge = _Merge(folders, histories, market, beside, length_ms, tell)
        for symbol in sorted({symbol for each in histories for symbol in each.symbols}):
            merge.symbol(symbol)
        settle(beside)
        return merge.merged


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
                yield Gap.of_time(kind.name, kind.row_time_ms(row.decode()), entry.aside_ms, "restart")
