"""A kind's file under a run's options: its header, and events to rows and back. Pure."""

from collections.abc import Sequence

from .cells import RECEIVE_TIME, Column
from .streams.kind import RECEIVED, Event, Kind, Lane, Options

COME_LATER = (Lane.SEQUENCE, Lane.CHAIN)  # some of their rows did not come live, and have no time of receipt


def columns_of(kind: Kind, options: Options) -> tuple[Column, ...]:
    """Return all columns of a kind's files; when a row was received is the last, of every kind but the ledger."""
    own = kind.columns(options)
    if not options.receive_time or kind.lane is Lane.LEDGER:
        return own
    cell = RECEIVE_TIME.cell
    return (*own, Column(RECEIVE_TIME.name, cell.or_blank() if kind.lane in COME_LATER else cell))


class Form:
    """What the rows of one kind look like under one set of options."""

    def __init__(self, kind: Kind, options: Options) -> None:
        self.kind = kind
        self.columns = tuple(column.name for column in columns_of(kind, options))
        self.header = (",".join(self.columns) + "\n").encode("ascii")
        self._stamped = self.columns[-1] == RECEIVE_TIME.name
        self._write = kind.write(options)
        self.rows = self._stamped_rows if self._stamped else self._write  # of events, without their line ends

    def _stamped_rows(self, events: Sequence[Event]) -> list[str]:
        stamps = ("" if event[RECEIVED] is None else event[RECEIVED] for event in events)
        return [f"{row},{stamp}" for row, stamp in zip(self._write(events), stamps, strict=True)]

    def event(self, row: str) -> Event:
        """Return the event that a row tells of, also one of other options; raise `ValueError` if it is damaged."""
        cells = row.split(",")
        event = self.kind.read(cells)
        if not self._stamped or len(cells) != len(self.columns) or not cells[RECEIVED]:
            return event
        return (*event[:RECEIVED], int(cells[RECEIVED]))

    def is_row(self, text: str) -> bool:
        """Return whether a line is a row of this file."""
        return self.kind.is_row(len(self.columns), text)
