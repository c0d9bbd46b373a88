"""What the docs tell to type is understood: commands, options, and files of commands."""

import importlib.util
import json
import re
import shlex
from typing import ClassVar
from unittest import TestCase

from aster_collect.commands import collect, health, simulate, verify
from aster_collect.simulator import faults
from tests.unit.docs.page import DOCS, PAGES, ROOT, fenced


class TheCommands(TestCase):
    PARSERS: ClassVar = {
        "aster_collect": collect.parser().parse_args,
        "aster_collect.verify": verify._parser().parse_args,
        "aster_collect.simulator": simulate._parser().parse_args,
        "aster_collect.health": health._call,
    }

    def commands(self) -> list[list[str]]:
        lines = [line for page in PAGES for block in fenced("sh", page.text) for line in block.splitlines()]
        return [shlex.split(part) for line in lines for part in line.split(" && ")]

    def test_a_command_that_the_program_refuses(self) -> None:
        """Every `aster-collect` and `python -m aster_collect…` line is understood by that program's own parser."""
        seen = set()
        for words in self.commands():
            if words[0] == "aster-collect":
                words = ["-m", "aster_collect", *words[1:]]
            if "-m" not in words:
                continue
            module, arguments = words[words.index("-m") + 1], words[words.index("-m") + 2 :]
            with self.subTest(command=words):
                self.assertIsNotNone(importlib.util.find_spec(module))
                if module in self.PARSERS:
                    self.PARSERS[module](arguments)
                    seen.add(module)
        self.assertEqual(seen, set(self.PARSERS))

    def test_arguments_for_the_container(self) -> None:
        """What is quoted as ASTER_ARGS is understood too."""
        given = [
            word.removeprefix("ASTER_ARGS=") for words in self.commands() for word in words if "ASTER_ARGS=" in word
        ]
        self.assertTrue(given)
        for arguments in given:
            collect.parser().parse_args(shlex.split(arguments))

    def test_a_file_that_a_command_needs(self) -> None:
        """Every requirements file and script that a command names is in the repository."""
        named = {word for words in self.commands() for word in words if re.fullmatch(r"[\w.-]+\.(txt|py)", word)}
        self.assertIn("requirements.txt", named)
        for name in named:
            self.assertTrue((ROOT / name).is_file(), name)

    def test_an_option_that_is_mentioned_but_gone(self) -> None:
        """Every option named in the docs is one of the program, of those beside it, or of a tool that it names."""
        parsers = (collect.parser(), verify._parser(), simulate._parser())
        known = {option for parser in parsers for action in parser._actions for option in action.option_strings}
        known |= set(re.findall(r"--[a-z-]+", health.HELP)) | {"--quick"}
        known |= {"--build", "--rm", "--read-only", "--stop-timeout", "--now", "--collector"}
        known |= {"--system", "--home-dir", "--shell", "--from", "--durations"}
        for page in PAGES:
            self.assertLessEqual(set(re.findall(r"(?<![-\w])--[a-z][a-z-]+", page.text)), known, page.path.name)

    def test_the_crontab(self) -> None:
        """The lines that are shown are those of the file."""
        lines = (ROOT / "deploy" / "crontab").read_text("utf-8").splitlines()
        shown = [block for block in fenced("text", DOCS["operations"].text) if "* * *" in block]
        self.assertEqual(shown[0].splitlines(), [line for line in lines if line[:1] != "#"])

    def test_faults(self) -> None:
        """The sample of a fault file is one that the simulator takes."""
        (sample,) = fenced("json", DOCS["simulator"].text)
        self.assertEqual(len(faults.parse(sample)), len(json.loads(sample)))
