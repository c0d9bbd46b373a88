"""The raw record of a run, on a thread of its own; or none, where none is asked for."""

from collections.abc import Callable

from ..files.raw import RawWriter
from ..order.entries import Record, nowhere
from ..settings import Settings
from ..watch.snapshot import NOT_RECORDED, Recorded
from .hands import Keep, keep_nothing
from .recorder import Recorder
from .retold import Retold
from .threads import Threads


class Recording:
    """What the collecting thread tells, and asks of it: `record`, `recorded`, and `keep`."""

    def __init__(self, settings: Settings, threads: Threads, closed: Callable[[], None]) -> None:
        """`closed` is called, on the recorder's thread, when a file was left because its hour was over."""
        self._threads = threads
        self._recorder: Recorder | None = None
        self.record: Record = nowhere
        self.recorded: Callable[[], Recorded] = lambda: NOT_RECORDED
        self.keep: Keep = keep_nothing
        if settings.record:
            writer = RawWriter(settings.data_dir, sync=settings.sync)
            self._recorder = recorder = Recorder(writer, settings.flush_interval_s, closed)
            self.record = Retold(recorder.record).record
            self.recorded, self.keep = recorder.recorded, recorder.keep

    @property
    def all_written(self) -> bool:
        """Whether all of it is written, once it has ended."""
        return self._recorder is None or self._recorder.all_written

    def start(self) -> None:
        """Begin to write what was told, and is told from now on."""
        if self._recorder is not None:
            self._threads.start("recorder", self._recorder.run)

    def stop(self, patience_s: float) -> bool:
        """Have the rest written; wait for so long at most, and return whether that has ended."""
        if self._recorder is None:
            return True
        self._recorder.stop()
        return self._threads.wait_for({"recorder"}, patience_s)
