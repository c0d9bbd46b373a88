"""What docs/design.md draws is how the program is cut."""

import re
from unittest import TestCase

from aster_collect.exchange.streams import KINDS
from aster_collect.exchange.streams.kind import Lane
from aster_collect.order import effects
from tests.unit.docs.page import DOCS, ROOT, fenced, table

DESIGN = DOCS["design"]


class TheDesign(TestCase):
    def test_a_kind_in_another_lane(self) -> None:
        """The table of lanes has every kind in its lane, and every lane of data."""
        told = {lane.strip("`").lower(): kinds for lane, _, kinds in table(DESIGN.section("The table of streams"))}
        drawn = {
            lane.value: ", ".join(kind.name for kind in KINDS.values() if kind.lane is lane) or "-"
            for lane in Lane
            if lane is not Lane.LEDGER
        }
        self.assertEqual(told, drawn)

    def test_an_effect_that_nobody_explains(self) -> None:
        """The table of effects has each of them."""
        cells = [row[0] for row in table(DESIGN.section("The engine").partition("| effect |")[2])]
        told = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
        self.assertEqual(told, {one.__name__ for one in effects.Effect.__args__})

    def test_a_room_that_is_not_on_the_map(self) -> None:
        """Every package is there with its sentence, and no other."""
        (drawn,) = fenced("text", DESIGN.section("Where things are"))
        told = re.findall(r"^  (\w+)/ +\w", drawn, re.MULTILINE)
        rooms = [path.parent.name for path in (ROOT / "aster_collect").glob("*/__init__.py")]
        self.assertCountEqual(told, rooms)
