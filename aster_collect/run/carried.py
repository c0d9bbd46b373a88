"""The connections of a replay: what comes of one that the record does not know is left out."""

from collections.abc import Collection

from ..exchange.events import Bad, Batch, Lost, Opened, Wanted
from ..exchange.ledger import UNRECORDED
from .course import Course


class Carried:
    """The connections that are told of and have not ended, and how many frames they brought."""

    def __init__(self, course: Course) -> None:
        self.frames = 0
        self._course = course
        self.known: set[int] = set()

    def wanted(self, wanted: Wanted) -> None:
        """Take note of a connection, unless it is known."""
        if wanted.connection not in self.known:
            self.known.add(wanted.connection)
            self._course.take(wanted)

    def take(self, message: Opened | Bad | Batch | Lost) -> None:
        """Take a message of a connection, if it is known."""
        if message.connection in self.known:
            self._course.take(message)

    def batch(self, batch: Batch) -> None:
        """Take what a connection brought."""
        self.frames += len(batch.bounds) // 2
        self.take(batch)

    def lost(self, lost: Lost) -> None:
        """Take the end of a connection."""
        self.take(lost)
        if lost.over:
            self.known.discard(lost.connection)

    def lose(self) -> None:
        """Let all be lost until they bring something again: nobody knows what they brought meanwhile."""
        for connection in sorted(self.known):
            self._course.take(Lost(connection, UNRECORDED, False))

    def keep(self, standing: Collection[int]) -> None:
        """Let those end that are not among these."""
        for connection in sorted(self.known.difference(standing)):
            self.lost(Lost(connection, UNRECORDED, True))
