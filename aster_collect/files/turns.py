"""What is done to a file between its rows, once all before is written: another is under its path then."""

import errno
import logging
import sys

from ..exchange.streams.kind import Kind
from .appender import Divider
from .folder import Folder
from .table import Table

log = logging.getLogger(__name__)

FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
REOPEN, CLOSE, ASIDE, FORGET = "reopen", "close", "set aside", "forget a stream"  # what dividers say


class Turns:
    """What is done to one file, by the words of dividers; what raises `OSError` is to be called again."""

    def __init__(self, table: Table, kind: Kind, symbol: str, folder: Folder) -> None:
        self._table, self._appender = table, table.appender
        self._kind, self._symbol, self._folder = kind, symbol, folder
        self._turns = {REOPEN: self._reopen, CLOSE: self._close, ASIDE: self._set_aside, FORGET: self._forget}

    def take(self, divider: Divider) -> None:
        """Do what a divider says; raises `OSError`."""
        self._turns[divider.do](divider.word)

    def _reopen(self, _: str) -> None:
        if not self._appender.is_at_path():
            self._follow()

    def _close(self, period: str) -> None:
        """Give the file the name of its period, and begin the next.

        A file without a row goes on, and so does one that can't be renamed though the disk has room: rows matter more
        than names.
        """
        appender = self._appender
        if not appender.is_at_path():
            self._follow()
            return
        if self._table.is_empty:
            return
        appender.sync()
        if sys.platform == "win32":
            appender.close()  # it renames no open file
        try:
            self._folder.close_file(appender.path, self._kind, self._symbol, period)
        except OSError as error:
            if error.errno in FULL:
                raise
            why = error.strerror or error
            log.error("file not closed file=%s period=%s why=%s next=goes_on", appender.path.name, period, why)
            if appender.descriptor >= 0:
                return
        appender.close()
        self._table.open()

    def _follow(self) -> None:
        """Go on in the file that is under the path, where that of before has another name, or is gone."""
        if self._appender.descriptor >= 0:
            self._appender.sync()
        if self._appender.path.is_symlink():
            self._folder.set_aside(self._appender.path, "is_a_link")
        self._appender.close()
        self._table.open()

    def _set_aside(self, why: str) -> None:
        self._folder.set_parts_aside(self._kind, self._symbol, why)
        self._table.set_aside(why)

    def _forget(self, stream: str) -> None:
        self._table.keep(lambda line: not line.startswith(f"{stream},"), "ids_of_another_id_space")
