"""A process that is killed while it closes files, and while it starts after that: each row is there once."""

import os
import time
import unittest
from collections.abc import Callable

from aster_collect.exchange.form import Form
from aster_collect.exchange.streams import trades
from aster_collect.exchange.streams.kind import Options
from aster_collect.files.folder import Folder
from aster_collect.files.sheet import Sheet
from tests import rows
from tests.killed import each_end, killed_at
from tests.rowstore import RowStore as Store
from tests.support import rounds
from tests.unit.files.rotating import DAY_MS, HOUR_MS, KINDS, MIDNIGHT_MS, Case, S, number_of, row


@unittest.skipIf(not hasattr(os, "fork"), "no fork")
class Kills(Case):
    def some(self, kind: str, before: str | None, last: int) -> list[str]:
        """Return the rows behind one up to another, four for each day: 1 to 3, 4 to 7, 8 and 9."""
        first = number_of(kind, before) + 1 if before else 1
        return [row(kind, number, MIDNIGHT_MS + number * 6 * HOUR_MS) for number in range(first, last + 1)]

    def one_file(self, last: int) -> None:
        """Start with one file, go on behind its last row, and end."""
        folder = Folder(self.folder, "futures", write=os.write, sync=False, wall=time.time)
        form = Form(trades.KIND, Options())
        sheet = Sheet(form, S, folder, DAY_MS)
        lines = self.some(rows.TRADES, next(reversed(form.rows(sheet.resumed.events)), None), last)
        if lines:
            sheet.append([form.event(line) for line in lines])
        sheet.flush(sync=True)
        sheet.appender.close()
        folder.close()

    def all_files(self, last: int) -> None:
        """Do so with all files of a symbol."""
        store = Store(self.folder, levels=5, receive_time=False, sync=False, rotate="day")
        store.open(S)
        for kind in KINDS:
            store.append(kind, S, self.some(kind, store.last_row(kind, S), last))
        store.flush()
        store.close()

    def begin(self, run: Callable[[int], None]) -> None:
        """Write the first three rows."""
        run(3)
        (self.folder / rows.file_name(rows.GAPS, S)).write_text(
            ",".join(rows.columns(rows.GAPS, 5, False)) + "\n", "ascii"
        )

    def check(self, run: Callable[[int], None], step: int, *kinds: str) -> None:
        """Start once more; fails unless all rows are there, each once, in the files of their days."""
        run(9)
        for kind in kinds:
            self.assertEqual([number_of(kind, line) for line in self.all_rows(kind)], list(range(1, 10)), step)
            self.assertEqual([len(lines) for lines in self.history(kind).values()], [3, 4, 2], step)
        self.assert_holds()

    def test_killed_at_any_step_of_a_file(self) -> None:
        """Whichever step of a rotation is the last, and of the start after it, the rows are whole, each once."""
        self.begin(self.one_file)
        seen = 0
        for _ in each_end(self.folder, lambda: self.one_file(8)):
            for step in each_end(self.folder, lambda: self.one_file(9)):
                self.check(self.one_file, step, rows.TRADES)
                seen += 1
        self.assertGreater(seen, 30)

    def test_killed_at_some_step_of_all_files(self) -> None:
        """So it is with all files of a symbol together; the start after a kill is killed half as far."""
        for seed, chance in rounds(40):
            with self.subTest(seed=seed):
                self.fresh()
                self.begin(self.all_files)
                step = chance.randrange(700)
                killed_at(step, lambda: self.all_files(8))
                killed_at(step // 2, lambda: self.all_files(9))
                self.check(self.all_files, step, *KINDS)


if __name__ == "__main__":
    unittest.main()
