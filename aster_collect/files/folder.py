"""The data folder: locked, with its rejects, and with its closed files under names that tell their order."""

import errno
import logging
import os
import shlex
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from ..errors import ConfigError, StoreError
from ..exchange.ledger import LEDGER
from ..exchange.streams import KINDS
from ..exchange.streams.kind import Kind
from .appender import Appender, Write, fdatasync
from .lock import Lock
from .market import keep_market
from .names import PACKED, Part
from .plain import FOLDER_MODE
from .rejects import REJECTS_NAME, Rejects
from .rotate import add_part, all_parts, free_part, list_parts, sync_folder

PASSING = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
FORBIDDEN = (errno.EACCES, errno.EPERM)  # what another owner mends
log = logging.getLogger(__name__)


class Folder:
    """A folder that this run owns: nothing in it is overwritten or deleted, only renamed."""

    def __init__(self, path: Path, market: str, *, write: Write, sync: bool, wall: Callable[[], float]) -> None:
        """Make and lock the folder; raises `ConfigError` if it can't be written, `LockedError` if it is taken.

        It remembers its market, and is refused for another.
        """
        self.path = path
        self._market = market
        self._write, self._wall = write, wall
        self._sync = fdatasync if sync else None
        self._renamed_to: list[Path] = []
        self._renamed = False
        try:
            path.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
            self._lock = Lock(path)
        except OSError as error:
            raise refusal(path, error) from error
        try:
            keep_market(path, market)
            self.rejects = Rejects(self.appender(REJECTS_NAME))
            self._parts = list_parts(path)
        except OSError as error:
            self._lock.release()
            raise refusal(path, error) from error
        except ConfigError:
            self._lock.release()
            raise

    def appender(self, name: str) -> Appender:
        """Return an appender for a file of the folder, which is not opened yet."""
        return Appender(self.path / name, write=self._write, sync=self._sync)

    def reject(self, source: str, reason: str, data: bytes) -> None:
        """Keep bytes of a damaged file at once; raises `OSError`."""
        self.rejects.add(source, int(self._wall() * 1e9), reason, data)
        self.rejects.flush(sync=True)

    def hold(self) -> bool:
        """Make and lock the folder again where somebody deleted or renamed it, or deleted its lock.

        Return whether it is another folder now: what is open lies elsewhere. Raises `OSError`, and `LockedError` where
        it is another's, or `ConfigError` where it holds another market: nothing may be written then.
        """
        if self._lock.held():
            return False
        is_other = not self._lock.holds_folder()
        self.path.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
        self._lock.renew()
        if is_other:
            keep_market(self.path, self._market)
            log.warning("folder gone folder=%s next=made_again", self.path)
        return is_other

    def set_aside(self, path: Path, why: str) -> None:
        """Give a file, if it is there, a name that says that it is no part of the history any more."""
        if os.path.lexists(path):
            other = aside_name(path, self._wall())
            path.rename(other)
            self._renamed_to.append(other)
            log.warning("file set aside file=%s as=%s why=%s", path.name, other.name, why)

    def set_parts_aside(self, kind: Kind, symbol: str, why: str) -> None:
        """Do so with all closed files of a symbol and kind; raises `OSError`, and can be called again then."""
        for part in all_parts(self.path, kind.name, symbol):
            for packed in ("", PACKED):
                self.set_aside(self.path / f"{part.name}{packed}", why)
        self._parts.pop((kind.name, symbol), None)

    def knows(self, symbol: str) -> bool:
        """Return whether there are closed files or a ledger of a symbol: no other program keeps these."""
        ledger = self.path / LEDGER.file_name(symbol)
        return os.path.lexists(ledger) or any(self._parts[kind.name, symbol] for kind in KINDS.values())

    def has(self, symbol: str) -> bool:
        """Return whether there is any file of a symbol, closed or not."""
        names = (kind.file_name(symbol) for kind in KINDS.values() if kind.whole_folder == (not symbol))
        return self.knows(symbol) or any(os.path.lexists(self.path / name) for name in names)

    def parts(self, kind: Kind, symbol: str) -> list[Part]:
        """Return the newest closed files of a symbol and kind: of those at the start, and those closed since."""
        return self._parts[kind.name, symbol]

    def close_file(self, path: Path, kind: Kind, symbol: str, period: str) -> None:
        """Give a file the name of its period; raises `OSError`, and then it has its name still."""
        part = free_part(self.path, kind.name, symbol, period, self._parts[kind.name, symbol])
        path.rename(self.path / part.name)
        add_part(self._parts, part)
        self._renamed_to.append(self.path / part.name)
        self._renamed = True
        log.info("file closed file=%s as=%s", path.name, part.name)

    def take_renamed(self) -> list[Path]:
        """Return the files that were closed or set aside since the last call, in the order in which they were."""
        renamed, self._renamed_to = self._renamed_to, []
        return renamed

    def sync_names(self) -> None:
        """Make sure that the names of closed files outlive a power loss; raises `OSError`, and can be called again."""
        if self._renamed and self._sync is not None:
            sync_folder(self.path)
        self._renamed = False

    def free_bytes(self) -> int:
        """Return how much room the disk has, 0 where the folder is gone."""
        try:
            return shutil.disk_usage(self.path).free
        except OSError:
            return 0

    def close(self) -> None:
        """Unlock the folder."""
        self.rejects.appender.close()
        self._lock.release()


def aside_name(path: Path, wall_s: float, ending: str = ".csv") -> Path:
    """Return a free name beside a file: its own with the UTC time in it, before its ending."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(wall_s))
    stem, dot, suffix = path.name.partition(ending)
    candidates: Iterable[str] = (f"{stamp}-{number}" if number else stamp for number in range(1000))
    for candidate in candidates:
        other = path.with_name(f"{stem}.{candidate}{dot}{suffix}")
        if not os.path.lexists(other):
            return other
    raise OSError(f"{path.name}: a thousand files of this second were set aside already")


def refusal(folder: Path, error: OSError) -> ConfigError | StoreError:
    """Return what a folder that can't be written makes of a start: an impossible request, or one to be tried again."""
    kind = StoreError if error.errno in PASSING else ConfigError
    return kind(unwritable(folder, error))


def unwritable(folder: Path, error: OSError) -> str:
    """Return one line that says why a folder can't be written, by the name of what is in the way, and what mends it."""
    culprit = folder if error.filename is None else Path(error.filename)
    named = "" if culprit == folder else f"{culprit}: "
    return f"--data-dir: {folder} can't be written: {named}{error.strerror or error}{_mend(folder, culprit, error)}"


def _mend(folder: Path, culprit: Path, error: OSError) -> str:
    if not hasattr(os, "getuid") or error.errno not in FORBIDDEN:
        return ""
    user = os.getuid()
    if not os.path.lexists(folder):
        return f"; uid {user} may not make it: sudo install -d -o {user} {shlex.quote(str(folder))}"
    denied = culprit if culprit != folder and os.path.lexists(culprit) else folder
    deep = "-R " if denied == folder else ""
    return f"; uid {user} must be able to write it: sudo chown {deep}{user} {shlex.quote(str(denied))}"
