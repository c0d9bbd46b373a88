"""Every command's exit statuses are in one table, and its help shows its part of it."""

import unittest
from pathlib import Path

from aster_collect.commands import statuses
from aster_collect.commands.command import NAMES, load
from aster_collect.commands.statuses import DONE, FAILED, IMPOSSIBLE, INTERRUPTED, STATUSES, part

COMMANDS = Path(statuses.__file__).parent


class TheTable(unittest.TestCase):
    def test_a_command_without_a_status(self) -> None:
        """Each command is in the table with what every one can end with, and no other word is."""
        for status, of in STATUSES.items():
            self.assertLessEqual(set(of), set(NAMES), status)
        for status in (DONE, FAILED, IMPOSSIBLE, INTERRUPTED):
            self.assertEqual(set(STATUSES[status]), set(NAMES))

    def test_the_help_shows_its_part(self) -> None:
        """All of a command's statuses stand at the end of its help, and none of another's."""
        for name in NAMES:
            told = load(name).grammar().format_help()
            self.assertTrue(told.endswith(part(name)), told)
            wanted = [f"{status} {of[name]}" for status, of in STATUSES.items() if name in of]
            self.assertEqual(" ".join(part(name).split()), " ".join(["exit status:", *wanted]))

    def test_a_command_has_a_file_of_its_name(self) -> None:
        """It is found by its name, says that name itself, and its sentence is one."""
        for name in NAMES:
            self.assertTrue((COMMANDS / f"{name}.py").is_file())
            self.assertEqual(load(name).name, name)
            self.assertRegex(load(name).sentence, r"^[A-Z](?!.*\. ).*\.$")

    def test_no_command_makes_numbers_of_its_own(self) -> None:
        """No file of a command has an exit status that is not the table's."""
        for name in NAMES:
            self.assertNotRegex((COMMANDS / f"{name}.py").read_text("utf-8"), r"(return|exit\(|exit) *\(?\d")


if __name__ == "__main__":
    unittest.main()
