"""How the places of connections stand, as the messages of their connections tell.

Pure. A connection takes the place of the one that it relieves, so that what is counted and shown goes on over every
hand-over under the same number. What has not happened yet has the time 0.
"""

from .standing import ConnectionState

_BEST_FIRST = ("open", "connecting", "lost")


class Links:
    """The connections that are wanted, and their places: each has one, or during a hand-over two."""

    def __init__(self) -> None:
        self._places: dict[int, int] = {}  # by connection …
        self._states: dict[int, str] = {}  # … as is this
        self._totals: dict[int, ConnectionState] = {}  # by place; of any connection there

    def wanted(self, number: int, place: int) -> None:
        """Note that a connection is to be made in a place."""
        self._places[number] = place
        self._states[number] = "connecting"
        self._totals.setdefault(place, ConnectionState(place, "connecting", 0, 0, 0, 0))

    def place(self, number: int) -> int:
        """Return the place of a connection; of one that is not wanted, its number."""
        return self._places.get(number, number)

    def opened(self, number: int, now_ns: int) -> None:
        """Note that it is open."""
        self._change(number, "open", opened_ns=now_ns)

    def delivered(self, number: int, received_ns: int, frames: int) -> None:
        """Note that it brought so many frames."""
        total = self._totals.get(self.place(number))
        if total is not None:
            self._totals[total.number] = total._replace(last_frame_ns=received_ns, frames=total.frames + frames)

    def lost(self, number: int) -> None:
        """Note that it was lost, and will be made again."""
        total = self._totals.get(self.place(number))
        if total is not None:
            self._change(number, "lost", reconnects=total.reconnects + 1)

    def ended(self, number: int) -> None:
        """Note that it is not wanted any more."""
        place = self._places.pop(number, None)
        self._states.pop(number, None)
        if place is not None and place not in self._places.values():
            del self._totals[place]

    def states(self) -> list[ConnectionState]:
        """Return how each place stands: as the better one of its connections does."""
        found: dict[int, list[str]] = {place: [] for place in self._totals}
        for number, place in self._places.items():
            found[place].append(self._states[number])
        return [total._replace(state=min(found[place], key=_BEST_FIRST.index)) for place, total in self._totals.items()]

    def _change(self, number: int, state: str, **facts: object) -> None:
        total = self._totals.get(self.place(number))
        if total is not None:
            self._states[number] = state
            self._totals[total.number] = total._replace(**facts)  # type: ignore[arg-type]
