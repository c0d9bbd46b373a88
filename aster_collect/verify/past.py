"""Which closed files of a group are proven already, so that they are left out, and which are by now."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from sys import maxsize
from typing import NamedTuple

from ..exchange.streams.kind import Kind, Lane
from ..files.histories import in_order
from ..files.listed import Manifest, unpacked
from ..files.names import Part
from ..files.repairing import Repairing
from .ledger import Ledger
from .memory import Proven, Remembered, kept, key_of, still_proven
from .reading import File
from .report import Report


class Asked(NamedTuple):
    """What is to be checked.

    `live` says that a collector is writing there, `since_ms` that files don't matter that were over by then.
    """

    folder: Path
    live: bool = False
    since_ms: int = 0
    manifest: Manifest | None = None
    repairing: Repairing | None = None


class Past:
    """The closed files of some kinds that prove each other.

    Where a full book is among them, its state is large, and kept once: behind the last of its files up to whose end the
    files of all others are closed too. What lies behind that is read again.
    """

    def __init__(
        self, asked: Asked, kinds: Sequence[Kind], there: Mapping[str, set[Part]], without: set[Part]
    ) -> None:  # fmt: skip
        self._asked, self._kinds = asked, kinds
        self._before: Remembered = {}
        self._there = there
        self.parts = {
            kind: in_order(
                asked.folder, (one for one in there[kind.name] if one.period and one not in without), links=True
            )
            for kind in kinds
        }
        self.chains = [kind for kind in kinds if kind.lane is Lane.CHAIN]
        # A file that a moment lies in is read in part, and so nothing is remembered of it.
        closed = [part for parts in self.parts.values() for part in parts]
        self._is_usable = all(part.end_ms - part.length_ms >= asked.since_ms for part in closed)
        self._cut_ms = self._find_cut() if self.chains else maxsize

    def _find_cut(self) -> int:
        grow = [kind for kind in self._kinds if any(not part.period for part in self._there[kind.name])]
        closed_ms = min((max((part.end_ms for part in self.parts[kind]), default=0) for kind in grow), default=maxsize)
        ends = (part.end_ms for kind in self.chains for part in self.parts[kind])
        return max((end_ms for end_ms in ends if end_ms <= closed_ms), default=0)

    def keeper(self, kind: Kind) -> Callable[[Part], bool]:
        """Return what says behind which files of a kind the state is kept."""
        if not self._is_usable:
            return lambda _: False
        if kind not in self.chains:
            return lambda part: bool(part.period)
        last = next((part for part in reversed(self.parts[kind]) if part.end_ms <= self._cut_ms), None)
        return lambda part: part == last

    def known(self, symbol: str, before: Remembered, ledger: Ledger) -> dict[Kind, list[Proven]]:
        """Return by kind which of the first files are proven already."""
        self._before = {kind.name: before.get(key_of(symbol, kind), []) for kind in self._kinds}
        if not self._is_usable:
            return {kind: [] for kind in self._kinds}
        folder = self._asked.folder
        found = {
            kind: still_proven(
                folder, self.parts[kind], self._before[kind.name], lambda one: self._is_the_same(one, ledger)
            )
            for kind in self._kinds
        }
        return self._together(found) if self.chains else found

    def _together(self, found: dict[Kind, list[Proven]]) -> dict[Kind, list[Proven]]:
        """Return as many of each as belong to the last state of the full book that is kept."""
        nothing: dict[Kind, list[Proven]] = {kind: [] for kind in self._kinds}
        ends = [one.period_end_ms for kind in self.chains for one in found[kind] if one.state is not None]
        if not ends:
            return nothing
        cut: dict[Kind, list[Proven]] = {}
        for kind, proven in found.items():
            count = sum(part.end_ms <= ends[-1] for part in self.parts[kind])
            if len(proven) < count or any(part.end_ms > ends[-1] for part in self.parts[kind][:count]):
                return nothing
            cut[kind] = proven[:count]
        return cut

    def _is_the_same(self, one: Proven, ledger: Ledger) -> bool:
        """Return whether the ledger says what it said around a file."""
        return ledger.around([kind.name for kind in self._kinds], one.times_ms, one.ids) == one.ledger

    def proven(
        self, kind: Kind, known: list[Proven], read: Sequence[File], ledger: Ledger, report: Report
    ) -> list[Proven]:
        """Return what to remember of a kind: what is known, and what was read up to the first that is broken."""
        before = self._before[kind.name]
        if not self._is_usable:
            return before
        now = list(known)
        for file in read:
            is_broken = report.counts.get(file.name) or report.counts.get(unpacked(file.name))
            if is_broken or not 0 < file.period_end_ms <= self._cut_ms or file.bytes is None or file.sha256 is None:
                break
            around = ledger.around([one.name for one in self._kinds], file.end.times_ms, file.end.ids.span)
            now.append(
                Proven(
                    file.name, file.period_end_ms, file.status, file.bytes, file.sha256, around, file.end.times_ms,
                    file.end.ids.span, file.sum, file.state,
                )
            )  # fmt: skip
        if kind in self.chains:
            now = [one._replace(state=None) for one in now[:-1]] + now[-1:]
        return kept(before, self._there[kind.name], now)
