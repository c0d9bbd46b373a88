"""The lanes of a run: one for each symbol and kind, made by the kind's word, and kept within memory together. Pure."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from ..exchange.streams.kind import Kind
from ..exchange.streams.kind import Lane as Word
from ..exchange.subscribe import Scope
from .chain import Chain
from .checks import Checks
from .holes import Bounds
from .lane import Asker, Lane, Left
from .plain import Plain
from .polled import Polled
from .rising import Rising
from .sequence import Sequence

HELD_TRADES = 500_000  # over all symbols
REMEMBERED = 2_000_000  # over all symbols, ids of eight bytes: two minutes of 16,000 rows a second


class Waiting(NamedTuple):
    """What a lane waits for: how many trades the hole being filled lacks, and how many are held behind it."""

    missing: int
    held: int


class Lanes:
    """All lanes by kind and symbol, and those of them that ask REST."""

    def __init__(self, scope: Scope, bounds: Bounds, clock: Callable[[], float], *, check_s: float = 0.0) -> None:
        self.all: dict[tuple[str, str], Lane] = {}
        self.sequences: dict[tuple[str, str], Sequence] = {}
        self.polled: list[Polled] = []
        self.askers: dict[tuple[str, str], Asker] = {}
        self.chains: list[Chain] = []
        self._scope, self._bounds, self._clock, self._check_s = scope, bounds, clock, check_s
        self.symbols: set[str] = set()
        self._makers: dict[Word, Callable[[Kind, str, Left], Lane]] = {
            Word.SEQUENCE: self._sequence,
            Word.RISING: Rising,
            Word.CHAIN: self._chain,
            Word.PLAIN: Plain,
            Word.POLLED: self._poll,
        }

    def begin(self, symbol: str, left: Mapping[str, Left]) -> list[Lane]:
        """Return the new lanes of a symbol, or with "" of the whole folder, resumed behind what a run has left."""
        kinds = [kind for kind in self._scope.kinds if kind.whole_folder == (not symbol)]
        made = [self._makers[kind.lane](kind, symbol, left.get(kind.name, Left())) for kind in kinds]
        self.all |= {(lane.kind.name, symbol): lane for lane in made}
        self.symbols |= {symbol} - {""}
        return made

    def _sequence(self, kind: Kind, symbol: str, left: Left) -> Lane:
        lane = Sequence(kind, symbol, left, self._scope.venue, self._bounds, self._clock)
        self.sequences[kind.name, symbol] = self.askers[kind.name, symbol] = lane
        return lane

    def _chain(self, kind: Kind, symbol: str, left: Left) -> Lane:
        checks = Checks(self._check_s, len(self.chains))
        lane = Chain(kind, symbol, left, self._scope.venue, checks, self._clock)
        self.chains.append(lane)
        self.askers[kind.name, symbol] = lane
        return lane

    def _poll(self, kind: Kind, symbol: str, left: Left) -> Lane:
        lane = Polled(kind, symbol, left)
        self.polled.append(lane)
        return lane

    def waiting(self, lane: Lane) -> Waiting:
        """Return what a lane waits for."""
        sequence = self.sequences.get((lane.kind.name, lane.symbol))
        return Waiting(sequence.tape.missing, sequence.tape.held) if sequence else Waiting(0, 0)

    def bound(self) -> None:
        """Keep within memory what all hold together: the one that holds, or remembers, most gives up first."""
        while sum(lane.tape.held for lane in self.sequences.values()) > HELD_TRADES:
            max(self.sequences.values(), key=lambda lane: lane.tape.held).give_up()
        while sum(lane.remembered for lane in self.all.values()) > REMEMBERED:
            max(self.all.values(), key=lambda lane: lane.remembered).forget()
