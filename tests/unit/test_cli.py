"""The command line finds the command that is meant, and turns what that raises into one line and an exit status."""

import subprocess
import sys
import unittest

from aster_collect import __version__, cli
from aster_collect.commands.command import NAMES, Command, load
from aster_collect.commands.statuses import FAILED, IMPOSSIBLE, INTERRUPTED, LOCKED
from aster_collect.errors import ConfigError, LockedError, StoreError
from tests.unit.commands.calls import Ended, Folder, call, caught, columns, environment


class TheCommandThatIsMeant(Folder):
    def test_no_command_collects(self) -> None:
        """Words that begin with none are those of `collect`, also where a command's name follows."""
        for words in ([], ["BTCUSDT"], ["btcusdt", "verify"], ["--demo", "health"], ["VERIFY"], ["Help"], [""]):
            self.assertEqual(cli.named(words), ("", words))
        for name in NAMES:
            self.assertEqual(cli.named([name, "BTCUSDT", "--x"]), (name, ["BTCUSDT", "--x"]))

    def test_collect_by_its_name_is_the_same(self) -> None:
        """What is refused is refused alike, with the command's name and without it."""
        for words in (["--order-book-levels", "7"], ["../x"], ["--what"]):
            self.assertEqual(call("collect", *words), call(*words))
            self.assert_refused(call(*words))

    def test_a_misspelt_command(self) -> None:
        """A word near to a command is refused with that command, and with how a symbol of the name is written."""
        for word, meant in (("verfy", "verify"), ("helth", "health"), ("simulator", "simulate"), ("hlep", "help")):
            self.assert_refused(
                call(word, "ASTER_data"), f"{word}: no such command; did you mean {meant}?", f"written {word.upper()}\n"
            )
        self.assertEqual(self.made(), [])

    def test_symbols_that_are_no_misspelt_command(self) -> None:
        """A symbol, in any case, is near to no command."""
        for symbol in (
            "btcusdt",
            "ethusd1",
            "asterusdt",
            "usd1usdt",
            "币安人生usdt",
            "VERFY",
            "Verfy",
            "healusdt",
            "helpusdt",
            "h2",
        ):
            self.assertEqual(cli.named([symbol]), ("", [symbol]))


class WhatItSaysOfItself(Folder):
    def test_the_help_of_all(self) -> None:
        """It lists every command with its sentence, and how to collect; however it is asked for, it is the same."""
        told = call("--help")
        self.assertEqual((told.status, told.err), (0, ""))
        words = " ".join(told.out.split())
        for name in NAMES:
            self.assertIn(f" {name} {load(name).sentence} ", words)
        for part in ("aster-collect [SYMBOL ...] [OPTION ...] aster-collect COMMAND", " --hold-limit ", " VERIFY. "):
            self.assertIn(part, words)
        for again in (("-h",), ("help",), ("help", "--help"), ("help", "help"), ("BTCUSDT", "--duration", "x", "-h")):
            self.assertEqual(call(*again), told)

    def test_the_help_of_each(self) -> None:
        """`help COMMAND` and `COMMAND --help` are the same, whatever else is given, and say how it is called."""
        for name in NAMES:
            told = call("help", name)
            self.assertEqual((told.status, told.err), (0, ""))
            self.assertTrue(told.out.startswith(f"usage: {load(name).program} "), told.out)
            self.assertIn(load(name).sentence, " ".join(told.out.split()))
            for again in ((name, "-h"), (name, "--what", "--help"), ("help", name, "--what")):
                self.assertEqual(call(*again), told)

    def test_a_terminal_of_80_columns(self) -> None:
        """No line of any help is wider than the terminal."""
        with columns(80):
            for words in ([], *([name] for name in NAMES)):
                wide = [line for line in call(*words, "--help").out.splitlines() if len(line) > 79]
                self.assertEqual(wide, [])

    def test_help_of_what_is_no_command(self) -> None:
        """It is refused with the commands that there are."""
        self.assert_refused(call("help", "me"), "help: 'me' given, collect, verify, ", " is HELP")

    def test_the_version(self) -> None:
        """Every command tells it, and it is the package's."""
        for words in (["-V"], ["--version"], ["BTCUSDT", "--version"], *([name, "-V"] for name in NAMES)):
            self.assertEqual(call(*words), Ended(0, f"aster-collect {__version__}\n", ""))


class HowACommandEnds(unittest.TestCase):
    def test_what_it_raises_is_a_line_and_a_status(self) -> None:
        """Each error of the table ends with its status, and one line on standard error."""
        for error, status in (
            (ConfigError("a\nb"), IMPOSSIBLE),
            (LockedError("taken"), LOCKED),
            (StoreError("full"), FAILED),
        ):
            ended = self.ends(error)
            self.assertEqual((ended.status, ended.out), (status, ""))
            self.assertEqual(ended.err, f"aster-collect verify: {error}\n".replace("a\nb", "a\\nb"))

    def test_ctrl_c_is_no_traceback(self) -> None:
        """Who interrupts a long proof reads nothing, and the status is the shell's for it."""
        self.assertEqual(self.ends(KeyboardInterrupt()), Ended(INTERRUPTED, "", ""))

    def ends(self, error: BaseException) -> Ended:
        """Return how a call ends whose command raises this."""

        def run(_: object) -> int:
            raise error

        made = load("verify")
        broken = Command(made.name, made.sentence, made.grammar, run)
        return caught(lambda: cli.answer(broken, []))


class TheDoors(unittest.TestCase):
    def test_each_module_that_could_be_run_still_can(self) -> None:
        """`python -m` of a command's old module says and does what the command does."""
        for module, name in (("verify", "verify"), ("health", "health"), ("simulator", "simulate")):
            for words in (["--help"], ["--what"]):
                ended = subprocess.run(
                    [sys.executable, "-m", f"aster_collect.{module}", *words],
                    env=environment(COLUMNS="80"), capture_output=True, text=True, timeout=60,
                )  # fmt: skip
                with columns(80):
                    self.assertEqual(Ended(ended.returncode, ended.stdout, ended.stderr), call(name, *words))


if __name__ == "__main__":
    unittest.main()
