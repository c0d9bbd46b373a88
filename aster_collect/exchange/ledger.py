"""The gap ledger: what is known to be missing, a row each, and why. Pure."""

import re
from collections.abc import Iterable, Sequence

from .cells import SECONDS, WHOLE, Cell, Column, Holds, milliseconds, seconds
from .events import Gap
from .streams import KINDS
from .streams.kind import Check, Kind, Lane, Options, Write

CAUSES = {
    "reconnect": "no connection delivered in this stretch",
    "restart": "the collector was not running",
    "not-available": "the exchange has no such trades any more",
    "gave-up": "REST stayed away longer than --hold-limit allows",
    "backfill-limit": "the hole was larger than --backfill-limit",
    "late": "a slow connection brought this after later events had been written",
    "new-ids": "the exchange's ids began anew, which showed only after a while",
    "overflow": "the disk stayed full longer than memory could hold",
    "destroyed": "another program cut or deleted the file while it was collected",
    "not-asked": "whether trades were made in this stretch could not be asked in time",
    "clock": "the exchange's clock was set: times on both sides of the step overlap or are unsure",
    "hole": "a change of the full book did not come, and the book was fetched anew",
    "mismatch": "the book as kept differed from the exchange's, and was fetched anew",
    "unrecorded": "the raw record that the files were replayed from lacks what stood here",
    "not-polled": "REST did not answer in this stretch, or there was no weight left to ask it",
}

UNRECORDED = "unrecorded"
MARGIN_MS = 1000  # both ends of a stretch are right to within a second
LOSES_ROWS = ("overflow", "destroyed")  # such a stretch reaches from the first lost row to the last
NOT_ASKED = "not-asked"  # nobody knows whether there were trades, so there are no ids to name
# Whose rows alone a cause may stand in; any other may stand in all of them.
_OF_A_LANE = {NOT_ASKED: Lane.SEQUENCE, "not-polled": Lane.POLLED, "hole": Lane.CHAIN, "mismatch": Lane.CHAIN}


def _one_of(words: Iterable[str]) -> Cell:
    return Cell("(?:" + "|".join(map(re.escape, words)) + ")", "one of " + ", ".join(words), Holds.WORD)


def margin_ms(cause: str) -> int:
    """Return by how much rows may reach into a stretch at both ends, where it should hold none.

    Where it reaches from lost row to lost row, times of the rows beside them may have gone back by a second too.
    """
    return 2 * MARGIN_MS if cause in LOSES_ROWS else MARGIN_MS


_STREAMS = [kind.name for kind in KINDS.values() if not kind.whole_folder]
_OURS = (
    Column("stream", _one_of(_STREAMS)),
    Column("from_unix_timestamp", SECONDS),
    Column("to_unix_timestamp", SECONDS),
    Column("first_missing_id", WHOLE.or_blank()),
    Column("last_missing_id", WHOLE.or_blank()),
    Column("cause", _one_of(CAUSES)),
)


def _row(gap: Gap) -> str:
    first = "" if gap.first_missing_id is None else gap.first_missing_id
    last = "" if gap.last_missing_id is None else gap.last_missing_id
    return f"{gap.stream},{seconds(gap.from_ms)},{seconds(gap.to_ms)},{first},{last},{gap.cause}"


def _write(_: Options) -> Write:
    return lambda gaps: [_row(gap) for gap in gaps]


def _read(cells: Sequence[str]) -> Gap:
    first, last = (int(cell) if cell else None for cell in cells[3:5])
    return Gap(cells[0], milliseconds(cells[1]), milliseconds(cells[2]), first, last, cells[5])


def _flaw(row: Sequence[bytes]) -> str:
    """Say what is wrong with a row: ids are named of what is asked for by id, and nothing else, from the first on."""
    stream, start, end, first, last, cause = (cell.decode() for cell in row)
    lane = KINDS[stream].lane
    if milliseconds(start) > milliseconds(end):
        return "from_unix_timestamp is after to_unix_timestamp"
    if _OF_A_LANE.get(cause, lane) is not lane:
        return f"{cause} does not stand for {stream}"
    if cause == NOT_ASKED:
        return f"{cause} stands without ids" if first or last else ""
    if lane is not Lane.SEQUENCE:
        return f"a gap in {stream} with ids" if first or last else ""
    if not (first and last):
        return f"a gap in {stream} without its ids"
    return "first_missing_id is above last_missing_id" if int(first) > int(last) else ""


LEDGER = Kind(
    name="gaps",
    sentence="what is missing of the others, and why",
    lane=Lane.LEDGER,
    columns=lambda _: _OURS,
    write=_write,
    read=_read,
    check=Check("stream", lambda _: len(_OURS), _flaw),
)
