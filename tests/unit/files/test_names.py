"""A data file's name says whose rows it holds, of which period, and whether they are in a history."""

import unittest

from aster_collect.files.names import DAY_MS, HOUR_MS, TABLE, Part, read_name

MIDNIGHT_MS = 1_795_305_600_000  # 2026-11-22T00:00Z


class Names(unittest.TestCase):
    def test_any_file_of_a_history(self) -> None:
        """Its name is read back as what it was made of, compressed or not, whatever the symbol's letters are."""
        for kind, said in TABLE.items():
            for symbol in ("",) if said.whole_folder else ("BTCUSDT", "币安人生USDT", "BTC_USDT-PERP_260327", "1000X"):
                for period, number in (("", 1), ("2026-11-22", 1), ("2026-11-22T13", 1), ("2026-02-28T00", 12)):
                    part = Part(kind, symbol, period, number)
                    entry = read_name(part.name)
                    assert entry is not None
                    self.assertEqual((entry.name, entry.part, entry.aside_ms), (part.name, part, 0))
                    self.assertEqual(entry.is_closed, bool(period))
                    packed = read_name(f"{part.name}.gz")
                    self.assertEqual(packed and packed.part, part if period else None)

    def test_a_kind_of_two_words(self) -> None:
        """Its word has a hyphen on the command line and in the ledger, and an underscore in the names of its files."""
        entry = read_name("open_interest_BTC_USDT.2026-11-22.csv")
        assert entry is not None
        self.assertEqual(entry.part, Part("open-interest", "BTC_USDT", "2026-11-22"))

    def test_a_file_that_was_set_aside(self) -> None:
        """Its name says when, and it is no closed file of a history, though it may have been one."""
        for name, period in (
            ("prices_X.20261122T000001Z.csv", ""),
            ("prices_X.20261122T000001Z-3.csv.gz", ""),
            ("prices_X.2026-11-21T05-2.20261122T000001Z.csv", "2026-11-21T05"),
        ):
            entry = read_name(name)
            assert entry is not None
            self.assertEqual((entry.part.period, entry.aside_ms), (period, MIDNIGHT_MS + 1000))
            self.assertFalse(entry.is_closed)

    def test_what_is_no_data_file(self) -> None:
        """A name of another form, kind or day of no calendar is none, and so is what is half compressed."""
        for name in (
            "prices_X.2026-11-22.csv.gz.tmp", "prices_X.2026-11-22-1.csv", "prices_X.2026-11-22-02.csv",
            "prices_X.2026-13-22.csv", "prices_X.2026-11-22T24.csv", "prices_X.20261322T000000Z.csv",
            "xprices_X.csv", "prices_X.csv.1", "prices_X.2026-11-22.csv.1", "prices_.2026-11-22.csv", "prices_.csv",
            "prices_X.csv.gz", "prices.csv", "universe_X.csv",
            "universe.csv.gz", "notes.csv", "quotes_X.csv", ".prices_X.csv.tmp", "rejects.jsonl",
        ):  # fmt: skip
            self.assertIsNone(read_name(name), name)

    def test_periods(self) -> None:
        """A closed file's period is an hour or a day, and ends where the next begins."""
        day, hour = Part("prices", "X", "2026-11-22", 2), Part("prices", "X", "2026-11-22T13")
        self.assertEqual((day.day, day.length_ms, day.end_ms), ("2026-11-22", DAY_MS, MIDNIGHT_MS + DAY_MS))
        self.assertEqual((hour.day, hour.length_ms, hour.end_ms), ("2026-11-22", HOUR_MS, MIDNIGHT_MS + 14 * HOUR_MS))
        self.assertEqual(Part("prices", "X").length_ms, 0)


if __name__ == "__main__":
    unittest.main()
