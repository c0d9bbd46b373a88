"""The exit statuses of all commands: one table, of which the help of each shows its part."""

from ..errors import ConfigError, DataError, LockedError, RestError, StoreError

DONE, FAILED, IMPOSSIBLE, LOCKED, UNDELIVERED = range(5)
INTERRUPTED = 130  # as a shell tells the end by SIGINT

# What the program does about an error.
ENDINGS = {
    ConfigError: IMPOSSIBLE, LockedError: LOCKED, StoreError: FAILED, DataError: FAILED, RestError: FAILED,
}  # fmt: skip

_CALL = "an impossible request: one line says what was given, and what is allowed"
STATUSES = {
    DONE: {
        "collect": "stopped as asked: by a signal, or by --duration",
        "verify": "all promises hold",
        "health": "every connection has delivered within the age; one line says so",
        "export": "all that was asked for is there; one line says what was written",
        "merge": "merged; one line says what was written",
        "repair": "all was asked for; one line a symbol says what there was",
        "report": "the page is there; one line says what is in it",
        "replay": "all of the record was replayed; one line says what was written",
        "simulate": "stopped as asked, by a signal",
    },
    FAILED: {
        "collect": "failed while running",
        "verify": "a promise is broken",
        "health": "something is wrong; each line says what",
        "export": "a line that is damaged, or a value that the form can't hold, which is told with file and line; "
        "a disk that is full",
        "merge": "merged, but some rows differ for one id, and each of them is told; or nothing was merged, for a line "
        "that is damaged, which is told with file and line, or a disk that is full",
        "repair": "some of it could not be asked for, or belongs to other ids, or the disk is full",
        "report": "a line that is damaged, which is told with file and line; a file that can't be read or written",
        "replay": "failed while replaying, such as for a full disk",
        "simulate": "failed while running",
    },
    IMPOSSIBLE: {
        "collect": _CALL,
        "verify": "nothing was proven: no such folder, no data files or no rows in it, a file that can't be read, "
        "a report that can't be written, a bad call",
        "health": "a bad call",
        "export": f"{_CALL}; no data files there",
        "merge": f"{_CALL}; folders that can't be merged",
        "repair": f"{_CALL}; no data files there",
        "report": f"{_CALL}; no data files there, or no rows in them",
        "replay": f"{_CALL}; a record that is damaged, which is replayed up to there",
        "simulate": _CALL,
    },
    LOCKED: {
        "collect": "another collector owns the data folder; --quiet says nothing of it",
        "export": "another run is writing the same file",
        "merge": "another merge is writing the same folder",
        "repair": "a collector owns the data folder",
        "report": "another run is writing the same page",
        "replay": "a collector owns the data folder",
    },
    UNDELIVERED: {"collect": "--duration is over, and some symbol, or all of them, never delivered a frame"},
    INTERRUPTED: {
        "collect": "Ctrl-C came before the run had begun",
        "verify": "Ctrl-C came first: nothing was proven",
        "health": "Ctrl-C came first",
        "export": "Ctrl-C came first: what was written by then is whole",
        "merge": "Ctrl-C came first: nothing was merged",
        "repair": "Ctrl-C came first: what was put back by then is there",
        "report": "Ctrl-C came first: no page was written, and one that was there is as it was",
        "replay": "Ctrl-C came first: the files hold what was replayed by then",
        "simulate": "Ctrl-C came before it had begun",
    },
}


def part(command: str) -> str:
    """Return the lines of the table that are a command's, as they stand in its help; of 80 columns at most."""
    from textwrap import fill  # only a help needs it

    lines = [
        fill(of[command], 78, initial_indent=f"  {status}  ", subsequent_indent=" " * len(f"  {status}  "))
        for status, of in STATUSES.items()
        if command in of
    ]
    return "\n".join(["exit status:", *lines, ""])
