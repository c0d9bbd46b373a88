"""Every kind of the table is proven by what the table says of it: its columns, the order of its rows, its gaps."""

import json
import unittest
from collections.abc import Callable

from aster_collect.exchange.streams import DEFAULT, KINDS
from aster_collect.exchange.streams.kind import Lane
from tests.unit.verify.test_verify import GAPS, START_MS, Case, Lines, at, gap, good

MARK, LIQUIDATIONS, FILLS, INTEREST = (
    f"{prefix}_BTCUSDT.csv" for prefix in ("mark", "liquidations", "fills", "open_interest")
)
UNIVERSE = "universe.csv"


SAMPLES = {
    "depth": [
        "unix_timestamp,previous_update_id,update_id,bids,asks",
        f"{at(0)},,100,100.0 1;99.5 2,101 1;102 2",
        f"{at(1)},100,103,100 0;99.8 4,",
        f"{at(2)},,103,99.8 4;99.5 2,101 1;102 2",
        f"{at(2)},103,104,,101 3;103 0",
        f"{at(4)},104,110,100 1;7 9,101 0.00",
    ],
    "mark": [
        "unix_timestamp,mark_price,index_price,settle_price,funding_rate,next_funding_ms",
        *(f"{at(s)},11794.1{s},11784.62,11784.25,-0.00038167,1764028800000" for s in range(4)),
        f"{at(4)},11794.15,,,,",
    ],
    "liquidations": [
        "unix_timestamp_ms,side,order_type,time_in_force,price,average_price,quantity,last_filled,filled,status",
        *(f"{START_MS + 700 * s},sell,LIMIT,IOC,9910,9910.5,0.014,0.014,0.014,FILLED" for s in range(5)),
    ],
    "fills": [
        "id,unix_timestamp_ms,side,price,quantity,origin",
        *(f"{s * s + 7},{START_MS + 10 * s},buy,0.086245,3894,{('MARKET', 'ADL', '')[s % 3]}" for s in range(5)),
    ],
    "open-interest": [
        "unix_timestamp_ms,open_interest",
        *(f"{START_MS + 60_000 * s},6196.32{s}" for s in range(5)),
    ],
    "universe": [
        "unix_timestamp,symbol,status,contract_type,tick_size,step_size,onboard_ms,funding_interval_h",
        f"{at(0)},BTCUSDT,TRADING,PERPETUAL,0.10,0.001,1569398400000,8",
        f"{at(0)},币安人生USDT,PENDING,,0.0001,1,1764000000000,",
        f"{at(3600)},币安人生USDT,TRADING,PERPETUAL,0.0001,1,1764000000000,4",
    ],
}


def others() -> dict[str, Lines]:
    """Return good files of the kinds of the table that are not collected by default."""
    return {kind.file_name("BTCUSDT"): [*SAMPLES[name]] for name, kind in KINDS.items() if name not in DEFAULT}


class KindCase(Case):
    def setUp(self) -> None:
        super().setUp()
        self.fresh()

    def fresh(self) -> None:
        self.files = good() | others()


class Kinds(KindCase):
    def test_a_folder_of_every_kind(self) -> None:
        """All that a run of every kind leaves is checked and counted, and no kind of the table is left out here."""
        self.write()
        status, out, err = self.run_main()
        rows = sum(len(lines) - 1 for lines in self.files.values())
        said = f"all promises hold: {rows} rows in {len(KINDS) + 1} files"
        self.assertEqual((status, err, out.splitlines()[-1]), (0, "", said), out)

    def test_compressed_and_closed(self) -> None:
        """A file of any kind can be closed, and the one for the whole folder too."""
        for name in others():
            header, *lines = self.files.pop(name)
            for suffix, some in ((".2025-11-24T16.csv.gz", lines[:2]), (".2025-11-24T17-2.csv", lines[2:])):
                self.files[name.replace(".csv", suffix)] = [header, *some]
        self.holds()
        for name in others():
            part = name.replace(".csv", ".2025-11-24T16.csv.gz")
            self.files[part][1] += "x"
            with self.subTest(name=name):
                self.broken(f"{part}:2", "x', not")
            self.files[part][1] = self.files[part][1][:-1]

    def test_a_cell_that_is_none(self) -> None:
        """Each cell holds what the table says, and may be blank where it says so."""
        for name, line, old, new, reason in (
            (MARK, 2, "-0.00038167", "0.0", ""),
            (MARK, 2, "-0.00038167", "--1", "funding_rate is '--1'"),
            (MARK, 2, "-0.00038167", "1e-5", "funding_rate is '1e-5'"),
            (MARK, 2, "11794.10", "", "mark_price is ''"),
            (MARK, 2, "11794.10", "-1", "mark_price is '-1'"),
            (MARK, 2, "1764028800000", "1764028800.000", "next_funding_ms is"),
            (LIQUIDATIONS, 3, "sell", "SELL", "side is 'SELL'"),
            (LIQUIDATIONS, 3, "LIMIT", "limit", "order_type is 'limit'"),
            (LIQUIDATIONS, 3, "9910.5", "", "average_price is ''"),
            (LIQUIDATIONS, 3, str(START_MS + 700), at(0.7), "unix_timestamp_ms is"),
            (FILLS, 2, "MARKET", "X;Y", "origin is 'X;Y'"),
            (FILLS, 2, "7,", "-7,", "id is '-7'"),
            (INTEREST, 2, "6196.320", "", "open_interest is ''"),
            (INTEREST, 2, "6196.320", "-3", "open_interest is '-3'"),
            (UNIVERSE, 2, "BTCUSDT", "", "symbol is ''"),
            (UNIVERSE, 2, "BTCUSDT", "BTC\0USDT", "1 NUL bytes"),
            (UNIVERSE, 2, "BTCUSDT", '"BTC"', "symbol is '\"BTC\"'"),
            (UNIVERSE, 3, at(0), str(START_MS), "unix_timestamp is"),
        ):
            self.fresh()
            self.files[name][line - 1] = self.files[name][line - 1].replace(old, new, 1)
            with self.subTest(name=name, new=new):
                if reason:
                    self.broken(f"{name}:{line}", reason)
                else:
                    self.holds()

    def test_damage_to_a_file_of_any_kind(self) -> None:
        """A row that is torn, has NUL in it, or has lost or got a cell is broken, and so is a blank line."""
        damages: tuple[tuple[str, Callable[[str], str]], ...] = (
            ("cells instead of", lambda line: line.rpartition(",")[0]),
            ("cells instead of", lambda line: f"{line},1"),
            ("NUL bytes", lambda line: line.replace(",", ",\0", 1)),
            ("blank line", lambda line: ""),
            ("carriage return", lambda line: f"{line}\r"),
        )
        for name in others():
            for reason, damage in damages:
                self.fresh()
                self.files[name][3] = damage(self.files[name][3])
                with self.subTest(name=name, reason=reason):
                    self.broken(f"{name}:4", reason)

    def test_a_header_of_another_kind(self) -> None:
        """A file of one kind that has the header of another is broken, once."""
        for name in others():
            self.fresh()
            self.files[name] = good()["prices_BTCUSDT.csv"]
            with self.subTest(name=name):
                self.broken(f"{name}:1", "not the header of a")

    def test_receive_times(self) -> None:
        """When it came is the last column of any kind."""
        for name in others():
            self.files[name] = [
                f"{line},{'receive_time_ns' if n == 0 else n}" for n, line in enumerate(self.files[name])
            ]
        self.holds()
        self.files[MARK][3] = self.files[MARK][3].rpartition(",")[0] + ","
        self.broken(f"{MARK}:4", "receive_time_ns is ''")

    def test_quantities(self) -> None:
        """Prices can have update ids, which rise and prove the order where times go back, and quantities."""
        prices = "prices_BTCUSDT.csv"
        header, *lines = self.files[prices]
        self.files[prices] = [
            f"{header},update_id,bid_qty,ask_qty",
            *(f"{line},{7000 + n * n},0.5,{n}" for n, line in enumerate(lines)),
        ]
        self.holds()
        self.files[prices][3] = self.files[prices][3].replace(at(2), at(-40))
        self.holds()
        self.assertIn("time goes back 1 time", self.run_main()[1])
        self.files[prices][3] = self.files[prices][3].replace(",7004,", ",7001,")
        self.broken(f"{prices}:4", "update_id 7001 does not rise from 7001")
        self.files[prices][3] = self.files[prices][3].replace(",7001,0.5,", ",7004,,")
        self.broken(f"{prices}:4", "bid_qty is ''")
        self.files[prices][3] = self.files[prices][3].replace(",7004,,", ",7004,1,").replace("100.2,", "101.9,", 1)
        self.broken(f"{prices}:4", "is not the mean")

    def test_quantities_from_a_day_on(self) -> None:
        """Closed files without them and with them are one history."""
        header, *lines = self.files.pop("prices_BTCUSDT.csv")
        self.files["prices_BTCUSDT.2025-11-24T16.csv"] = [header, *lines[:3]]
        self.files["prices_BTCUSDT.csv"] = [
            f"{header},update_id,bid_qty,ask_qty", *(f"{line},{n},0.5,1" for n, line in enumerate(lines[3:]))
        ]  # fmt: skip
        self.holds()

    def test_times_go_back(self) -> None:
        """Of kinds without ids a step back by more than a second is broken, unless the ledger says why."""
        for name, stream, time in (
            (MARK, "mark", at(1)),
            (LIQUIDATIONS, "liquidations", str(START_MS + 700)),
            (INTEREST, "open-interest", str(START_MS + 60_000)),
        ):
            self.fresh()
            self.files[name].append(time + self.files[name][5][len(time) :])
            with self.subTest(name=name):
                self.broken(f"{name}:7", "time goes back by")
                self.files[GAPS].append(gap(stream, 0, 300, cause="clock"))
                self.holds()

    def test_times_of_the_whole_folders_file_go_back(self) -> None:
        """It has no ledger that could say why."""
        self.files[UNIVERSE] += [f"{at(3600.5)}{self.files[UNIVERSE][3][14:]}", self.files[UNIVERSE][1]]
        self.broken(f"{UNIVERSE}:6", "time goes back by 3600500 ms")

    def test_a_fill_comes_twice(self) -> None:
        """Ids of fills rise, each once, and nobody promises that none is missing."""
        self.files[FILLS].insert(3, self.files[FILLS][2])
        self.broken(f"{FILLS}:4", "id 8 does not rise from 8")

    def test_a_row_comes_twice(self) -> None:
        """What is asked for has a time of its own each time; what comes by itself can come twice in a millisecond."""
        for name, good_so in ((MARK, True), (LIQUIDATIONS, True), (INTEREST, False)):
            self.fresh()
            self.files[name].insert(3, self.files[name][2])
            with self.subTest(name=name):
                if good_so:
                    self.holds()
                else:
                    self.broken(f"{name}:4", "the same time again")

    def test_hours_that_are_missing(self) -> None:
        """Behind a closed file a whole hour without rows is broken where there are always some, and not elsewhere."""
        for name, steady in ((MARK, True), (INTEREST, True), (LIQUIDATIONS, False), (FILLS, False), (UNIVERSE, False)):
            self.fresh()
            header, first, *_ = self.files.pop(name)
            seconds = "_ms" not in header.partition(",")[0] and name != FILLS
            time, later = (at(0), at(20_000)) if seconds else (str(START_MS), str(START_MS + 20_000_000))
            self.files[name.replace(".csv", ".2025-11-24T16.csv")] = [header, first]
            self.files[name] = [header, first.replace(time, later).replace("7,", "8,", 1) if name == FILLS else
                                first.replace(time, later)]  # fmt: skip
            with self.subTest(name=name):
                if steady:
                    self.broken(f"{name}:2", "a closed file is missing")
                else:
                    self.holds()


class Gaps(KindCase):
    def test_a_stretch_of_any_kind(self) -> None:
        """The ledger names a stretch of each kind that it can, with a cause that the kind can have, and no ids."""
        for kind in KINDS.values():
            self.fresh()
            asked = kind.lane is Lane.SEQUENCE
            self.files[GAPS].append(gap(kind.name, -9, -8, "1,2" if asked else ","))
            with self.subTest(kind=kind.name):
                if kind.whole_folder:
                    self.broken(f"{GAPS}:3", f"stream is '{kind.name}'")
                    continue
                self.holds()
                self.files[GAPS][2] = gap(kind.name, -9, -8, "," if asked else "1,2")
                self.broken(f"{GAPS}:3", "a gap in")
                self.files[GAPS][2] = gap(kind.name, -9, -8, cause="not-polled")
                if kind.lane is Lane.POLLED:
                    self.holds()
                else:
                    self.broken(f"{GAPS}:3", f"not-polled does not stand for {kind.name}")

    def test_rows_where_the_ledger_says_none(self) -> None:
        """A second row in a listed stretch is broken, of any kind whose gaps are stretches."""
        for name, stream, end in (
            (MARK, "mark", 5),
            (LIQUIDATIONS, "liquidations", 5),
            (FILLS, "fills", 5),
            (INTEREST, "open-interest", 400),
        ):
            self.fresh()
            self.files[GAPS].append(gap(stream, -5, end))
            with self.subTest(name=name):
                self.write()
                self.assertIn(f"a second row within the stretch that {GAPS}:3 calls missing", self.run_main()[1])

    def test_a_missed_poll(self) -> None:
        """Between two answers the ledger says that there is none, and so much is not covered."""
        del self.files[INTEREST][3]
        self.files[GAPS].append(gap("open-interest", 60, 180, cause="not-polled"))
        self.write()
        status, out, _ = self.run_main()
        self.assertEqual(status, 0)
        self.assertRegex(out, r"BTCUSDT +open-interest +4 .* 1 +120.000 s +50.000 %\n")

    def test_the_whole_folders_file_has_no_ledger(self) -> None:
        """It needs none, and no share of it is called covered."""
        self.files = {UNIVERSE: others()[UNIVERSE]}
        self.write()
        status, out, _ = self.run_main()
        self.assertEqual(status, 0)
        self.assertEqual(json.loads(self.run_main("--json")[1])["histories"][0]["symbol"], None)
        self.assertRegex(out, r"\n- +universe +3 +2025-11-24T16:00:00.000Z +2025-11-24T17:00:00.000Z +- +- +-\n")


if __name__ == "__main__":
    unittest.main()
