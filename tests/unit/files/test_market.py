"""A folder holds one market for ever, also one of before it could say which."""

import tempfile
import unittest
from pathlib import Path

from aster_collect.errors import ConfigError, LockedError
from aster_collect.files.market import MARKET_NAME
from aster_collect.files.store import Store
from aster_collect.settings import Settings
from tests.rowstore import OF_DEFAULT


class Markets(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def open(self, market: str) -> None:
        Store(self.folder, OF_DEFAULT, Settings().scope().options, market=market, sync=False).close()

    def refused(self, market: str, held: str) -> None:
        with self.assertRaises(ConfigError) as caught:
            self.open(market)
        said = f"--market: {market} given, but {self.folder} holds {held}; "
        self.assertEqual(str(caught.exception), f"{said}give another --data-dir, or --market {held}")

    def test_spot_into_a_folder_of_futures(self) -> None:
        """The first run says what a folder holds, and one of another market is refused, whichever was first."""
        self.open("spot")
        self.open("spot")
        self.refused("futures", "spot")
        (self.folder / MARKET_NAME).unlink()
        self.open("futures")
        self.refused("spot", "futures")
        self.open("futures")

    def test_a_folder_of_an_earlier_version(self) -> None:
        """Data files without the word beside them are of futures."""
        (self.folder / "trades_BTCUSDT.2026-11-22.csv.gz").touch()
        self.refused("spot", "futures")
        self.assertFalse((self.folder / MARKET_NAME).exists())
        self.open("futures")
        self.assertEqual((self.folder / MARKET_NAME).read_text(), "futures\n")

    def test_other_files_in_the_folder(self) -> None:
        """What is no data file says nothing of the market."""
        for name in ("notes.txt", "rejects.jsonl", "status.json"):
            (self.folder / name).touch()
        self.open("spot")

    def test_a_word_that_a_crash_left_out(self) -> None:
        """An empty file is as none."""
        (self.folder / MARKET_NAME).touch()
        self.open("spot")
        (self.folder / "trades_BTCUSDT.csv").touch()
        self.refused("futures", "spot")

    def test_a_refusal_leaves_the_folder_free(self) -> None:
        """What is refused does not keep the lock."""
        self.open("spot")
        self.refused("futures", "spot")
        try:
            self.open("spot")
        except LockedError:
            self.fail("still locked")

    def test_a_folder_that_is_made_again(self) -> None:
        """It remembers the market too: its files are not taken for those of an earlier version."""
        store = Store(self.folder, OF_DEFAULT, Settings().scope().options, market="spot", sync=False)
        self.addCleanup(store.close)
        other = self.folder.rename(self.folder.with_name(f"{self.folder.name}.other"))
        with self.assertLogs("aster_collect", "WARNING"):
            store.flush()
        self.assertEqual((self.folder / MARKET_NAME).read_text(), "spot\n")
        for path in other.iterdir():
            path.unlink()
        other.rmdir()


if __name__ == "__main__":
    unittest.main()
