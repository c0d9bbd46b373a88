"""What the lake's files say of what they were made of, so that the lake alone tells what of it is still true.

Each has, under the key `aster_collect`, a JSON object: the `version` of this form, whether it is `exact`, and `inputs`,
the data files that had rows of its day, in order, each with its `stretch` of this day.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq

from ...exchange.streams.kind import Options
from ...files.source import Source
from . import place
from .survey import Stretch, Survey

KEY = b"aster_collect"
VERSION = 1
LATEST_MS = 1 << 62

Piece = tuple[Survey, Stretch]  # a data file, and its rows of a day


class Made(NamedTuple):
    """What a day's file was made of, in which way."""

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
        inputs = [
            {**survey._asdict(), "options": list(survey.options), "days": None, "stretch": list(stretch)}
            for survey, stretch in self.pieces
        ]
        return json.dumps({"version": VERSION, "exact": self.exact, "inputs": inputs}).encode()


def _made(text: bytes) -> Made | None:
    said: dict[str, Any] = json.loads(text)
    if said["version"] != VERSION:
        return None
    pieces = []
    for one in said["inputs"]:
        stretch = Stretch(*one.pop("stretch"))
        options = Options(*one.pop("options"))
        pieces.append((Survey(**{**one, "options": options, "days": {}}), stretch))
    return Made(said["exact"], tuple(pieces))


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
        self._known = _together((day, made) for day in found if day >= since and (made := self.day(day)))

    def day(self, day: str) -> Made | None:
        """Return what a day's file was made of, None where there is none, or none of this form."""
        if day not in self._read:
            self._read[day] = _read(place.part(self._folder, day))
        return self._read[day]

    def survey(self, source: Source) -> Survey | None:
        """Return what is known of a data file, though it may have been renamed or compressed since it was read."""
        status = source.status
        return self._known.get((status.st_size, status.st_mtime_ns)) or self._known.get(source.packed or (0, 0))


def _read(path: Path) -> Made | None:
    try:
        return _made((pq.read_metadata(path).metadata or {})[KEY])
    except (FileNotFoundError, KeyError, TypeError, ValueError):  # none, of another program, damaged
        return None


def _together(days: Iterable[tuple[str, Made]]) -> dict[tuple[int, int], Survey]:
    """Return the data files of which all days are there, by what tells one plain, and compressed since."""
    surveys: dict[tuple[int, int], Survey] = {}
    for day, made in days:
        for survey, stretch in made.pieces:
            surveys.setdefault((survey.size, survey.mtime_ns), survey).days[day] = stretch
    whole = [one for one in surveys.values() if sum(stretch.rows for stretch in one.days.values()) == one.rows]
    packed = {(one.crc32, one.bytes & 0xFFFFFFFF): one for one in whole}
    return {**packed, **{(one.size, one.mtime_ns): one for one in whole}}
