"""What a command says: its answer on standard output, whole, and why it has none in one line on standard error."""

from __future__ import annotations

import os
import sys

from ..errors import ConfigError
from ..wording import printable

TYPE_CHECKING = False  # typing costs more than all of this
if TYPE_CHECKING:
    from typing import TextIO


def say(text: str) -> None:
    """Write to standard output, and flush; who has closed it, or has read enough of it, is told no more.

    Raises `ConfigError` where it takes nothing, such as a full disk.
    """
    out = sys.stdout
    if out is None:
        return
    encoding = out.encoding or "utf-8"
    try:
        out.write(text.encode(encoding, "backslashreplace").decode(encoding))
        out.flush()
    except BrokenPipeError:
        _let_go(out)
    except OSError as error:
        _let_go(out)
        raise ConfigError(f"standard output: {error.strerror or error}; lead it where there is room") from None


def complain(program: str, why: str) -> None:
    """Write a line to standard error, if somebody is there to read it."""
    err = sys.stderr
    if err is not None:
        try:
            err.write(f"{program}: {printable(why)}\n")
            err.flush()
        except (OSError, ValueError):
            _let_go(err)


def _let_go(stream: TextIO) -> None:
    """Lead a stream nowhere: what is left in it would fail once more at the end, and change the exit status."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
