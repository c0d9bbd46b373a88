"""Which columns the files of a kind have: the same in all folders."""

from collections.abc import Sequence

from ..archive import DamagedFile
from ..errors import ConfigError
from ..exchange.cells import RECEIVE_TIME
from ..exchange.shape import Form, form, shown
from ..exchange.streams.kind import Kind

SEE = "; 'aster-collect verify' says more"
_MOST = 3  # columns that are named


class Columns:
    """The columns that all files of a kind must have, over all folders: those of the first one that is read."""

    def __init__(self, kind: Kind, market: str) -> None:
        self.kind = kind
        self.untimed = market in kind.untimed
        self.header = b""
        self.form: Form | None = None
        self.name = ""  # of the file that had them first

    def take(self, name: str, header: bytes) -> None:
        """Take a file's header; raises `DamagedFile` where it is none, `ConfigError` where it is another."""
        if header == self.header:
            return
        shape = form(self.kind, header)
        if shape is None:
            raise DamagedFile(f"{name}:1: not the header of a {self.kind.name} file: {shown(header)}{SEE}")
        if self.form is not None:
            raise ConfigError(
                f"{name}: {_difference(self.header, header)} {self.name}; only files of like columns can be merged: "
                "of one --order-book-levels, with --quantities and --receive-time or without"
            )
        self.header, self.form, self.name = header, shape, name

    @property
    def shape(self) -> Form:
        """The shape of the lines; there is a file."""
        assert self.form is not None, "no file was read yet"
        return self.form

    @property
    def is_stamped(self) -> bool:
        """Whether the last column says when a row was received."""
        return self.shape.columns[-1].name == RECEIVE_TIME.name


def _difference(header: bytes, other: bytes) -> str:
    ours, theirs = header.decode().split(","), other.decode().split(",")
    more, less = [one for one in theirs if one not in ours], [one for one in ours if one not in theirs]
    words = [f"{word} {_named(names)}" for word, names in (("has", more), ("lacks", less)) if names]
    return f"{' and '.join(words) or 'has another order of columns'}, unlike"


def _named(names: Sequence[str]) -> str:
    return f"{', '.join(names[:_MOST])}{f' and {len(names) - _MOST} more columns' if len(names) > _MOST else ''}"
