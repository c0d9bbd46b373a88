"""How a run is shown while it lasts: what is due is handed to a thread that writes it."""

import queue
import time

from ..settings import Settings
from ..watch.journal import Journal
from ..watch.report import Due, Report, Reporter
from .threads import Threads

ENDS_S = 1.0


class Reporting:
    """The thread that reports; `due` is who hands it something."""

    def __init__(self, settings: Settings, threads: Threads, journal: Journal | None) -> None:
        """Report into the data folder and the metrics file, and to the journal's terminal, if it has one."""
        self._threads = threads
        self._reports: queue.SimpleQueue[Report | None] = queue.SimpleQueue()
        self._reporter = Reporter(self._reports, settings.data_dir, settings.metrics_file, journal)
        self.due = Due(self._reports, journal is not None and journal.live, time.monotonic())

    def start(self) -> None:
        """Begin to write what is handed over."""
        self._threads.start("report", self._reporter.run)

    def stop(self) -> None:
        """Let it end once all is written."""
        self._reports.put(None)

    def wait(self) -> None:
        """Wait until it has ended, a second at most."""
        self._threads.wait_for({"report"}, ENDS_S)
