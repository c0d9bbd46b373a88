"""What the record of a run lacks: what that makes missing, and how the run stood behind it. Pure."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ..exchange.events import Gap, Opened, Wanted
from ..exchange.ledger import UNRECORDED
from ..order.entries import Again, Begin, Run, Unrecorded
from ..order.lane import Lane

CLOCKS_MS = 1000  # by which the exchange's clock may differ from ours


class Stood(NamedTuple):
    """How a run stood: what was begun, and which connections were wanted."""

    begun: list[Begin]
    wanted: list[Wanted]


class Lacking:
    """Keeps what is said again behind lines that the record lacks, until it goes on.

    ```
    known ──lack──▶ lacking ──again──▶ said again ──stood──▶ known
    ```
    What is said again while nothing is lacking is known.
    """

    def __init__(self) -> None:
        self._lacks = False
        self._again: list[Run | Begin | Wanted | Opened] = []

    def lack(self) -> None:
        """Take note that the record lacks lines."""
        self._lacks = True

    def again(self, again: Again) -> None:
        """Keep what is said again, if it may be new."""
        if self._lacks:
            self._again.append(again.entry)

    def stood(self) -> Stood | None:
        """Return how the run stood behind what the record lacks, once; None where nothing was said of it."""
        if not self._again:
            return None
        again, self._again, self._lacks = self._again, [], False
        return Stood(
            [one for one in again if isinstance(one, Begin)], [one for one in again if isinstance(one, Wanted)]
        )


def destroyed(lack: Unrecorded, lanes: Iterable[Lane]) -> Iterator[tuple[str, Gap]]:
    """Yield by symbol what is missing that came before its lines were destroyed: no engine knows of that."""
    from_ms, to_ms = lack.from_ns // 1_000_000 - CLOCKS_MS, lack.to_ns // 1_000_000 + CLOCKS_MS
    for lane in lanes if lack.destroyed else ():
        if lane.kind.uncovered:
            yield lane.symbol, Gap.of_time(lane.kind.name, from_ms, to_ms, UNRECORDED)
