"""What several lack: stretches that all have in common, and ids that none has."""

import unittest
from collections.abc import Sequence
from itertools import pairwise

from aster_collect.exchange.events import Gap
from aster_collect.merge.lacking import Hole, Part, ids, stretches

EXTENT = (0, 100_000)


def gap(from_ms: int, to_ms: int, cause: str = "reconnect") -> Gap:
    return Gap("prices", from_ms, to_ms, None, None, cause)


def lost(first: int, last: int, from_ms: int = 10, to_ms: int = 90, cause: str = "gave-up") -> Gap:
    return Gap("trades", from_ms, to_ms, first, last, cause)


def part(*gaps: Gap, extent: tuple[int, int] | None = EXTENT, inside: Sequence[int] = ()) -> Part:
    return Part(gaps, extent, inside)


class Stretches(unittest.TestCase):
    def told(self, *parts: Part, restart: bool = True) -> list[tuple[int, int, str]]:
        """Return what all lack, whatever their order is."""
        found = stretches("prices", parts, tell_restart=restart)
        self.assertEqual(stretches("prices", parts[::-1], tell_restart=restart), found)
        return [(one.from_ms, one.to_ms, one.cause) for one in found]

    def test_one_that_was_there(self) -> None:
        """What one lacks, and another has, is not missing."""
        self.assertEqual(self.told(part(gap(10, 20)), part(gap(20, 30))), [])

    def test_two_that_were_gone_at_once(self) -> None:
        """The time that both lack is missing."""
        self.assertEqual(self.told(part(gap(10, 25)), part(gap(20, 30))), [(20, 25, "reconnect")])

    def test_one_that_had_not_begun(self) -> None:
        """Before its first row and behind its last one, what the other lacks is missing."""
        late = part(extent=(25, 80))
        self.assertEqual(
            self.told(part(gap(10, 30), gap(70, 90)), late), [(10, 25, "reconnect"), (80, 90, "reconnect")]
        )

    def test_none_that_ran(self) -> None:
        """Between the end of one and the begin of the other it says restart, before and behind both nothing."""
        self.assertEqual(self.told(part(extent=(0, 40)), part(extent=(60, 90))), [(40, 60, "restart")])
        self.assertEqual(self.told(part(extent=(0, 40)), part(extent=(60, 90)), restart=False), [])

    def test_one_without_any_row(self) -> None:
        """It lacks everything, and what its own ledger says is no news."""
        self.assertEqual(self.told(part(gap(10, 20)), part(extent=None)), [(10, 20, "reconnect")])

    def test_rows_that_overlap(self) -> None:
        """They stay two: where one ends and the other begins there were rows."""
        both = part(gap(10, 3000), gap(2900, 6000))
        self.assertEqual(self.told(both, part(gap(0, 9000))), [(10, 3000, "reconnect"), (2900, 6000, "reconnect")])

    def test_rows_that_lie_within_another(self) -> None:
        """One that says no more than the one around it is left out, unless a folder's ledger has just that row."""
        outer, inner = gap(10, 50), gap(20, 30)
        self.assertEqual(self.told(part(outer), part(gap(0, 60), gap(20, 30, "overflow"))), [(10, 50, "reconnect")])
        self.assertEqual(
            self.told(part(outer, inner), part(gap(0, 60))), [(10, 50, "reconnect"), (20, 30, "reconnect")]
        )

    def test_a_cause_that_lets_rows_be(self) -> None:
        """Where one of the causes says that rows may lie within, that one is told."""
        self.assertEqual(self.told(part(gap(10, 30)), part(gap(20, 40, "late"))), [(20, 30, "late")])
        self.assertEqual(self.told(part(gap(10, 30, "mismatch")), part(gap(20, 40, "clock"))), [(20, 30, "clock")])

    def test_a_moment(self) -> None:
        """One event that came late is missing where no other has rows of that time; the end of a stretch is not one."""
        late = gap(20, 20, "late")
        self.assertEqual(self.told(part(late), part()), [])
        self.assertEqual(self.told(part(late), part(gap(20, 30))), [(20, 20, "late")])
        self.assertEqual(self.told(part(gap(10, 20)), part(gap(20, 30))), [])

    def test_a_row_of_each_within_what_both_lack(self) -> None:
        """One row may lie in a stretch; where each has one, it is cut there."""
        one, other = part(gap(0, 9000), inside=[4000]), part(gap(0, 9000), inside=[5000])
        self.assertEqual([each[:2] for each in self.told(one, other)], [(0, 4000), (4000, 5000), (5000, 9000)])
        self.assertEqual([each[:2] for each in self.told(one, part(gap(0, 9000), inside=[4000]))], [(0, 9000)])


class Missing(unittest.TestCase):
    def told(self, parts: Sequence[Part], *present: tuple[int, int]) -> list[tuple[int, int, int, int, str]]:
        """Return the times, ids and causes that are told where these ids are there, each made at its number."""
        holes = [Hole(last + 1, first - 1, last, first) for (_, last), (first, _) in pairwise(present)]
        found = ids("trades", parts, holes, present)
        self.assertEqual(ids("trades", parts[::-1], holes, present), found)
        return [
            (one.from_ms, one.to_ms, one.first_missing_id or 0, one.last_missing_id or 0, one.cause) for one in found
        ]

    def test_what_another_has(self) -> None:
        """Of a listed range that is left which no folder has, between the rows that are there now."""
        self.assertEqual(self.told([part(lost(20, 29))], (1, 40)), [])
        self.assertEqual(self.told([part(lost(20, 29))], (1, 22), (26, 40)), [(22, 26, 23, 25, "gave-up")])

    def test_what_nobody_has(self) -> None:
        """It is listed as it was."""
        self.assertEqual(self.told([part(lost(20, 29))], (1, 19), (30, 40)), [(10, 90, 20, 29, "gave-up")])

    def test_two_that_list_the_same(self) -> None:
        """Each id is told once."""
        several = [part(lost(20, 25)), part(lost(23, 29, cause="backfill-limit"))]
        self.assertEqual(
            self.told(several, (1, 19), (30, 40)), [(10, 90, 20, 25, "gave-up"), (10, 30, 26, 29, "backfill-limit")]
        )

    def test_a_time_in_which_none_ran(self) -> None:
        """A hole that no ledger lists lies between two runs."""
        self.assertEqual(self.told([part(), part()], (1, 19), (30, 40)), [(19, 30, 20, 29, "restart")])

    def test_ids_behind_the_last_row(self) -> None:
        """What is listed there stays listed."""
        self.assertEqual(self.told([part(lost(50, 59))], (1, 40)), [(10, 90, 50, 59, "gave-up")])


if __name__ == "__main__":
    unittest.main()
