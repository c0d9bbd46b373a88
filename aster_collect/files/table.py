"""One CSV file under its name: whole rows under the right header, whatever a crash or another program made of it."""

from collections.abc import Callable

from ..exchange.form import Form
from .appender import Appender
from .damage import Cut, Damage
from .folder import Folder
from .kept import finish_keeping, keep_wanted
from .whole import Whole


class Table:
    """An appender's file: opened to whole rows, looked after while it is written, mended in place where it can be.

    ```
    open ──▶ whole rows ──somebody deletes, cuts or writes to it──▶ changed ──heal──▶ whole rows, and what is gone
                 ▲────────────────────────────────────────────────────────────────────────┘
    ```
    """

    def __init__(self, form: Form, appender: Appender, folder: Folder) -> None:
        self.header = form.header
        self.appender = appender
        self._folder = folder
        self._form = form
        self._whole = Whole(form, appender, folder)
        self._damage = Damage(form, self._whole)

    def is_row(self, text: str) -> bool:
        """Return whether a line is a row of this file."""
        return self._form.is_row(text)

    @property
    def is_empty(self) -> bool:
        """Whether the file has no row."""
        return self.appender.size <= len(self.header)

    def open(self, *, ours: bool = True) -> str | None:
        """Open the file under the path, whole rows under the right header, and return its last row.

        A file of other rows, or of rows that are not `ours`, is set aside, and a fresh one begun. Raises `OSError`,
        and then it is closed.
        """
        finish_keeping(self.appender.path)
        self._damage.start_over()
        last_row = self._whole.open(ours=ours)
        self.look_on()
        return last_row

    def look_on(self) -> None:
        """Remember what tells later what was in the file; to be called when rows were written."""
        self._damage.look_on()

    def end(self) -> bytes:
        """Return the end of what is in the file, or was in it when somebody changed it and it is not mended yet."""
        return self._damage.end()

    def set_aside(self, why: str) -> None:
        """Give the file another name, whole, and begin a fresh one; what is pending goes there.

        Raises `OSError`, and can be called again then.
        """
        self._whole.set_aside(why)
        self._damage.start_over()

    def keep(self, wanted: Callable[[str], bool], why: str) -> None:
        """Leave out the rows that are not wanted any more, if there are any: the file as it was is set aside whole.

        Raises `OSError`, and can be called again then.
        """
        keep_wanted(self.appender, self._folder, self.header, wanted, why)
        if not self.appender.is_at_path():
            self.appender.close()
            self.open()

    def heal(self) -> Cut | None:
        """Go on in what somebody else left of the file, or in a fresh one; return which of its rows are gone.

        Raises `OSError`, and is to be called again then, before anything is written.
        """
        return self._damage.heal()
