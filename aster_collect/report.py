"""How the run stands, for whoever looks: the status file, the metrics file, a line in the log or on the terminal."""

import logging
from collections import deque
from collections.abc import Callable
from pathlib import Path

from .errors import ConfigError
from .health import STATUS_NAME
from .metrics import metrics_text
from .replace import replace_file
from .snapshot import Snapshot
from .status import log_line, status_json, terminal_line
from .terminal import StatusHandler

log = logging.getLogger(__name__)

LOG_S = 60.0
LINE_S = 1.0
LINES_APART = 10  # rows are counted at a flush: rates over less than a few of them would jump
FILES_S = 5.0  # at the latest, so that a health check need not know the flush interval …
FILES_APART_S = 0.5  # … and at the soonest
COMPLAINT_S = 60.0


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


class Reporter:
    """What was said last, and when the next word is due; it asks for a snapshot only then."""

    def __init__(self, folder: Path, metrics_file: Path | None, terminal: StatusHandler | None, now_s: float) -> None:
        """Report into a folder, a metrics file if there is one, and on a terminal if the log goes to one."""
        self._folder, self._metrics_file = folder, metrics_file
        self._terminal = terminal if terminal is not None and terminal.live else None
        self._said: deque[Snapshot] = deque(maxlen=1 if self._terminal is None else LINES_APART)
        self._say_s = now_s + (LOG_S if self._terminal is None else 0.0)
        self._files_s = now_s - FILES_S
        self._flushes = -1
        self._complained_s = now_s - COMPLAINT_S

    def step(self, now_s: float, flushes: int, take: Callable[[], Snapshot]) -> None:
        """Say what is due; `flushes` counts the flushes so far, `take` makes the snapshot."""
        flushed = flushes != self._flushes and now_s - self._files_s >= FILES_APART_S
        files = flushed or now_s - self._files_s >= FILES_S
        say = now_s >= self._say_s
        if not (files or say):
            return
        snapshot = take()
        if files:
            self._flushes, self._files_s = flushes, now_s
            self.write_files(snapshot, now_s)
        if say:
            self._say(snapshot, now_s)

    def write_files(self, snapshot: Snapshot, now_s: float) -> None:
        """Replace the status file and the metrics file; a failure is logged, and tried again at the next flush."""
        try:
            replace_file(self._folder / STATUS_NAME, status_json(snapshot))
            if self._metrics_file is not None:
                replace_file(self._metrics_file, metrics_text(snapshot), public=True)  # for node_exporter
        except OSError as error:
            if now_s - self._complained_s >= COMPLAINT_S:
                self._complained_s = now_s
                log.error("status not written why=%s", error)

    def _say(self, snapshot: Snapshot, now_s: float) -> None:
        before = self._said[0] if self._said else None
        if self._terminal is not None:
            self._say_s = now_s + LINE_S
            self._terminal.show(terminal_line(snapshot, before, self._terminal.width()))
        else:
            self._say_s = now_s + LOG_S
            log.info("status %s", log_line(snapshot, before))
        self._said.append(snapshot)
