"""The full book is proven by its chain, by itself, and by what else shows its top."""

import json
import tracemalloc
import unittest

from aster_collect.exchange.streams import KINDS
from aster_collect.verify import check_folder
from aster_collect.verify.found import Proof
from aster_collect.verify.memory import Remembered
from tests import rows
from tests.unit.verify.test_verify import BOOK, GAPS, PRICES, Case, Lines, at, gap

DEPTH = rows.file_name("depth", "BTCUSDT")
HEADER = "unix_timestamp,previous_update_id,update_id,bids,asks"
QUOTES = "unix_timestamp,bid,ask,mid,update_id,bid_qty,ask_qty"


def part(name: str, suffix: str = "2025-11-24T16") -> str:
    """Return the name of a closed file."""
    return name.replace(".csv", f".{suffix}.csv")


def good() -> dict[str, Lines]:
    """Return a small good folder: two files of the full book, and books and quotes at some of its update ids."""
    bids, asks = "100.0 1;99.5 2;99.0 3", "101.0 1;102.0 2"
    return {
        part(DEPTH): [
            HEADER,
            f"{at(0)},,100,{bids},{asks}",
            f"{at(1)},100,103,100.0 0;99.8 4,",
            f"{at(2)},103,104,,101.0 1.5;103.0 0.000",
        ],
        DEPTH: [
            HEADER,
            f"{at(3)},,104,99.8 4;99.5 2;99.0 3,101.0 1.5;102.0 2",
            f"{at(3)},104,110,100.0 1,",
            f"{at(4)},110,112,,101.0 0.00",
        ],
        BOOK: [
            ",".join(rows.columns(rows.ORDERBOOK, 5, False)),
            f"{at(1)},103,99.8,4,99.5,2,99.0,3,,,,,101.0,1,102.0,2,,,,,,",
            f"{at(2.5)},107,99.8,4,99.5,2,99.0,3,,,,,101.0,9,102.0,2,,,,,,",
            f"{at(3)},110,100.0,1,99.8,4,99.5,2,99.0,3,,,101.0,1.5,102.0,2,,,,,,",
        ],
        PRICES: [
            QUOTES,
            f"{at(0)},99.9,101.0,100.45,99,1,1",
            f"{at(2)},99.8,101.0,100.4,104,4,1.5",
            f"{at(4)},100.0,102.0,101.00,112,1,2",
        ],
        GAPS: [",".join(rows.columns(rows.GAPS, 5, False))],
    }


class ChainCase(Case):
    def setUp(self) -> None:
        super().setUp()
        self.files = good()

    def edit(self, name: str, line: int, old: str, new: str) -> None:
        """Replace a part of a line, which must be there."""
        self.assertIn(old, self.files[name][line - 1])
        self.files[name][line - 1] = self.files[name][line - 1].replace(old, new, 1)

    def explain(self, start: float, end: float, cause: str = "hole") -> None:
        self.files[GAPS].append(gap("depth", start, end, cause=cause))

    def facts(self) -> dict[str, dict[str, object]]:
        """Return what is said of each history by its kind."""
        self.write()
        return {one["kind"]: one for one in json.loads(self.run_main("--json")[1])["histories"]}


class Links(ChainCase):
    def test_good_book(self) -> None:
        """Two files of which the second begins with the book as it was hold, and say what they prove."""
        self.holds()
        _, out, _ = self.run_main()
        self.assertIn("BTCUSDT orderbook: the full book proves 2 of 3 rows, and can't say it of 1\n", out)
        self.assertIn("BTCUSDT prices: the full book proves 2 of 3 rows, and can't say it of 1\n", out)
        facts = self.facts()
        self.assertEqual(facts["orderbook"]["proven"], {"rows": 2, "unsaid": 1})
        self.assertEqual((facts["depth"]["proven"], facts["depth"]["crossed"]), (None, None))

    def test_row_removed(self) -> None:
        """A row that is gone is broken where the next one names it, whatever the ledger says: no snapshot follows."""
        del self.files[part(DEPTH)][2]
        self.broken(f"{part(DEPTH)}:3", "previous_update_id 103, but the row before has update_id 100")
        self.explain(0, 2)
        self.broken(f"{part(DEPTH)}:3", "previous_update_id 103")

    def test_row_removed_before_a_file_begins(self) -> None:
        """The file behind begins with another update id than the last one's, which only the ledger explains."""
        del self.files[part(DEPTH)][3]
        self.broken(f"{DEPTH}:2", "a snapshot with update_id 104 behind 103, and no row of the ledger")
        self.explain(1, 3)
        self.holds()

    def test_rows_lost_on_a_quiet_market(self) -> None:
        """The ledger says when the rows were made that are lost; nothing came for a while before them and behind."""
        self.files = {DEPTH: [HEADER, f"{at(0)},,1,9 1,", f"{at(20)},,3,9 2,"], GAPS: good()[GAPS]}
        for cause, start, end, good_so in (
            ("overflow", 9, 11, True),
            ("destroyed", 9, 11, True),
            ("hole", 9, 11, False),
            ("overflow", 22, 23, False),
            ("overflow", -3, -2, False),
        ):
            self.files[GAPS][1:] = [gap("depth", start, end, cause=cause)]
            with self.subTest(cause=cause, start=start):
                if good_so:
                    self.holds()
                else:
                    self.broken(f"{DEPTH}:3", "no row of the ledger")

    def test_rows_where_the_ledger_says_none(self) -> None:
        """In the stretch of a hole there are no rows; in that of a mismatch are those of a book that was wrong."""
        self.explain(0, 9)
        self.broken(f"{DEPTH}:2", f"a second row within the stretch that {GAPS}:2 calls missing")
        self.files[GAPS][1:] = [gap("depth", 0, 9, cause="mismatch")]
        self.holds()

    def test_rows_swapped(self) -> None:
        """Each row joins the one before it, so two that changed places are broken."""
        lines = self.files[part(DEPTH)]
        lines[2], lines[3] = lines[3], lines[2]
        self.write()
        self.assertIn("previous_update_id 103, but the row before has update_id 100", self.run_main()[1])
        self.assertIn("previous_update_id 100, but the row before has update_id 104", self.run_main()[1])

    def test_row_that_changes_no_id(self) -> None:
        """An update id that does not rise is broken, and so is one below that of the row before."""
        self.files[DEPTH].append(f"{at(5)},112,112,,")
        self.broken(f"{DEPTH}:5", "update_id 112 does not rise from 112")
        self.files[DEPTH][4] = f"{at(5)},112,111,,"
        self.broken(f"{DEPTH}:5", "previous_update_id 112 is above update_id 111", count=2)

    def test_file_without_its_beginning(self) -> None:
        """Each file begins with a snapshot, also where its rows join those before."""
        del self.files[DEPTH][1]
        self.broken(f"{DEPTH}:2", "a file that does not begin with a snapshot")
        del self.files[part(DEPTH)]
        self.broken(f"{DEPTH}:2", "a file that does not begin with a snapshot")

    def test_closed_file_missing(self) -> None:
        """A file that is gone from among others is a break."""
        self.files[part(DEPTH, "2025-11-24T15")] = [HEADER, f"{at(-9)},,90,99 1,", f"{at(-9)},90,91,99 0,"]
        self.broken(f"{part(DEPTH)}:2", "a snapshot with update_id 100 behind 91")

    def test_unreadable_row(self) -> None:
        """A row that can't be read is told of, and the one behind it joins nothing."""
        self.edit(part(DEPTH), 3, "99.8 4", "99.8 4e1")
        self.broken(f"{part(DEPTH)}:3", "bids is", count=2)
        self.broken(f"{part(DEPTH)}:4", "previous_update_id 103", count=2)

    def test_damaged_file(self) -> None:
        """Behind a file whose rest can't be read nothing is a break."""
        self.files[part(DEPTH)][2:] = ["\0" * (KINDS["depth"].row_bytes + 100_000)]
        self.broken(f"{part(DEPTH)}:3", "and more that was not read")


class Snapshots(ChainCase):
    def test_snapshot_without_a_ledger_row(self) -> None:
        """A snapshot stands where the ledger has a stretch from the row before to it, of whatever cause."""
        self.files[DEPTH].append(f"{at(9)},,120,100 1,102 2")
        self.broken(f"{DEPTH}:5", "a snapshot with update_id 120 behind 112, and no row of the ledger")
        for cause in ("hole", "restart", "mismatch", "reconnect", "new-ids", "overflow", "destroyed", "clock", "late"):
            self.files[GAPS][1:] = [gap("depth", 4, 9, cause=cause)]
            with self.subTest(cause=cause):
                self.holds()

    def test_stretch_that_is_too_short(self) -> None:
        """It reaches from the row before to the snapshot, to within a second; several may do so together."""
        self.files[DEPTH].append(f"{at(20)},,120,100 1,102 2")
        for stretches, good_so in (
            (((5.0, 19.0),), True),
            (((5.1, 20.0),), False),
            (((4.0, 18.9),), False),
            (((-9.0, 40.0),), True),
            (((4.0, 9.0), (9.0, 20.0)), True),
            (((4.0, 9.0), (9.1, 20.0)), False),
        ):
            self.files[GAPS][1:] = [gap("depth", *one, cause="restart") for one in stretches]
            with self.subTest(stretches=stretches):
                if good_so:
                    self.holds()
                else:
                    self.broken(f"{DEPTH}:5", "no row of the ledger")
        self.files[GAPS][1:] = [gap("orderbook", 4, 20, cause="restart")]
        self.broken(f"{DEPTH}:5", "no row of the ledger")

    def test_stale_snapshot(self) -> None:
        """Update ids rise: no stretch explains a snapshot of before."""
        self.files[DEPTH].append(f"{at(9)},,111,100 1,101 2")
        self.explain(4, 9)
        self.broken(f"{DEPTH}:5", "update_id 111 does not rise from 112")

    def test_opening_that_shows_another_book(self) -> None:
        """What a file begins with is the book as it was: a level more, less or other is broken, but for a mismatch."""
        for old, new, reason in (
            ("99.5 2", "99.5 2.1", "bid 99.5 2.1, in the book as rebuilt 99.5 2"),
            ("99.5 2", "99.6 2", "bid 99.6 2, in the book as rebuilt 99.5 2"),
            (";99.0 3", "", "bid none, in the book as rebuilt 99.0 3"),
            ("102.0 2", "102.0 2;104 1", "ask 104 1, in the book as rebuilt none"),
        ):
            self.files = good()
            self.edit(DEPTH, 2, old, new)
            del self.files[BOOK][3]
            with self.subTest(new=new):
                self.broken(f"{DEPTH}:2", f"a snapshot that shows another book than the rows before it: {reason}")
                self.explain(2, 3, "mismatch")
                self.holds()

    def test_opening_in_other_decimals(self) -> None:
        """Levels are compared as numbers."""
        self.edit(DEPTH, 2, "99.5 2", "99.50 2.000")
        self.holds()

    def test_restart_on_a_quiet_market(self) -> None:
        """The first snapshot of a run can have the last run's id, and show less than was known by then."""
        self.files[DEPTH].append(f"{at(9)},,112,100.0 1,102.0 2")
        self.broken(f"{DEPTH}:5", "another book", count=1)
        self.explain(4, 9, "restart")
        self.holds()

    def test_file_of_another_form_set_aside(self) -> None:
        """A file set aside goes on where the one before it ended, and the ledger where that ends."""
        self.files["depth_BTCUSDT.20251124T160030Z.csv"] = [f"{HEADER},receive_time_ns", f"{at(20)},,104,,,"]
        self.files[DEPTH] = [HEADER, f"{at(40)},,200,,"]
        del self.files[BOOK][3], self.files[PRICES][3]
        self.broken(f"{DEPTH}:2", "no row of the ledger")
        self.explain(29, 40, "restart")
        self.holds()

    def test_levels_in_disorder(self) -> None:
        """A snapshot's bids descend, its asks ascend, and none is of quantity zero."""
        for line, old, new, reason in (
            (2, "99.5 2;99.0 3", "99.0 3;99.5 2", "bids of a snapshot do not descend"),
            (2, "99.5 2", "100.00 2", "bids of a snapshot do not descend"),
            (2, "102.0 2", "100.9 2", "asks of a snapshot do not ascend"),
            (2, "102.0 2", "102.0 0.00", "a snapshot's ask of quantity zero"),
        ):
            self.files = {name: lines[:2] for name, lines in good().items() if name in (part(DEPTH), GAPS)}
            self.edit(part(DEPTH), line, old, new)
            with self.subTest(new=new):
                self.broken(f"{part(DEPTH)}:{line}", reason)

    def test_book_of_very_many_levels(self) -> None:
        """A row of more than a megabyte is a row."""
        bids = ";".join(f"{100_000 - level}.00 0.001" for level in range(90_000))
        self.files = {DEPTH: [HEADER, f"{at(0)},,1,{bids},"], GAPS: good()[GAPS]}
        self.assertGreater(len(self.files[DEPTH][1]), 1 << 20)
        self.holds()

    def test_level_doubled(self) -> None:
        """Within a row a level stands once, however it is written."""
        self.edit(part(DEPTH), 3, "99.8 4", "99.8 4;99.80 4")
        self.broken(f"{part(DEPTH)}:3", "bid 99.80 comes twice")

    def test_value_that_is_no_decimal(self) -> None:
        """Prices and quantities are plain decimals, a space between them and a semicolon behind."""
        for side in ("99.8", "99.8 4;", "99.8 -4", "99.8  4", "99.8 4;99.7", ";", "1e2 4", " ", "99.8 4|1 1"):
            self.files = good()
            self.edit(part(DEPTH), 3, "100.0 0;99.8 4", side)
            with self.subTest(side=side):
                self.broken(f"{part(DEPTH)}:3", "bids is", count=2)


class Crossed(ChainCase):
    def setUp(self) -> None:
        super().setUp()
        self.files = {name: lines for name, lines in good().items() if name not in (BOOK, PRICES)}

    def test_book_crossed(self) -> None:
        """A best bid that is not below the best ask at the end of a time is broken, but where the ledger says so."""
        self.files[DEPTH] += [f"{at(5)},112,113,102.0 1,", f"{at(6)},113,114,102.0 0,"]
        self.broken(f"{DEPTH}:5", "the book is crossed behind the last row of its time: bid 102.0 1 and ask 102.0 2")
        self.explain(4.5, 5.5, "mismatch")
        self.holds()

    def test_book_crossed_for_a_moment(self) -> None:
        """Crossed between two rows of one time it is counted and shown; at the very end nobody knows."""
        self.files[DEPTH] += [
            f"{at(5)},112,113,102.5 1,",
            f"{at(5)},113,114,,103 1",
            f"{at(5)},114,115,,102.0 0",
            f"{at(6)},115,116,104 1,",
        ]
        self.holds()
        out = self.run_main()[1]
        said = "the book is crossed 2 times from here on, not at the end of a timestamp; counted, not broken\n"
        self.assertIn(f"{self.folder}/{DEPTH}:5: {said}", out)
        self.assertEqual(self.facts()["depth"]["crossed"], {"moments": 2, "file": DEPTH, "line": 5})

    def test_hole_in_the_middle_of_a_time(self) -> None:
        """The rest of a time that a snapshot cuts short is not known."""
        self.files[DEPTH] += [f"{at(5)},112,113,102.5 1,", f"{at(6)},,115,100 1,101 1"]
        self.explain(5.9, 6)
        self.holds()

    def test_file_ends_at_a_crossed_moment(self) -> None:
        """The next file's snapshot shows that the time was over."""
        last = self.files[part(DEPTH)]
        last.append(f"{at(2.5)},104,105,101.0 1,")
        self.files[DEPTH][1:] = [f"{at(3)},,105,101.0 1;99.8 4;99.5 2;99.0 3,101.0 1.5;102.0 2"]
        self.broken(f"{part(DEPTH)}:5", "the book is crossed")

    def test_one_side_is_empty(self) -> None:
        """An empty side can't cross."""
        self.files[DEPTH] += [f"{at(5)},112,113,999 1,102.0 0", f"{at(6)},113,114,998 1,"]
        self.holds()


class CrossProof(ChainCase):
    def test_order_book_altered(self) -> None:
        """A digit of a price or a quantity, a level more or less than the full book has at that id, is broken."""
        for line, old, new, reason in (
            (2, "99.5,2,", "99.5,3,", f"bid 99.5 3, but 99.5 2 in the full book at update_id 103, {part(DEPTH)}:3"),
            (2, "101.0,1,", "101.1,1,", "ask 101.1 1, but 101.0 1 in the full book"),
            (4, ",99.0,3,,,", ",,,,,", f"bid none, but 99.0 3 in the full book at update_id 110, {DEPTH}:3"),
            (4, "102.0,2,,,", "102.0,2,109,1,", "ask 109 1, but none in the full book"),
        ):
            self.files = good()
            self.edit(BOOK, line, old, new)
            with self.subTest(new=new):
                self.broken(f"{BOOK}:{line}", reason)
        self.explain(0, 9, "mismatch")
        self.holds()
        self.assertEqual(self.facts()["orderbook"]["proven"], {"rows": 0, "unsaid": 3})

    def test_quote_altered(self) -> None:
        """A quote's prices and quantities are those of the best levels at its id; zero says that a side is absent."""
        for old, new, reason in (
            (",4,1.5", ",4,1.6", "ask 101.0 1.6, but 101.0 1.5 in the full book at update_id 104"),
            ("99.8,101.0,100.4,", "99.7,101.1,100.4,", "bid 99.7 4, but 99.8 4 in the full book"),
            ("99.8,101.0,100.4,", "0,101.0,50.5,", "bid none, but 99.8 4 in the full book"),
        ):
            self.files = good()
            self.edit(PRICES, 3, old, new)
            with self.subTest(new=new):
                self.broken(f"{PRICES}:3", reason)
                self.assertEqual(self.facts()["prices"]["proven"], {"rows": 1, "unsaid": 1})
        self.explain(2, 2, "mismatch")
        self.holds()

    def test_side_is_absent(self) -> None:
        """A side without a level is shown so by both."""
        self.files[DEPTH] += [f"{at(5)},112,113,,102.0 0"]
        self.files[PRICES] += [f"{at(5)},100.0,0,50.00,113,1,0"]
        self.files[BOOK] += [f"{at(5)},113,100.0,1,99.8,4,99.5,2,99.0,3,,,,,,,,,,,,"]
        self.holds()
        self.assertEqual(self.facts()["prices"]["proven"], {"rows": 3, "unsaid": 1})
        self.assertEqual(self.facts()["orderbook"]["proven"], {"rows": 3, "unsaid": 1})

    def test_same_number_in_other_decimals(self) -> None:
        """Values are compared as numbers."""
        self.edit(BOOK, 2, "99.5,2,", "99.50,2.0,")
        self.holds()

    def test_row_between_two_ids(self) -> None:
        """What the book was between two of its rows can't be said, before the first and behind the last neither."""
        self.edit(BOOK, 3, "99.8,4", "99.7,5")
        self.files[BOOK].append(f"{at(9)},999,1,1,,,,,,,,,2,1,,,,,,,,")
        self.holds()
        self.assertEqual(self.facts()["orderbook"]["proven"], {"rows": 2, "unsaid": 2})

    def test_quotes_without_ids(self) -> None:
        """Without --quantities quotes have no ids, and nothing is said of them; a file that has them is proven."""
        full = self.files[PRICES]
        self.files[PRICES] = [",".join(line.split(",")[:4]) for line in full]
        self.assertEqual(self.facts()["prices"]["proven"], None)
        self.files[part(PRICES)] = self.files[PRICES][:3]
        self.files[PRICES] = [full[0], full[3]]
        self.assertEqual(self.facts()["prices"]["proven"], {"rows": 1, "unsaid": 2})

    def test_no_full_book(self) -> None:
        """Where it was not collected nothing is said of it."""
        del self.files[DEPTH], self.files[part(DEPTH)]
        self.holds()
        self.assertNotIn("full book", self.run_main()[1])
        self.assertEqual(self.facts()["orderbook"]["proven"], None)

    def test_behind_a_break(self) -> None:
        """Behind a row that joins nothing the book is not known, up to the next snapshot."""
        self.edit(part(DEPTH), 4, ",103,104,", ",102,104,")
        self.broken(f"{part(DEPTH)}:4", "previous_update_id 102")
        self.assertEqual(self.facts()["prices"]["proven"], {"rows": 1, "unsaid": 2})

    def test_snapshot_is_proven_too(self) -> None:
        """A snapshot of REST is a row of the book like any other."""
        self.files[PRICES][1] = f"{at(0)},100.0,101.0,100.5,100,1,1"
        self.assertEqual(self.facts()["prices"]["proven"], {"rows": 3, "unsaid": 0})
        self.edit(PRICES, 2, ",1,1", ",2,1")
        self.broken(f"{PRICES}:2", "bid 100.0 2, but 100.0 1 in the full book at update_id 100")


class Reach(ChainCase):
    """A snapshot of REST shows 1000 levels a side; those behind it are known once they have changed."""

    def setUp(self) -> None:
        super().setUp()
        bids = ";".join(f"{5000 - level} 1" for level in range(1000))
        self.files = {
            DEPTH: [HEADER, f"{at(0)},,100,{bids},6000 1", f"{at(1)},100,101,,6001 1"],
            BOOK: good()[BOOK][:1],
            GAPS: good()[GAPS],
        }
        gone = ";".join(f"{5000 - level} 0" for level in range(998))
        self.files[DEPTH].append(f"{at(2)},101,102,{gone},")  # 4002 and 4001 are left

    def book(self, *bids: int) -> None:
        cells = [f"{bids[level]},1" if level < len(bids) else "," for level in range(5)]
        self.files[BOOK][1:] = [f"{at(2)},102,{','.join(cells)},6000,1,6001,1,,,,,,"]

    def test_levels_beyond(self) -> None:
        """A level beyond it that the order book shows can't be said; one within it must be there."""
        for bids, proof in (
            ((4002, 4001), (1, 0)),
            ((4002, 4001, 4000, 3999), (0, 1)),
            ((4002, 4001, 3000), (0, 1)),
        ):
            self.book(*bids)
            with self.subTest(bids=bids):
                self.holds()
                self.assertEqual(self.facts()["orderbook"]["proven"], dict(zip(("rows", "unsaid"), proof, strict=True)))
        for bids in ((4003, 4002, 4001), (4002,), (4001, 4000)):
            self.book(*bids)
            with self.subTest(bids=bids):
                self.broken(f"{BOOK}:2", "in the full book")

    def test_level_beyond_that_has_changed(self) -> None:
        """It is known from then on: an order book that does not show it is broken."""
        self.edit(DEPTH, 4, ",101,102,", ",101,102,3500 7;")
        self.book(4002, 4001, 4000)
        self.holds()
        self.book(4002, 4001, 3400)
        self.broken(f"{BOOK}:2", "bid 3400 1, but 3500 7 in the full book")

    def test_whole_side(self) -> None:
        """A side of fewer levels is all that there is."""
        self.edit(DEPTH, 2, "5000 1;", "")
        self.edit(DEPTH, 4, "5000 0;", "")
        self.book(4002, 4001, 4000)
        self.broken(f"{BOOK}:2", "bid 4000 1, but none in the full book")

    def test_history_begins_with_what_was_kept(self) -> None:
        """The first file that is left may begin with the book as kept, and nobody knows how far that reached."""
        self.edit(DEPTH, 2, "5000 1;", "")
        self.edit(DEPTH, 4, "5000 0;", "")
        self.edit(DEPTH, 3, at(1), at(0))
        self.book(4002, 4001, 4000)
        self.holds()
        self.book(4002, 3999)
        self.broken(f"{BOOK}:2", "bid 3999 1, but 4001 1 in the full book")

    def test_reach_over_a_file(self) -> None:
        """A file that begins with the book as it was leaves the reach as it was."""
        self.files[part(DEPTH)] = [*self.files[DEPTH]]
        self.files[DEPTH][1:] = [f"{at(3)},,102,4002 1;4001 1,6000 1;6001 1", f"{at(3)},102,103,,6002 1"]
        self.files[BOOK][1:] = [f"{at(3)},103,4002,1,4001,1,4000,1,,,,,6000,1,6001,1,6002,1,,,,"]
        self.holds()
        self.files[BOOK][1] = self.files[BOOK][1].replace("4001", "4001.5")
        self.broken(f"{BOOK}:2", "bid 4001.5 1, but 4001 1 in the full book")

    def test_reach_over_a_remembered_file(self) -> None:
        """So does one that follows a file that is not read again."""
        self.files[part(DEPTH)] = [*self.files[DEPTH]]
        self.files[DEPTH][1:] = [f"{at(3)},,102,4002 1;4001 1,6000 1;6001 1", f"{at(4)},102,103,,6002 1"]
        self.files[part(BOOK)] = self.files[BOOK][:1]
        self.files[BOOK][1:] = [f"{at(4)},103,4002,1,4001,1,4000,1,,,,,6000,1,6001,1,6002,1,,,,"]
        self.write()
        remembered: Remembered = {}
        found = [check_folder(self.folder, remembered=remembered).json() for _ in range(2)]
        self.assertEqual(found[0], found[1])
        self.assertTrue(found[0]["holds"])
        (file,) = remembered["BTCUSDT/depth"]
        before_ms, times, book = file.state
        empty = [*book[:4], ["", "all"], ["", "all"]]
        remembered["BTCUSDT/depth"] = [file._replace(state=[before_ms, times, empty])]
        self.assertFalse(check_folder(self.folder, remembered=remembered).json()["holds"], "it was read again")


class Memory(ChainCase):
    def peak(self, count: int) -> int:
        """Return the most bytes that a check of so many rows of the full book, and as many order books, held."""
        bids, asks = ";".join(f"{900 - n}.5 1" for n in range(500)), ";".join(f"{901 + n} 1" for n in range(500))
        top = ",".join([*(f"{900 - n}.5,1" for n in range(5)), *(f"{901 + n},1" for n in range(5))])
        self.files[DEPTH][1:] = [f"{at(0)},,1,{bids},{asks}"]
        self.files[DEPTH] += [
            f"{at(n)},{n},{n + 1},{n % 300}.25 {n % 2},{2000 + n % 300}.75 0" for n in range(1, count)
        ]
        self.files[BOOK][1:] = [f"{at(n)},{n},{top}" for n in range(1, count)]
        self.files = {name: self.files[name] for name in (DEPTH, BOOK, GAPS)}
        self.write()
        tracemalloc.start()
        try:
            report = check_folder(self.folder)
            self.assertEqual((report.total, report.histories[0].proof), (0, Proof(count - 1, 0)))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def test_a_year_of_rows(self) -> None:
        """Memory does not grow with the files: their blocks are read side by side."""
        small, large = self.peak(2_000), self.peak(20_000)
        self.assertLess(large, small * 1.2 + 1_000_000)


if __name__ == "__main__":
    unittest.main()
