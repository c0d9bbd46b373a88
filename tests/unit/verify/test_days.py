"""How much of each day is covered, and what is left when older days are left out."""

import json
from datetime import UTC, datetime

from tests import rows
from tests.unit.verify.test_verify import GAPS, PRICES, TRADES, Case, good

DAY_S = 86_400
MIDNIGHT_MS = 1_763_942_400_000  # 2025-11-24T00:00Z


def at_s(seconds: float) -> str:
    """Return a time so many seconds after midnight."""
    return rows.seconds(MIDNIGHT_MS + round(seconds * 1000))


class Days(Case):
    """Three days: a quote at 06:00, 12:00 and 18:00 of each, a trade at each full hour; some is missing."""

    def setUp(self) -> None:
        super().setUp()
        header, *_ = good()[PRICES]
        times_s = [day * DAY_S + hour * 3600 for day in range(3) for hour in (6, 12, 18)]
        self.files = {
            PRICES: [header, *(f"{at_s(time_s)},1,3,2" for time_s in times_s)],
            TRADES: [good()[TRADES][0], *(f"{hour},{MIDNIGHT_MS + hour * 3_600_000},buy,1,1" for hour in range(72))],
            GAPS: good()[GAPS][:1],
        }

    def gap(self, stream: str, start_s: float, end_s: float, ids: str = ",", cause: str = "reconnect") -> None:
        self.files[GAPS].append(f"{stream},{at_s(start_s)},{at_s(end_s)},{ids},{cause}")

    def days(self, kind: str, *options: str) -> list[tuple[object, ...]]:
        """Return of each day its number, and what is said of it."""
        self.write()
        status, out, err = self.run_main("--json", "--days", *options)
        self.assertEqual((status, err), (0, ""), out)
        (found,) = [one for one in json.loads(out)["histories"] if one["kind"] == kind]
        missing = "missing_ids" if kind == "trades" else "missing_s"
        return [(one["day"], one["rows"], one[missing], one["covered_percent"]) for one in found["days"]]

    def history(self, kind: str, *options: str) -> dict[str, object]:
        self.write()
        _, out, _ = self.run_main("--json", *options)
        (found,) = [one for one in json.loads(out)["histories"] if one["kind"] == kind]
        return dict(found)

    def test_a_stretch_over_midnight(self) -> None:
        """Each day is told its part of it, from the first row to the last; a day without rows is, if it is listed."""
        self.assertEqual([day[1:] for day in self.days("prices")], [(3, 0.0, 100.0)] * 3)
        self.gap("prices", 20 * 3600, DAY_S + 3 * 3600)
        self.gap("prices", 20 * 3600, 21 * 3600)
        self.gap("prices", 2 * DAY_S + 13 * 3600, 2 * DAY_S + 17 * 3600)
        told = [("2025-11-24", 3, 4 * 3600.0, 77.777), ("2025-11-25", 3, 3 * 3600.0, 87.5),
                ("2025-11-26", 3, 4 * 3600.0, 77.777)]  # fmt: skip
        self.assertEqual(self.days("prices"), told)
        del self.files[PRICES][4:7]
        self.gap("prices", DAY_S + 3 * 3600, 2 * DAY_S + 1)
        self.assertEqual(self.days("prices")[1], ("2025-11-25", 0, float(DAY_S), 0.0))

    def test_trades_that_are_missing(self) -> None:
        """They count to the day of the trade behind them."""
        del self.files[TRADES][1 + 20 : 1 + 25]
        del self.files[TRADES][1 + 60 - 5 : 1 + 62 - 5]
        self.gap("trades", 19 * 3600, 25 * 3600, "20,24", "gave-up")
        self.gap("trades", 59 * 3600, 62 * 3600, "60,61", "gave-up")
        told = [("2025-11-24", 20, 0, 100.0), ("2025-11-25", 23, 5, 82.142), ("2025-11-26", 22, 2, 91.666)]
        self.assertEqual(self.days("trades"), told)
        self.assertEqual(self.history("trades")["missing_ids"], 7)

    def test_the_table_of_days(self) -> None:
        """Days stand below the table, a line each, for those who ask."""
        self.write()
        _, out, _ = self.run_main("--days")
        self.assertIn("\nsymbol   file    day         rows  missing    covered\n", out)
        self.assertIn("\nBTCUSDT  trades  2025-11-25    24    0 ids  100.000 %\n", out)
        self.assertNotIn("2025-11-25  ", self.run_main()[1])
        self.assertNotIn("days", json.loads(self.run_main("--json")[1])["histories"][0])

    def test_a_moment(self) -> None:
        """From then on rows, gaps and coverage are counted, in whatever form it is given."""
        self.gap("prices", 13 * 3600, 17 * 3600)
        self.gap("prices", DAY_S + 1 * 3600, DAY_S + 5 * 3600)
        self.gap("prices", DAY_S + 13 * 3600, DAY_S + 17 * 3600)
        moment = datetime.fromtimestamp(MIDNIGHT_MS / 1000 + DAY_S + 3 * 3600, UTC)
        for given in (moment.isoformat(), "2025-11-25T03:00", "2025-11-25T04:00+01:00", f"{moment.timestamp():.0f}"):
            found = self.history("prices", "--since", given)
            self.assertEqual((found["rows"], found["gaps"], found["missing_s"]), (6, 2, 6 * 3600.0))
            self.assertEqual(found["first"], "2025-11-25T06:00:00.000Z")
            self.assertEqual(self.history("trades", "--since", given)["rows"], 45)
        whole_s = (2 * DAY_S + 18 * 3600) - (DAY_S + 3 * 3600)
        self.assertEqual(found["covered_percent"], (whole_s - 6 * 3600) * 100_000 // whole_s / 1000)
        self.assertEqual(self.days("prices", "--since", "2025-11-26")[0][:2], ("2025-11-26", 3))

    def test_older_files(self) -> None:
        """They are not looked at: neither damage nor what lacks before them matters."""
        self.files[PRICES.replace(".csv", ".2025-11-24.csv")] = ["none"]
        self.files[TRADES.replace(".csv", ".2025-11-24.csv")] = self.files[TRADES][:5]
        self.files[TRADES] = [self.files[TRADES][0], *self.files[TRADES][25:]]
        self.write()
        self.assertEqual(self.run_main()[0], 1)
        self.assert_holds("--since", "2025-11-25")
        self.assert_broken(
            "prices_BTCUSDT.2025-11-24.csv:1", "not the header", "--since", "2025-11-24T23:59:59", count=2
        )

    def test_a_moment_behind_all_rows(self) -> None:
        """Nothing is proven then, and so it is said."""
        self.write()
        status, out, err = self.run_main("--since", "2025-11-27")
        self.assertEqual((status, out), (2, ""))
        self.assertIn("no rows in its files; nothing was proven", err)
        status, _, err = self.run_main("--since", "yesterday")
        self.assertEqual(status, 2)
        self.assertIn("--since: 'yesterday' given, 2026-11-22, 2026-11-22T13:00 (UTC,", err)
