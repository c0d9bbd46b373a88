"""What the data files of a folder are called, and what a name says.

    prices_BTCUSDT.csv                      the growing file of a history
    prices_BTCUSDT.2026-11-22.csv           a closed one, of a day of UTC
    prices_BTCUSDT.2026-11-22T13-2.csv.gz   the second one of an hour, compressed
    prices_BTCUSDT.20261122T152400Z.csv     set aside at that time: in no history any more; so may a closed one be
    raw.2026-11-22T13.jsonl.gz              the raw record of an hour, by our clock; the newest one grows

Pure.
"""

import re
from datetime import UTC, datetime
from typing import NamedTuple

from ..exchange.ledger import LEDGER
from ..exchange.streams import KINDS

TABLE = {**KINDS, LEDGER.name: LEDGER}  # the ledger last
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
PACKED = ".gz"
_OF_A_SYMBOL = {kind.prefix: kind.name for kind in TABLE.values() if not kind.whole_folder}
_OF_ALL = {kind.prefix: kind.name for kind in TABLE.values() if kind.whole_folder}
_NAME = re.compile(
    rf"(?:({'|'.join(_OF_A_SYMBOL)})_([\w-]+)|({'|'.join(_OF_ALL) or '$'}))"
    r"(?:\.([0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2})?)(?:-([2-9]|[1-9][0-9]+))?)?"
    r"(?:\.([0-9]{8}T[0-9]{6}Z)(?:-[0-9]+)?)?"
    rf"\.csv({re.escape(PACKED)})?"
)
RAW_ENDING = f".jsonl{PACKED}"
_RAW_NAME = re.compile(rf"raw\.([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T[0-9]{{2}}){re.escape(RAW_ENDING)}")


class Part(NamedTuple):
    """A file of a history: a closed one by its period, and by which of several of that it is, from 1 on.

    The growing one has no period, and one that is for the whole folder no symbol.
    """

    kind: str
    symbol: str
    period: str = ""
    number: int = 1

    @property
    def name(self) -> str:
        """The file's name while it is not compressed."""
        stem, dot, suffix = TABLE[self.kind].file_name(self.symbol).rpartition(".")
        again = f"-{self.number}" if self.number > 1 else ""
        return f"{stem}.{self.period}{again}{dot}{suffix}" if self.period else f"{stem}{dot}{suffix}"

    @property
    def day(self) -> str:
        """The day that the period is, or lies in."""
        return self.period[:10]

    @property
    def length_ms(self) -> int:
        """How long the period is; 0 of the growing file."""
        return 0 if not self.period else HOUR_MS if "T" in self.period else DAY_MS

    @property
    def end_ms(self) -> int:
        """Where the period ends."""
        return _milliseconds(datetime.fromisoformat(self.period)) + self.length_ms


class Entry(NamedTuple):
    """A data file's name and what it says; `aside_ms` is when the file was set aside, 0 where it was not."""

    name: str
    part: Part
    aside_ms: int = 0

    @property
    def is_closed(self) -> bool:
        """Whether it is a closed file of a history."""
        return bool(self.part.period) and not self.aside_ms


def read_name(name: str) -> Entry | None:
    """Return what a name says, None where it is no data file's."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    prefix, symbol, of_all, period, number, aside, packed = match.groups()
    kind = _OF_A_SYMBOL[prefix] if prefix else _OF_ALL[of_all]
    part = Part(kind, symbol or "", period or "", int(number or 1))
    if packed and not (period or aside):
        return None  # what grows is not compressed
    try:
        aside_ms = _milliseconds(datetime.strptime(aside, "%Y%m%dT%H%M%SZ")) if aside else 0
        return Entry(name, part, aside_ms) if not period or part.end_ms else None
    except ValueError:  # no such day
        return None


def raw_name(period: str) -> str:
    """Return the name of the raw record's file of an hour, such as 2026-11-22T13."""
    return f"raw.{period}{RAW_ENDING}"


def raw_period(name: str) -> str:
    """Return of which hour a file of the raw record is; nothing where it is none."""
    match = _RAW_NAME.fullmatch(name)
    return match[1] if match else ""


def _milliseconds(time: datetime) -> int:
    return int(time.replace(tzinfo=UTC).timestamp()) * 1000
