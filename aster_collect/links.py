"""How each connection stands, as its messages tell.

Pure. What has not happened yet has the time 0.
"""

from .snapshot import ConnectionState


class Links:
    """The connections that are wanted, by number."""

    def __init__(self) -> None:
        self._states: dict[int, ConnectionState] = {}

    def wanted(self, number: int) -> None:
        """Note that a connection is to be made."""
        self._states[number] = ConnectionState(number, "connecting", 0, 0, 0, 0)

    def opened(self, number: int, now_ns: int) -> None:
        """Note that it is open."""
        self._change(number, state="open", opened_ns=now_ns)

    def delivered(self, number: int, received_ns: int, frames: int) -> None:
        """Note that it brought so many frames."""
        state = self._states.get(number)
        if state is not None:
            self._states[number] = state._replace(last_frame_ns=received_ns, frames=state.frames + frames)

    def lost(self, number: int) -> None:
        """Note that it was lost, and will be made again."""
        state = self._states.get(number)
        if state is not None:
            self._change(number, state="lost", reconnects=state.reconnects + 1)

    def ended(self, number: int) -> None:
        """Note that it is not wanted any more."""
        self._states.pop(number, None)

    def states(self) -> list[ConnectionState]:
        """Return how each stands."""
        return list(self._states.values())

    def _change(self, number: int, **facts: object) -> None:
        state = self._states.get(number)
        if state is not None:
            self._states[number] = state._replace(**facts)  # type: ignore[arg-type]
