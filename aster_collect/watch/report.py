"""How the run stands, for whoever looks: the status file, the metrics file, a line in the log or on the terminal."""

import logging
import queue
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ..errors import ConfigError
from ..files.replace import replace_file
from .health import STATUS_NAME
from .journal import Journal
from .log_lines import log_line
from .metrics import metrics_text
from .snapshot import Snapshot
from .status import status_json
from .terminal_line import terminal_line

log = logging.getLogger(__name__)

LOG_S = 60.0
LINE_S = 1.0
LINES_APART = 10  # rows are counted at a flush: rates over less than a few of them would jump
FILES_S = 5.0  # at the latest, so that a health check need not know the flush interval …
FILES_APART_S = 0.5  # … and at the soonest
COMPLAINT_S = 60.0
WAITING = 2  # reports that wait for whoever writes them, at most


def check_metrics_file(path: Path, folder: Path) -> None:
    """Raise `ConfigError` where a metrics file can't be put; the data folder may be still to be made."""
    if path.is_dir():
        raise ConfigError(
            f"--metrics-file: {path} given, which is a folder; give a file in it, such as {path}/aster.prom"
        )
    if path.parent != folder and not path.parent.is_dir():
        raise ConfigError(
            f"--metrics-file: {path} given, but there is no folder {path.parent}; make it, or give another"
        )


class Report(NamedTuple):
    """A snapshot, whether it is for the files, and for the log or the terminal, and how many before it were dropped."""

    snapshot: Snapshot
    files: bool
    say: bool
    dropped: int


class Due:
    """When the next word is due; it asks for a snapshot only then, and hands it to whoever writes, without waiting."""

    def __init__(self, reports: "queue.SimpleQueue[Report | None]", live: bool, now_s: float) -> None:
        """`live` says that a line on a terminal is renewed each second."""
        self._reports = reports
        self._say_every_s = LINE_S if live else LOG_S
        self._say_s = now_s + (0.0 if live else LOG_S)
        self._files_s = now_s - FILES_S
        self._flushes = -1
        self._dropped = 0

    def step(self, now_s: float, flushes: int, take: Callable[[], Snapshot]) -> None:
        """Say what is due; `flushes` counts the flushes so far, `take` makes the snapshot."""
        flushed = flushes != self._flushes and now_s - self._files_s >= FILES_APART_S
        files = flushed or now_s - self._files_s >= FILES_S
        say = now_s >= self._say_s
        if files:
            self._flushes, self._files_s = flushes, now_s
        if say:
            self._say_s = now_s + self._say_every_s
        if (files or say) and self._reports.qsize() >= WAITING:  # a disk that is stuck: the next will be newer
            self._dropped += 1
        elif files or say:
            self._put(take(), files, say)

    def last(self, snapshot: Snapshot) -> None:
        """Say how it ended."""
        self._put(snapshot, True, False)

    def _put(self, snapshot: Snapshot, files: bool, say: bool) -> None:
        dropped, self._dropped = self._dropped, 0
        self._reports.put(Report(snapshot, files, say, dropped))


class Reporter:
    """Writes what was handed over, on a thread of its own: a slow disk or terminal holds up nothing else."""

    def __init__(
        self,
        reports: "queue.SimpleQueue[Report | None]",
        folder: Path,
        metrics_file: Path | None,
        journal: Journal | None,
    ) -> None:
        """Report into a folder, a metrics file if there is one, and on a terminal if the log goes to one."""
        self._reports = reports
        self._folder, self._metrics_file = folder, metrics_file
        self._terminal = journal if journal is not None and journal.live else None
        self._said: deque[Snapshot] = deque(maxlen=1 if self._terminal is None else LINES_APART)
        self._failed_ns = 0

    def run(self) -> None:
        """Write until None comes."""
        while (report := self._reports.get()) is not None:
            if report.dropped:
                log.warning("status stuck dropped=%d", report.dropped)
            if report.files:
                self._write_files(report.snapshot)
            if report.say:
                self._say(report.snapshot)

    def _write_files(self, snapshot: Snapshot) -> None:
        """Replace the status file and the metrics file; a failure is logged, and tried again at the next flush."""
        try:
            replace_file(self._folder / STATUS_NAME, status_json(snapshot))
            if self._metrics_file is not None:
                replace_file(self._metrics_file, metrics_text(snapshot), public=True)  # for node_exporter
        except OSError as error:
            if snapshot.now_ns - self._failed_ns >= COMPLAINT_S * 1e9:
                self._failed_ns = snapshot.now_ns
                log.error("status not written why=%s", error)

    def _say(self, snapshot: Snapshot) -> None:
        before = self._said[0] if self._said else None
        if self._terminal is not None:
            self._terminal.show(terminal_line(snapshot, before, self._terminal.width()))
        else:
            log.info("status %s", log_line(snapshot, before))
        self._said.append(snapshot)
