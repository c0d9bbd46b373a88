"""What the lake's files say of what they were made of, so that the lake alone tells what of it is still true.

Each has, under the key `aster_collect`, a JSON object: the `version` of this form, whether it is `exact`, and `inputs`,
the data files that had rows of its day, in order, each with its `days`, or of a file of many days with this one alone.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq

from ...exchange.streams.kind import Options
from ...files.source import Source
from . import place
from .survey import Stretch, Survey, identity

KEY = b"aster_collect"
VERSION = 1
FEW_DAYS = 3  # a closed file can have rows of the days beside its own
LATEST_MS = 1 << 62

Piece = tuple[Survey, Stretch]  # a data file, and its rows of a day


class Made(NamedTuple):
    """What a day's file was made of, in which way."""

    day: str
    exact: bool
    pieces: tuple[Piece, ...]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(stretch.rows for _, stretch in self.pieces)

    @property
    def content(self) -> tuple[bool, list[tuple[int, int]]]:
        """What makes the file what it is, whatever the data files are called by now and have of other days."""
        return self.exact, [(stretch.rows, stretch.crc32) for _, stretch in self.pieces]

    def is_less(self, than: "Made") -> bool:
        """Return whether something would be lost if this took the place of another: rows, at an end or altogether."""
        mine, others = ([stretch for _, stretch in made.pieces] for made in (self, than))
        if self.rows < than.rows:
            return True
        return self.rows > 0 and (
            min(one.first_ms for one in mine) > min((one.first_ms for one in others), default=LATEST_MS)
            or max(one.last_ms for one in mine) < max((one.last_ms for one in others), default=0)
        )

    def text(self) -> bytes:
        """Return it as it stands in the file."""
        inputs = []
        for survey, stretch in self.pieces:
            days = survey.days if len(survey.days) <= FEW_DAYS else {self.day: stretch}
            inputs.append({**survey._asdict(), "options": list(survey.options), "days": days})
        return json.dumps({"version": VERSION, "exact": self.exact, "inputs": inputs}).encode()


def _made(day: str, text: bytes) -> Made | None:
    said: dict[str, Any] = json.loads(text)
    if said["version"] != VERSION:
        return None
    pieces = []
    for one in said["inputs"]:
        days = {other: Stretch(*stretch) for other, stretch in one["days"].items()}
        pieces.append((Survey(**{**one, "options": Options(*one["options"]), "days": days}), days[day]))
    return Made(day, said["exact"], tuple(pieces))


class Kept:
    """The days of one history that are in the lake, and the data files that they were made of.

    `days` are those that there are, such as 2026-11-22.
    """

    def __init__(self, folder: Path, since: str) -> None:
        """Read what the days say from one on; any other is read when it is asked for."""
        self._folder = folder
        self._read: dict[str, Made | None] = {}
        found = sorted(path.parent.name.removeprefix(place.DATE) for path in folder.glob(f"{place.DATE}*/{place.FILE}"))
        self.days = set(found)
        self._known = _together(made for day in found if day >= since and (made := self.day(day)))

    def day(self, day: str) -> Made | None:
        """Return what a day's file was made of, None where there is none, or none of this form."""
        if day not in self._read:
            self._read[day] = _read(day, place.part(self._folder, day))
        return self._read[day]

    def survey(self, source: Source) -> Survey | None:
        """Return what is known of a data file, though it may have been renamed or compressed since it was read."""
        return self._known.get(identity(source)) or self._known.get(source.packed or ())


def _read(day: str, path: Path) -> Made | None:
    try:
        return _made(day, (pq.read_metadata(path).metadata or {})[KEY])
    except (FileNotFoundError, KeyError, TypeError, ValueError):  # none, of another program, damaged
        return None


def _together(days: Iterable[Made]) -> dict[tuple[int, ...], Survey]:
    """Return the data files of which all days are there, by what tells one as it was, and compressed since."""
    surveys: dict[tuple[int, ...], Survey] = {}
    for made in days:
        for survey, _ in made.pieces:
            surveys.setdefault((survey.size, survey.mtime_ns, survey.ends), survey).days.update(survey.days)
    whole = {key: one for key, one in surveys.items() if one.rows == sum(day.rows for day in one.days.values())}
    return {**{(one.crc32, one.bytes & 0xFFFFFFFF): one for one in whole.values()}, **whole}
