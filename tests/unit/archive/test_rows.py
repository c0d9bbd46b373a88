"""Rows are what named tuples are, also in other processes; and reading costs a run that collects nothing."""

import pickle
import subprocess
import sys
import unittest

from aster_collect.archive import Row
from tests.unit.archive.folder import Case, S, trade


class TypesOfRows(Case):
    def test_another_process(self) -> None:
        """A row can be pickled, and is the same behind that."""
        self.put("trades", [trade(1)])
        (row,) = self.archive.rows("trades", S)
        again = pickle.loads(pickle.dumps(row))
        self.assertEqual((again, again.price, again._fields), (row, "0.10", row._fields))
        self.assertIsInstance(again, Row)
        self.assertEqual(row._replace(price="1").price, "1")


class TheName(unittest.TestCase):
    def test_what_is_loaded(self) -> None:
        """The package alone loads no reader; the name does, and a wrong one is an attribute that there is not."""
        code = (
            "import sys, aster_collect; assert 'aster_collect.archive' not in sys.modules\n"
            "from aster_collect import Archive; assert 'Archive' in dir(aster_collect) or aster_collect.Archive\n"
            "try: aster_collect.Archiv\n"
            "except AttributeError as error: print(error)"
        )
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
        self.assertEqual(run.stdout, "module 'aster_collect' has no attribute 'Archiv'\n")


if __name__ == "__main__":
    unittest.main()
