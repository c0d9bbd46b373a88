"""What is drawn is well-formed, and lies where its values are."""

import re
import unittest
from xml.etree import ElementTree

from aster_collect.report import svg
from aster_collect.report.axis import Cut
from aster_collect.report.causes import LOOKS
from aster_collect.report.figures import Drawing, Stretch, Table, count_labels, drawn, marks, scrolled, shades
from aster_collect.report.numbers import duration, plain, size, tick_texts, ticks, time_ticks
from tests.support import rounds

NAMES = "<>&\"'1aä币 "


def walked(path: str) -> list[tuple[float, float]]:
    """Return the corners of a path, in absolute places."""
    x = y = 0.0
    corners = []
    for step, numbers in re.findall(r"([MlhVz])([-\d. ]*)", path):
        values = [float(number) for number in numbers.split()]
        if step == "M":
            x, y = values
        elif step == "l":
            x, y = x + values[0], y + values[1]
        elif step == "h":
            x += values[0]
        elif step == "V":
            y = values[0]
        corners.append((x, y))
    return corners


class Paths(unittest.TestCase):
    def test_a_line_of_anything(self) -> None:
        """Every point of a line is a corner of its path; it is broken where it has to be, and nowhere else."""
        for seed, chance in rounds(300):
            points = {chance.randrange(400): chance.uniform(-5, 5) for _ in range(chance.randrange(1, 90))}
            within = svg.Range(-5, 5)
            holes = {chance.randrange(400) for _ in range(3)}

            def broken(before: int, at: int, holes: set[int] = holes) -> bool:
                return any(before < hole < at for hole in holes)

            path = svg.line(points, within, broken)
            with self.subTest(seed=seed):
                places = [(at + 0.5, float(within.y(points[at]))) for at in sorted(points)]
                alone = [one for one in re.findall(r"M[^M]*", path) if "h" in one]
                self.assertEqual({end[0] - start[0] for start, end in map(walked, alone)} - {1.0}, set())
                middles = [((start[0] + end[0]) / 2, end[1]) for start, end in map(walked, alone)]
                longer = [corner for one in re.findall(r"M[^M]*", path) if "h" not in one for corner in walked(one)]
                self.assertEqual(sorted([*middles, *longer]), places)
                ats = sorted(points)
                self.assertEqual(path.count("M"), 1 + sum(map(broken, ats, ats[1:])))

    def test_bars_of_anything(self) -> None:
        """Each bar ends at its value, whether there are few or many, and stands on zero."""
        for seed, chance in rounds(300):
            steps = chance.choice((50, 700))
            values = {chance.randrange(steps): chance.uniform(-4, 4) for _ in range(chance.randrange(1, 60))}
            within = svg.Range(-5, 5)
            corners = walked(svg.bars(values, within, steps))
            with self.subTest(seed=seed, steps=steps):
                self.assertEqual(corners[-1][1], within.y(0))
                tops = {(int(x + 1e-9), y) for x, y in corners if y != within.y(0)}
                for at, value in values.items():
                    self.assertTrue(within.y(value) == within.y(0) or (at, float(within.y(value))) in tops)

    def test_a_band(self) -> None:
        """A band goes along the upper values and back along the lower ones."""
        path = svg.band({0: (1, 2), 1: (1, 3)}, svg.Range(0, 4), lambda before, at: False)
        self.assertEqual(walked(path)[:-1], [(0.5, 500), (1.5, 250), (1.5, 750), (0.5, 750)])


class Drawings(unittest.TestCase):
    def test_names_of_any_kind(self) -> None:
        """Whatever a name or a sentence holds, a drawing is one element of XML that says just that."""
        for seed, chance in rounds(100):
            name, sentence = ("".join(chance.choices(NAMES, k=9)) for _ in range(2))
            html = drawn(Drawing(name, sentence, "", 10, [(0.5, name)], [(0.5, sentence)]))
            with self.subTest(seed=seed):
                tree = ElementTree.fromstring(html)
                texts = ["".join(one.itertext()) for one in tree.iter() if one.tag in ("title", "desc", "span")]
                self.assertEqual(texts, [name, name, sentence, sentence])

    def test_a_table_of_any_kind(self) -> None:
        """Cells are told as they are, never as HTML."""
        self.assertNotIn("<b>", scrolled("<b>", Table(("<b>", "&"), [("<b>", '"')])))

    def test_two_causes_that_look_the_same(self) -> None:
        """Each cause has a colour and a pattern that no other one has."""
        self.assertEqual(len(set(LOOKS.values())), len(LOOKS))


class Shades(unittest.TestCase):
    CUT = Cut(0, 1000, 1000)

    def test_more_gaps_than_an_eye_can_tell(self) -> None:
        """However many there are, few marks show them, every gap lies in one, and no cause is lost."""
        for seed, chance in rounds(50):
            starts = sorted(chance.randrange(999_000) for _ in range(chance.choice((5, 400, 3000))))
            gaps = [Stretch(start, start + chance.randrange(300), (chance.choice("abc"),)) for start in starts]
            shown = shades(self.CUT, gaps, 100)
            with self.subTest(seed=seed):
                self.assertLessEqual(len(shown), 100)
                for gap in gaps:
                    around = [
                        one for one in shown if one[0] <= gap.start_ms / 1e6 and gap.end_ms / 1e6 <= one[1] + 1e-9
                    ]
                    self.assertTrue(any({*gap.causes} <= {*one[2].causes} for one in around))

    def test_a_gap_that_lies_elsewhere(self) -> None:
        """What lies before the page's time or behind it is not shown."""
        self.assertEqual(shades(self.CUT, [Stretch(-20, -10, ("late",)), Stretch(2_000_000, 2_000_001, ("late",))]), [])

    def test_a_gap_of_a_moment(self) -> None:
        """A gap that is shorter than a pixel is wide enough to be seen, and lies within."""
        (found,) = ElementTree.fromstring(
            f"<svg>{marks(shades(self.CUT, [Stretch(999_999, 1_000_000, ('late',))]))}</svg>"
        )
        x, width = (float(found.attrib[name].rstrip("%")) for name in ("x", "width"))
        self.assertGreater(width, 0.2)
        self.assertLessEqual(x + width, 100.001)
        self.assertEqual(found[0].text, "late: 1970-01-01 00:16:39 to 1970-01-01 00:16:40, 1 ms")


class Numbers(unittest.TestCase):
    def test_scales_of_any_size(self) -> None:
        """Ticks lie within, are few but more than one, and no two have the same text."""
        for seed, chance in rounds(1000):
            low = chance.uniform(-1, 1) * 10 ** chance.randrange(-7, 12)
            high = low + 10 ** chance.uniform(-6, 12)
            if high - low < abs(low) * 1e-9:
                continue
            step, values = ticks(low, high)
            with self.subTest(seed=seed, low=low, high=high):
                self.assertTrue(2 <= len(values) <= 6, values)
                self.assertTrue(all(low - step * 1e-6 <= value <= high + step * 1e-6 for value in values))
                self.assertEqual(len(set(tick_texts(values, step))), len(values))

    def test_a_part_of_a_row(self) -> None:
        """A scale of how many there are has whole numbers alone."""
        self.assertEqual([text for _, text in count_labels(svg.Range(0, 2.1))], ["0", "1", "2"])
        self.assertEqual([text for _, text in count_labels(svg.Range(0, 26))], ["0", "10", "20"])

    def test_times_of_any_length(self) -> None:
        """A time has few ticks, and at least one where it is longer than a moment."""
        for seed, chance in rounds(500):
            start_ms = chance.randrange(1 << 41)
            length_ms = 10_000 + chance.randrange(1 << chance.randrange(10, 40))
            with self.subTest(seed=seed, start=start_ms, length=length_ms):
                found = time_ticks(start_ms, start_ms + length_ms)
                self.assertTrue(1 <= len(found) <= 10, found)

    def test_how_numbers_are_told(self) -> None:
        """Numbers are plain, times have two units, bytes one."""
        self.assertEqual([plain(number) for number in (0, 1234567.0, 0.000012345678, -2.5)],
                         ["0", "1,234,567", "0.0000123457", "-2.5"])  # fmt: skip
        self.assertEqual([duration(time_ms) for time_ms in (7, 1500, 61_000, 90_061_000)],
                         ["7 ms", "1.5 s", "1 min 1 s", "1 d 1 h"])  # fmt: skip
        self.assertEqual([size(count) for count in (7, 1500, 10**9)], ["7 B", "1.5 kB", "1 GB"])


if __name__ == "__main__":
    unittest.main()
