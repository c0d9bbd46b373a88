"""Each kind of option reads what it may be, and refuses all else in words that say what that is."""

import unittest
from datetime import UTC, datetime
from pathlib import Path

from aster_collect.errors import ConfigError
from aster_collect.options import Choice, Names, Number, Option, Part, Place, Switch, Time, Url, WholeNumber, Words

HALF = Number("--half", "how much", 0.5, 7, "seconds")
COUNT = WholeNumber("--count", "how many", 1, 3, "", "N")
SIZE = Choice("--size", "which", (5, 10, "All"))
SOME = Words("--some", "what", ("this", "that"))
THIRD = Part("--third", "which", 3, lambda number, of: (number, of))
URL = Url("--url", "where", ("ws", "wss"))
FOLDER = Place("--dir", "where to", "DIR", "a folder's name")
NAMES = Names("--names", "which", "NAME", "names with commas between them")
TIME = Time("--time", "when")
OFF = Switch("--off", "not", on=False)

GOOD: list[tuple[Option, str, object]] = [
    (HALF, "0.5", 0.5),
    (HALF, "7", 7.0),
    (COUNT, "3", 3),
    (SIZE, "10", 10),
    (SIZE, "aLL", "All"),
    (SOME, "That, this,THAT", ("that", "this")),
    (SOME, "ALL", ("all",)),
    (THIRD, "2/3", (2, 3)),
    (URL, "wss://[::1]:80/", "wss://[::1]:80/"),
    (FOLDER, "there", Path("there")),
    (NAMES, "btcusdt, 币安人生usdt,BTCUSDT", ("BTCUSDT", "币安人生USDT")),
    (TIME, "2026-11-22", datetime(2026, 11, 22, tzinfo=UTC)),
    (TIME, "2026-11-22T13:00", datetime(2026, 11, 22, 13, tzinfo=UTC)),
    (TIME, "2026-11-22 13:00:30.25Z", datetime(2026, 11, 22, 13, 0, 30, 250_000, tzinfo=UTC)),
    (TIME, "2026-11-22T01:00+01:00", datetime(2026, 11, 22, tzinfo=UTC)),
    (TIME, "1795305600", datetime(2026, 11, 22, tzinfo=UTC)),
    (TIME, "1795305600.001", datetime(2026, 11, 22, 0, 0, 0, 1000, tzinfo=UTC)),
    (OFF, "", False),
]
BAD: list[tuple[Option, str, str]] = [
    (HALF, "0.4", "--half: 0.4 given, 0.5 to 7 seconds allowed"),
    (HALF, "nan", "--half: nan given, 0.5 to 7 seconds allowed"),
    (HALF, "much", "--half: 'much' given, 0.5 to 7 seconds allowed"),
    (COUNT, "0", "--count: 0 given, 1 to 3 allowed"),
    (COUNT, "1.0", "--count: '1.0' given, 1 to 3 allowed"),
    (COUNT, "x" * 99, f"--count: '{'x' * 60}…' given, 1 to 3 allowed"),
    (SIZE, "7", "--size: '7' given, 5, 10, All allowed"),
    (SIZE, "", "--size: '' given, 5, 10, All allowed"),
    (SOME, "this,those", "--some: 'those' given, all, or some of this, that allowed"),
    (SOME, "", "--some: '' given, all, or some of this, that allowed"),
    (
        SOME,
        "all,this",
        "--some: 'all,this' given, all, or some of this, that allowed; all stands alone: leave it out, or the others",
    ),
    *(
        (THIRD, text, f"--third: '{text}' given, K/N, such as 1/3, with K from 1 to N and N up to 3 allowed")
        for text in ("0/3", "3/2", "1/4", "1", "1/", "-1/3", "1/3/3", "½", "1/0")
    ),
    (URL, "http://h", "--url: 'http://h' given, ws://HOST[:PORT] or wss://HOST[:PORT] allowed"),
    (
        URL,
        "ws://user:word@h/x",
        "--url: 'ws://***@h/x' given, ws://HOST[:PORT] or wss://HOST[:PORT] allowed; the paths are added to it: "
        "give ws://***@h",
    ),
    *((NAMES, text, f"--names: '{text}' given, names with commas between them allowed") for text in ("", "A,,B")),
    *(
        (TIME, text, f"--time: '{text}' given, {TIME.allowed()} allowed")
        for text in ("", "2026", "20261122", "2026-02-30", "2026-11-22T25:00", "1795305600000", "1e9", "today")
    ),
    (FOLDER, "", "--dir: '' given, a folder's name allowed"),
    (FOLDER, "a\nb", "--dir: 'a\\nb' given, a folder's name allowed"),
]


class Options(unittest.TestCase):
    def test_what_may_be_is_read(self) -> None:
        """The value has the option's type, and passes its own check."""
        for option, text, value in GOOD:
            self.assertEqual(option.read(text), value)
            self.assertIs(type(option.read(text)), type(value))
            option.check(value)

    def test_what_may_not_be_is_one_line(self) -> None:
        """It says which option, what was given, shortened and without a password, and what is allowed."""
        for option, text, told in BAD:
            with self.assertRaises(ConfigError) as caught:
                option.read(text)
            self.assertEqual(str(caught.exception), told)

    def test_a_value_that_no_text_was_read_for(self) -> None:
        """A program that sets it is refused in the same words."""
        for option, value in ((HALF, 7.5), (COUNT, 4), (SIZE, 7), (URL, "h")):
            self.assertRaisesRegex(ConfigError, f"^{option.name}: .* given, .* allowed$", option.check, value)

    def test_how_help_tells_of_it(self) -> None:
        """The value stands for itself, the range is behind the sentence, the default as short as can be."""
        shown = [(one.metavar(), one.sentence()) for one in (HALF, COUNT, SIZE, URL, FOLDER, OFF)]
        self.assertEqual(
            shown,
            [
                ("SECONDS", "how much; 0.5 to 7 seconds"),
                ("N", "how many; 1 to 3"),
                ("{5,10,All}", "which"),
                ("URL", "where"),
                ("DIR", "where to"),
                ("", "not"),
            ],
        )
        self.assertEqual([HALF.shown(5.0), HALF.shown(0.25), COUNT.shown(100_000)], ["5", "0.25", "100000"])
        self.assertEqual([SIZE.shown(10), FOLDER.shown(Path("a/b")), OFF.shown(True)], ["10", "a/b", "off"])
        self.assertEqual(Number("--x", "", 0, 1, "s", default="never").shown(None), "never")


if __name__ == "__main__":
    unittest.main()
