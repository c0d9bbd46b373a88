"""What was set aside is checked, each file as a history of its own of which nobody knows what it misses."""

import gzip
import json

from tests import rows
from tests.unit.verify.test_verify import BOOK, GAPS, PRICES, TRADES, Case, at, gap, good

STAMP = ".20251124T170000Z.csv"


def aside(name: str, ending: str = STAMP) -> str:
    return name.replace(".csv", ending)


class SetAside(Case):
    def histories(self) -> dict[str, dict[str, object]]:
        """Return what is said of each file that was set aside, by its name."""
        _, out, _ = self.run_main("--json")
        return {one["files"][0]: one for one in json.loads(out)["histories"] if one["set_aside"]}

    def test_a_file_of_other_levels(self) -> None:
        """Its rows are checked and counted, in a line of its own; the history knows nothing of it."""
        names = rows.columns(rows.ORDERBOOK, 10, False)
        side = "7,1" + "," * 18
        self.files[aside(BOOK)] = [
            ",".join(names),
            *(f"{at(-9 + n)},{n},{side},{side.replace('7', '8')}" for n in (1, 2)),
        ]
        self.write()
        status, out, _ = self.run_main()
        self.assertEqual((status, out.splitlines()[-1]), (0, "all promises hold: 28 rows in 5 files"))
        (line,) = [line for line in out.splitlines() if "orderbook.20251124T170000Z" in line]
        self.assertEqual(line.split()[2:], ["2", "2025-11-24T15:59:52.000Z", "2025-11-24T15:59:53.000Z", "-", "-", "-"])
        found = self.histories()[aside(BOOK)]
        self.assertEqual((found["kind"], found["rows"], found["covered_percent"]), ("orderbook", 2, None))
        self.files[aside(BOOK)][2] = self.files[aside(BOOK)][2].replace(",8,1", ",6,1")
        self.broken(f"{aside(BOOK)}:3", "crossed")

    def test_trades_that_miss_some(self) -> None:
        """A hole in their ids is none that anybody knows of; ids that do not rise are broken."""
        self.files[aside(TRADES)] = good()[TRADES]
        del self.files[aside(TRADES)][3:6]
        self.holds()
        self.files[aside(TRADES)].append(self.files[aside(TRADES)][-1])
        self.broken(f"{aside(TRADES)}:{len(self.files[aside(TRADES)])}", "id 119 does not rise")

    def test_times_that_go_back(self) -> None:
        """They may: whether the clock was set is in no ledger of that time."""
        self.files[aside(PRICES)] = [good()[PRICES][0], *reversed(good()[PRICES][1:])]
        self.holds()
        self.assertEqual(self.histories()[aside(PRICES)]["time_back"]["steps"], 4)  # type: ignore[index]

    def test_a_torn_end(self) -> None:
        """A crash may have left it, before the file was set aside with other columns: it is no row, and not broken."""
        for torn in (b"176400", b"\0" * 100, b"\0" * 3_000_000, b""):
            self.write()
            data = "".join(f"{line}\n" for line in good()[PRICES]).encode()
            (self.folder / aside(PRICES)).write_bytes(data + torn)
            self.assert_holds()
            self.assertEqual(self.histories()[aside(PRICES)]["rows"], 5)

    def test_a_closed_file_compressed(self) -> None:
        """It is unpacked; one that can't be is broken."""
        name = "trades_BTCUSDT.2025-11-23.20251124T170000Z.csv.gz"
        self.files[name] = good()[TRADES]
        self.write()
        self.assertEqual(self.histories()[name]["rows"], 15)
        self.assertIn("trades.2025-11-23.20251124T170000Z ", self.run_main()[1])
        path = self.folder / name
        path.write_bytes(gzip.compress(b"".join(line.encode() + b"\n" for line in good()[TRADES]))[:-9])
        self.assert_broken(f"{name}:1", "damaged")

    def test_a_ledger(self) -> None:
        """Its rows are well-formed, and say nothing of the history."""
        self.files[aside(GAPS)] = [good()[GAPS][0], gap("trades", 0, 1, "100,102", "gave-up")]
        self.holds()
        self.files[aside(GAPS)].append(gap("trades", 3, 2, "1,2", "gave-up"))
        self.broken(f"{aside(GAPS)}:3", "from_unix_timestamp is after to_unix_timestamp")

    def test_a_symbol_of_which_all_is_set_aside(self) -> None:
        """It is checked too, and needs no ledger."""
        self.files[aside(PRICES).replace("BTC", "ETH")] = [*good()[PRICES], "x"]
        self.broken(f"{aside(PRICES).replace('BTC', 'ETH')}:7", "1 cells instead of 4")

    def test_the_full_book(self) -> None:
        """Its rows join, but for snapshots, which nobody can explain."""
        header = ",".join(rows.columns("depth", 5, False))
        name = f"depth_BTCUSDT{STAMP}"
        self.files[name] = [
            header,
            f"{at(0)},,5,7 1,8 1",
            f"{at(1)},5,6,7 2,",
            f"{at(2)},,9,7 3,8 1",
            f"{at(3)},9,12,,8 2",
        ]
        self.holds()
        self.files[name][2] = f"{at(1)},4,6,7 2,"
        self.broken(f"{name}:3", "previous_update_id 4, but the row before has update_id 5")
