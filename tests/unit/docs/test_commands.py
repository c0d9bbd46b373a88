"""What the docs tell to type is understood: commands, options, and files of commands."""

import importlib.util
import json
import re
import shlex
import subprocess
from unittest import TestCase

from aster_collect import cli
from aster_collect.commands.command import COLLECT, NAMES, load
from aster_collect.simulator import faults
from tests.unit.docs.page import DOCS, PAGES, ROOT, fenced


class TheCommands(TestCase):
    def understood(self, words: list[str]) -> str:
        """Return which command these words are for; raises `ConfigError` where it does not understand them."""
        name, rest = cli.named(words)
        load(name or COLLECT).grammar().read(rest)
        return name or COLLECT

    def commands(self) -> list[list[str]]:
        lines = [line for page in PAGES for block in fenced("sh", page.text) for line in block.splitlines()]
        return [shlex.split(part) for line in lines for part in line.split(" && ")]

    def test_a_command_that_the_program_refuses(self) -> None:
        """Every `aster-collect` and `python -m aster_collect` line is understood, and every command is in one."""
        seen = set()
        for words in self.commands():
            with self.subTest(command=words):
                if words[0] == "aster-collect":
                    seen.add(self.understood(words[1:]))
                elif "-m" in words:
                    module, arguments = words[words.index("-m") + 1], words[words.index("-m") + 2 :]
                    self.assertIsNotNone(importlib.util.find_spec(module))
                    if module == "aster_collect":
                        seen.add(self.understood(arguments))
        self.assertEqual(seen, set(NAMES))

    def test_arguments_for_the_container(self) -> None:
        """What is quoted as ASTER_ARGS is understood too."""
        given = [
            word.removeprefix("ASTER_ARGS=") for words in self.commands() for word in words if "ASTER_ARGS=" in word
        ]
        self.assertTrue(given)
        for arguments in given:
            self.assertEqual(self.understood(shlex.split(arguments)), COLLECT)

    def test_the_shards_of_a_cluster(self) -> None:
        """As a pod's shell reads them, the arguments are understood, and each of the pods has its part."""
        text = (ROOT / "deploy" / "kubernetes.yml").read_text("utf-8")
        (command,) = re.findall(r"- >-\n((?: {14}.*\n)+)", text)
        pods = int(text.partition("replicas: ")[2].split()[0])
        shards = []
        for ordinal in range(pods):
            script = " ".join(command.split()).replace("exec python -m aster_collect", "printf '%s\\n'")
            pod = {"POD_NAME": f"aster-collect-{ordinal}"}
            words = subprocess.run(
                ["sh", "-c", script], env=pod, capture_output=True, text=True, check=True
            ).stdout.split()
            self.assertEqual(self.understood(words), COLLECT)
            shards.append(words[words.index("--shard") + 1])
        self.assertEqual(shards, [f"{ordinal + 1}/{pods}" for ordinal in range(pods)])

    def test_the_nightly_commands(self) -> None:
        """What the two collectors and the service beside them call is understood."""
        text = (ROOT / "deploy" / "docker-compose.redundant.yml").read_text("utf-8")
        self.assertEqual(self.understood(shlex.split(re.findall(r"\n  command: (.+)", text)[0])), COLLECT)
        called = [self.understood(shlex.split(words)) for words in re.findall(r"python -m aster_collect (.+)", text)]
        self.assertEqual(called, ["merge", "verify", "export"])

    def test_a_file_that_a_command_needs(self) -> None:
        """Every requirements file and script that a command names is in the repository."""
        named = {word for words in self.commands() for word in words if re.fullmatch(r"[\w.-]+\.(txt|py)", word)}
        self.assertIn("requirements.txt", named)
        for name in named:
            self.assertTrue((ROOT / name).is_file(), name)

    def test_an_option_that_is_mentioned_but_gone(self) -> None:
        """Every option named in the docs is one of the program, of those beside it, or of a tool that it names."""
        known = {option for name in NAMES for option in re.findall(r"--[a-z-]+", load(name).grammar().format_help())}
        known |= {"--quick"}
        known |= {"--build", "--rm", "--read-only", "--stop-timeout", "--now", "--collector"}
        known |= {"--system", "--home-dir", "--shell", "--include", "--min-age", "--require-hashes"}
        for page in PAGES:
            self.assertLessEqual(set(re.findall(r"(?<![-\w])--[a-z][a-z-]+", page.text)), known, page.path.name)

    def test_how_many_files_may_be_open(self) -> None:
        """The number that is told is that of the unit and of the container."""
        told = re.search(r"container above allow (\d+)\.", DOCS["operations"].text)
        assert told is not None
        self.assertIn(f"\nLimitNOFILE={told[1]}\n", (ROOT / "deploy" / "aster-collect.service").read_text("utf-8"))
        self.assertIn(f" nofile: {told[1]}\n", (ROOT / "docker-compose.yml").read_text("utf-8"))

    def test_the_crontab(self) -> None:
        """The lines that are shown are those of the file."""
        lines = (ROOT / "deploy" / "crontab").read_text("utf-8").splitlines()
        shown = [block for block in fenced("text", DOCS["operations"].text) if "* * *" in block]
        self.assertEqual(shown[0].splitlines(), [line for line in lines if line[:1] != "#"])

    def test_faults(self) -> None:
        """The sample of a fault file is one that the simulator takes."""
        (sample,) = fenced("json", DOCS["simulator"].text)
        self.assertEqual(len(faults.parse(sample)), len(json.loads(sample)))
