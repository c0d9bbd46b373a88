"""What the page's colours say can be read, light and dark."""

import re
import unittest

from aster_collect.report.style import CSS

TEXT, SHAPE = 4.5, 3.0  # least contrasts of WCAG 2.2, level AA: 1.4.3 and 1.4.11


def colours(css: str) -> dict[str, str]:
    """Return the variables that are plain colours, in six digits."""
    found = re.findall(r"--(\w+):#([0-9a-f]{3}|[0-9a-f]{6})\b", css)
    return {name: value if len(value) == 6 else "".join(2 * digit for digit in value) for name, value in found}


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


class TheColours(unittest.TestCase):
    def test_what_can_not_be_read(self) -> None:
        """Text, lines, marks of gaps and their ground differ enough, in both schemes."""
        light, _, dark = CSS.partition("@media(prefers-color-scheme:dark)")
        for scheme, found in {
            "light": colours(light),
            "dark": colours(light) | colours(dark.partition("}}")[0]),
        }.items():
            pairs = {(text, ground): TEXT for text in ("fg", "dim", "link", "warn") for ground in ("bg", "soft")}
            pairs |= {(line, "soft"): SHAPE for line in ("a", "b", "edge")}
            pairs |= {(f"c{number}", "have"): SHAPE for number in range(5)}
            for (one, other), least in pairs.items():
                with self.subTest(scheme=scheme, colour=one, on=other):
                    self.assertGreaterEqual(contrast(found[one], found[other]), least)


if __name__ == "__main__":
    unittest.main()
