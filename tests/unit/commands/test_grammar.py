"""A grammar reads what it was given of options, and nothing but what was given is in what it returns."""

import unittest
from pathlib import Path

from aster_collect.commands.grammar import Grammar
from aster_collect.errors import ConfigError
from aster_collect.options import Number, Place, Switch, WholeNumber

OPTIONS = {
    "many": WholeNumber("--pair", "how many, and how long", 1, 9, "rows"),
    "long": Number("--pair", "", 0.5, 60, "seconds"),
    "loud": Switch("--loud", "say more of 100 %"),
    "quiet": Switch("--no-noise", "say less", on=False),
}


def grammar() -> Grammar:
    """Return one of the health command's name."""
    made = Grammar("health", "[DIR] [OPTION ...]", "Do what is done.", "example:\n  none\n")
    made.operand("folder", Place("DIR", "where", "", "a folder's name"), Path("here"))
    made.take(OPTIONS, {"many": 2, "long": 3.0, "loud": False, "quiet": True})
    return made


class AGrammar(unittest.TestCase):
    def test_what_is_given_is_what_is_returned(self) -> None:
        """Options of one name are one with several values; what is not given is absent, but for the operand."""
        self.assertEqual(vars(grammar().read([])), {"folder": Path("here")})
        said = vars(grammar().read(["--loud", "there", "--pair", "7", "1.5", "--no-noise"]))
        self.assertEqual(said, {"folder": Path("there"), "many": 7, "long": 1.5, "loud": True, "quiet": False})

    def test_each_value_of_a_pair_is_checked(self) -> None:
        """The value that is wrong is the one that is told."""
        for words, told in (
            (["--pair", "0", "1"], "--pair: 0 given, 1 to 9 rows allowed"),
            (["--pair", "1", "x"], "--pair: 'x' given, 0.5 to 60 seconds allowed"),
            (["--pair", "1"], "--pair: too little given, 1 to 9 rows and 0.5 to 60 seconds allowed"),
            (["--loud=1"], "--loud: a value given, no value allowed"),
            (["--lou"], "--lou: no such option; did you mean --loud? 'aster-collect health --help' lists them"),
            (["a", "b"], "'b' given, no further word allowed; 'aster-collect health --help' says what is"),
        ):
            with self.assertRaises(ConfigError) as caught:
                grammar().read(words)
            self.assertEqual(str(caught.exception), told)

    def test_what_argparse_itself_refuses(self) -> None:
        """What no option of ours is at fault for is one line too: a word that must be there, a list that is empty."""
        made = grammar()
        made.add_argument("more", nargs="+", metavar="MORE")
        made.add_argument("--list", nargs="+")
        for words, told in (
            (
                [],
                "the following arguments are required: MORE; 'aster-collect health --help' says what is allowed",
            ),
            (["--list"], "--list: too little given; 'aster-collect health --help' says what is allowed"),
        ):
            with self.assertRaises(ConfigError) as caught:
                made.read(words)
            self.assertEqual(str(caught.exception), told)

    def test_the_help(self) -> None:
        """It tells of the pair as one option, of each default, what stands behind, and then the exit statuses."""
        text = " ".join(grammar().format_help().split())
        for part in (
            "usage: aster-collect health [DIR] [OPTION ...] Do what is done.",
            "DIR where (default: here)",
            "--pair ROWS SECONDS how many, and how long; 1 to 9 rows and 0.5 to 60 seconds (default: 2 3)",
            "--loud say more of 100 % (default: off)",
            "example: none exit status: 0 every connection",
        ):
            self.assertIn(part, text)


if __name__ == "__main__":
    unittest.main()
