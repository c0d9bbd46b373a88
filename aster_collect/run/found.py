"""The files as a recorded run found them: what a kill, or somebody, did to them between two runs is done again."""

import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from ..errors import ConfigError
from ..exchange.events import Gap
from ..exchange.form import Form
from ..exchange.ledger import LEDGER, UNRECORDED
from ..exchange.streams.kind import ID, TIME, Event, Lane
from ..files.rejects import REJECTS_NAME
from ..files.store import Store
from ..order.entries import Begin
from ..order.lane import Left
from .behind import cut_behind, ends_so


class Found:
    """Compares the files of a replay with those that each run found, and makes them so where they can be.

    The first run's must be as they were, or not there: what others put into a folder is not touched.
    """

    def __init__(self, folder: Path) -> None:
        self.notes: list[str] = []  # where the files can't be those of then
        self._folder = folder
        self._runs = 0
        self._alike = True  # whether all files have looked as the recorded ones so far

    def run(self, rejects_bytes: int, *, alike: bool) -> None:
        """Begin with a run, before its store is made; `alike` says that its files look as the recorded ones."""
        self._runs += 1
        self._alike = self._alike and alike
        path = self._folder / REJECTS_NAME
        if self._runs > 1 and self._alike and path.exists() and path.stat().st_size > rejects_bytes:
            os.truncate(path, rejects_bytes)

    def make(self, store: Store, forms: Iterable[Form], begin: Begin) -> None:
        """Make a symbol's files what the run found, before they are opened; raises `ConfigError` and `OSError`."""
        for form in forms:
            kind = form.kind
            path, found = self._folder / kind.file_name(begin.symbol), begin.found.get(kind.name)
            if not path.exists():
                self._note_absent(path, found)
                continue
            self._check_first(path, found)
            if found is None:
                store.folder.set_aside(path, "gone_then")
                if kind.name in begin.left and not begin.left[kind.name].last:  # nor was there a closed file before it
                    store.folder.set_parts_aside(kind, begin.symbol, "gone_then")
                continue
            size, touched_ms = found
            if self._runs > 1:
                self._cut(path, size, form, begin.left.get(kind.name))
            os.utime(path, ns=(touched_ms * 1_000_000, touched_ms * 1_000_000))

    def _cut(self, path: Path, size: int, form: Form, left: Left | None) -> None:
        """Let a file end as it did, by its length, or where that was another file's, by its rows."""
        if self._alike and path.stat().st_size <= size:
            return
        if self._alike and (left is None or ends_so(path, size, form, left.last)):
            os.truncate(path, size)
        elif left is not None and left.touched_ms and (left.last or not self._alike):
            cut_behind(path, form, left.last)

    def move(self, store: Store, names: Collection[str]) -> None:
        """Give those files other names that somebody moved while the run wrote them; raises `OSError`."""
        for appender in store.appenders():
            if appender.path.name in names:
                store.folder.set_aside(appender.path, "moved_then")

    def _note_absent(self, path: Path, found: tuple[int, int] | None) -> None:
        if found and self._runs == 1:
            self.notes.append(f"{path.name}: the run went on in a file of {found[0]} bytes, which is not here")

    def _check_first(self, path: Path, found: tuple[int, int] | None) -> None:
        size = path.stat().st_size
        if self._runs == 1 and (found is None or size != found[0]):
            told = f"one of {found[0]} bytes" if found else "none"
            raise ConfigError(
                f"--data-dir: {self._folder} holds {path.name} of {size} bytes, where the run found {told}; "
                "give an empty folder, or the files of then"
            )

    def resume(self, store: Store, begin: Begin) -> Begin:
        """Return what to begin with, once files are open: what ours have, where those of then had less."""
        left = dict(begin.left)
        for name, (_, touched_ms) in begin.found.items():
            sheet, then = store.sheets.all.get((name, begin.symbol)), left.get(name)
            if sheet is None or then is None or not sheet.resumed.events:
                continue
            ours, goes_on = sheet.resumed.events, sheet.resumed.touched_ms and not then.touched_ms
            if goes_on or _is_less(then.last, ours):
                left[name] = then._replace(last=ours, touched_ms=touched_ms)
        return begin._replace(left=left)

    def tell(self, store: Store, forms: Iterable[Form], begin: Begin) -> None:
        """Tell in the ledger, once files are open, of what the runs before wrote, and the record lacks."""
        for form in forms:
            kind = form.kind
            left = begin.left.get(kind.name)
            if kind is LEDGER or kind.whole_folder or left is None or not left.last:
                continue
            ours = store.sheets.left(kind, begin.symbol)
            if ours and _is_less(ours, left.last):
                own, then = ours[-1], left.last[-1]
                ids = (own[ID] + 1, then[ID]) if kind.lane is Lane.SEQUENCE else (None, None)
                gap = Gap(kind.name, own[TIME], max(own[TIME], then[TIME]), ids[0], ids[1], UNRECORDED)
                store.backlog.gap(begin.symbol, gap)
                name = kind.file_name(begin.symbol)
                self.notes.append(f"{name}: the record lacks the end of the run before; the ledger tells")


def _is_less(one: Sequence[Event], other: Sequence[Event]) -> bool:
    """Return whether a file ends before another does, by ids where both have them."""
    if not one:
        return True
    by = ID if one[-1][ID] and other[-1][ID] else TIME
    return bool(one[-1][by] < other[-1][by])
