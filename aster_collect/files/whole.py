"""A file opened to whole rows under its header; one that is not that, and can't be made it, is set aside."""

import logging

from ..exchange.form import Form
from .appender import Appender
from .folder import Folder
from .rejects import REJECTS_NAME
from .tail import Tail, find_tail, read_at, written_end

log = logging.getLogger(__name__)


class Whole:
    """An appender's file: whole rows under the right header once it is opened, whatever a crash made of it."""

    def __init__(self, form: Form, appender: Appender, folder: Folder) -> None:
        self.appender = appender
        self._form, self._folder = form, folder

    def open(self, *, ours: bool) -> str | None:
        """Open the file and return its last row; one that is not `ours` is set aside if it has any.

        Raises `OSError`, and then it is closed.
        """
        try:
            self.appender.open()
            tail = self.look()
            if not isinstance(tail, str) and tail.last_row is not None and not ours:
                tail = "no_ledger_beside_it"
            if isinstance(tail, str):
                self.set_aside(tail)
                return None
            self.repair(tail)
        except OSError:
            self.appender.close()
            raise
        return tail.last_row

    def set_aside(self, why: str) -> None:
        """Give the file another name, whole, and begin a fresh one; what is pending goes there.

        Raises `OSError`, and can be called again then.
        """
        if self.appender.descriptor >= 0:
            self.appender.sync()
        self.appender.close()
        self._folder.set_aside(self.appender.path, why)
        self.appender.start_over(self._form.header)

    def look(self) -> Tail | str:
        """Return the tail of the open file, or in a word why it is not a file that this run would write.

        What a crash left of a header alone is cut, and the header is kept for the next flush.
        """
        descriptor, header = self.appender.descriptor, self._form.header
        begin = read_at(descriptor, len(header), 0)
        if begin == header:
            tail = find_tail(descriptor, len(header), self._form.is_row, self._form.kind.row_bytes)
            if tail is None:
                return "no_whole_row_near_the_end"
            return "other_rows" if self._is_of_others(tail.torn) else tail
        written = written_end(descriptor)
        if written >= len(header) or not header.startswith(begin[:written]):
            return "other_header"
        self.appender.cut(0)
        self.appender.pending.put_first(header)
        return Tail(0, None, b"", 0)

    def _is_of_others(self, torn: bytes) -> bool:
        """Return whether a torn end begins with a whole line of as many cells, of another form: no crash does that."""
        line, newline, _ = torn.partition(b"\n")
        text = line.removesuffix(b"\r").decode("utf-8", "replace")
        return (
            bool(newline)
            and text.isprintable()
            and "\ufffd" not in text
            and text.count(",") == len(self._form.columns) - 1
        )

    def repair(self, tail: Tail) -> None:
        """Cut what is behind the last whole row, and keep it among the rejects; raises `OSError`."""
        appender = self.appender
        if tail.torn or tail.nuls:
            if tail.torn:
                self._folder.reject(appender.path.name, "torn tail", tail.torn)
            appender.cut(tail.end)
            log.warning(
                "tail repaired file=%s cut_bytes=%d nul_bytes=%d kept_in=%s",
                appender.path.name, len(tail.torn), tail.nuls, REJECTS_NAME,
            )  # fmt: skip
        appender.size = tail.end
        appender.last_line = (tail.last_row or "").encode("utf-8")
