"""A raw record told to the same engine, by the clocks of then: the files that its runs wrote, or would have written."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import ConfigError, DecodeError
from ..files.manifest import settle
from ..files.raw_reader import RawLines
from ..files.source import Damaged
from ..order.entries import Again, Entry, Moment, Run
from ..order.record_reader import read_entries
from .found import Found
from .moments import Moments
from .recalled import alike, changed, has_none, recalled
from .replayed_run import ReplayedRun


class Replay:
    """The recorded runs, one after another, in a folder.

    ```
    run   ──▶ another one replayed, in the files that the one before has left
    entry ──▶ its moment is now ──▶ the run
    ```
    """

    def __init__(self, folder: Path, asked: Mapping[str, Any]) -> None:
        """`asked` are settings that are to be others than those recorded, by name."""
        self.runs = self.frames = self.rows = self.gaps = 0
        self._folder, self._asked = folder, asked
        self._moment = Moment(0.0, 0)
        self._moments = Moments(lambda: self._moment.s, lambda: self._moment.ns)
        self._found = Found(folder)
        self._run: ReplayedRun | None = None
        self._is_within = False  # whether it begins within a run
        self._began_within = False  # whether its run does
        self._passes = False  # over a run that had nothing of what is asked for

    @property
    def notes(self) -> list[str]:
        """Where the files can't be those of then, and why."""
        return self._found.notes

    def play(self, entries: Iterable[tuple[Moment, Entry]]) -> None:
        """Do all that is recorded. What was not flushed when a crash ended a run is not written.

        Raises `ConfigError`, `LockedError` and `StoreError` as a run does, and what the entries raise.
        """
        try:
            for moment, entry in entries:
                self._moment = moment if moment.s else moment._replace(s=self._moment.s)  # lines `lost` have none
                if isinstance(entry, Run) or not self._passes:
                    self._take(entry)
        finally:
            self._end()

    def list_files(self) -> None:
        """List in the folder's manifest what was written; raises `OSError`."""
        settle(self._folder, sync=False)

    def _take(self, entry: Entry) -> None:
        """Begin a run, or tell it an entry; what is said again where the replay begins is new."""
        self._is_within = isinstance(entry, Again) and (self._is_within or self._run is None)
        told = entry.entry if isinstance(entry, Again) and self._is_within else entry
        if isinstance(told, Run):
            self._begin(told)
        elif self._run is None:
            raise ConfigError("the record begins in the middle of an hour; give the files before it too")
        else:
            self._run.take(told)

    def _begin(self, run: Run) -> None:
        self._give_way()
        recorded = recalled(run, self._folder)
        self._passes = bool(self.runs) and has_none(recorded, self._asked)
        if self._passes:
            self.notes.append(f"a run is left out: it collected {', '.join(recorded.streams)} alone")
            return
        settings = changed(recorded, self._asked, is_first=not self.runs)
        self.runs += 1
        if self._is_within:
            settings = replace(settings, history=0)  # what was before can't be asked for
            self.notes.append("the record begins within a run; so do the files")
        self._began_within = self._is_within
        self._found.run(run.rejects_bytes, alike=alike(recorded, settings) and not self._is_within)
        self._run = ReplayedRun(settings, self._found, self._moments)

    def _give_way(self) -> None:
        """End a run for another; one that began within the record writes all: its turns were at other moments then.

        Of what a kill took of it the other one knows.
        """
        if self._run is not None:
            self._run.go_on()
            if self._began_within:
                self._run.write_rest()
        self._end()

    def _end(self) -> None:
        if self._run is not None:
            run, self._run = self._run, None
            run.end()
            self.rows += run.rows
            self.gaps += run.gaps
            self.frames += run.carried.frames


def read(paths: Iterable[Path]) -> Iterator[tuple[Moment, Entry]]:
    """Yield what is recorded in files, given in order; raises `OSError`, and `DecodeError` where they are no record."""
    lines = RawLines(paths)
    try:
        yield from read_entries(lines)
    except Damaged as error:
        raise DecodeError(str(error)) from error
    except DecodeError as error:
        raise DecodeError(f"{lines.place}: {error}") from error
