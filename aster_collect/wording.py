"""What came from outside is told on one line: printable, and no longer than a reader wants."""

import re

SHOWN = 60  # characters of a bad value that its message repeats


def printable(text: str) -> str:
    """Return a text with what is no printable character as `repr` shows it: ESC, line ends, bidirectional marks."""
    return text if text.isprintable() else "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def shortened(text: str) -> str:
    """Return a given value, fit for one line of a message."""
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def without_secret(url: str) -> str:
    """Return a URL whose user and password, if it has them, are left out: logs and files are read by others.

    They end at the last `@`, whatever stands before it: a password may hold one, and `/` or `#` in a URL that is none.
    """
    return re.sub(r"^([a-zA-Z][a-zA-Z0-9+.-]*://)?.*@", r"\1***@", url, flags=re.DOTALL)
