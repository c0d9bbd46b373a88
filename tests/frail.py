"""The program with one thing in its process prepared to go wrong: `python -m tests.frail WHAT WORDS…`.

count            says at the end how many messages of the feed were handed to the collector: `received messages=N`
disk:MEMORY      SIGUSR1 fills the disk for the largest files, at the second for all, SIGUSR2 frees it; MEMORY is
                 how many bytes of rows may wait
feed, collector  SIGUSR1 lets the next call in this thread fail
main             SIGUSR1 raises in the main thread what nobody expects
stuck            the end of the collector takes a minute
relist:SECONDS   the list of symbols is read again so often
"""

import functools
import resource
import signal
import sys
import time
from pathlib import Path

from aster_collect import cli
from aster_collect.exchange.events import Batch
from aster_collect.net import feed
from aster_collect.net.connection import Connection
from aster_collect.net.inbox import Inbox
from aster_collect.run import supervisor
from aster_collect.run.loop import Loop

FULL_BYTES = 1  # no file may grow beyond so much: every write fails
ROOM_BYTES = 500  # at first the largest file still has so much room, and the write that meets the end is cut in two


def count() -> None:
    """Count what each feed hands over."""
    received = []

    class Counting(Inbox):
        def _put(self, item):
            if isinstance(item, Batch):
                received.append(len(item.bounds) // 2)
            super()._put(item)

    supervisor.Inbox = Counting
    stopped = supervisor.Supervisor.run

    @functools.wraps(stopped)
    def run(self):
        try:
            return stopped(self)
        finally:
            sys.stderr.write(f"received messages={sum(received)}\n")

    supervisor.Supervisor.run = run


def disk(memory: str) -> None:
    """Let the disk be full on request: a limit on the size of files, kept by the system as ENOSPC is."""
    supervisor.Store = functools.partial(supervisor.Store, pending_limit=int(memory))
    folder = Path(sys.argv[sys.argv.index("--data-dir") + 1])
    free = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(*_):
        is_free = resource.getrlimit(resource.RLIMIT_FSIZE) == free
        largest = max(path.stat().st_size for path in folder.glob("*.csv"))
        limit = largest + ROOM_BYTES if is_free else FULL_BYTES
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, free[1]))

    signal.signal(signal.SIGUSR1, fill)
    signal.signal(signal.SIGUSR2, lambda *_: resource.setrlimit(resource.RLIMIT_FSIZE, free))


def broken() -> None:
    """Raise what nobody expects."""
    raise ZeroDivisionError("broken on purpose")


def fail(owner: type, name: str) -> None:
    """Let a method raise what nobody expects, from a signal on."""
    whole = getattr(owner, name)
    is_due = []

    @functools.wraps(whole)
    def method(*values, **named):
        if is_due:
            broken()
        return whole(*values, **named)

    setattr(owner, name, method)
    signal.signal(signal.SIGUSR1, lambda *_: is_due.append(True))


def stick() -> None:
    """Let the collector take a minute to end."""
    whole = Loop.close

    def close(self):
        time.sleep(60)
        return whole(self)

    Loop.close = close


def main() -> int:
    """Prepare what the first word says, and run the program with the others."""
    what, _, value = sys.argv[1].partition(":")
    if what == "count":
        count()
    elif what == "disk":
        disk(value)
    elif what == "feed":
        fail(Connection, "read")
    elif what == "collector":
        fail(Loop, "step")
    elif what == "main":
        signal.signal(signal.SIGUSR1, lambda *_: broken())
    elif what == "relist":
        supervisor.Supervisor = functools.partial(supervisor.Supervisor, relist_s=float(value))
    else:
        stick()
    return cli.main(sys.argv[2:])


if __name__ == "__main__":
    assert feed.Connection is Connection
    sys.exit(main())
