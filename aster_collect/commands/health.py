"""`health`: whether data is coming in, told from status.json alone; it writes nothing."""

from __future__ import annotations

import time
from contextlib import suppress

from ..errors import ConfigError
from ..watch.health import STATUS_NAME, check
from .command import Command, program
from .console import say
from .refusals import surplus, unknown_option
from .statuses import part

TYPE_CHECKING = False  # typing and argparse cost more, where there is no byte code, than all of this
if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "health"
SENTENCE = "Judge a collector by the age of its data."
DATA_DIR = "ASTER_data"
MAX_AGE_S = 60.0
SHORTEST_S, LONGEST_S = 0.1, 604_800.0
OPTIONS = ("--max-age", "--help", "--version")

HELP = f"""\
usage: {program(NAME)} [DIR] [OPTION ...]

{SENTENCE}

  DIR                the data folder (default: {DATA_DIR})

options:
  -h, --help         show this help message and exit
  -V, --version      show program's version number and exit
  --max-age SECONDS  how old the last frame of a connection may be;
                     {SHORTEST_S:g} to {LONGEST_S:g} seconds (default: {MAX_AGE_S:g})

{STATUS_NAME} is written at each flush, so the age allowed is never less than two
flush intervals. Little free disk space is said, but is not unhealthy.

examples:
  {program(NAME)}
  {program(NAME)} /srv/aster --max-age 30
"""


def command() -> Command:
    """Return the command."""
    return Command(NAME, SENTENCE, Arguments, run)


class Arguments:
    """The grammar; argparse would take as long as everything else."""

    def read(self, words: list[str]) -> tuple[str, float]:
        """Return the folder, and the age (s); raises `ConfigError`."""
        folders: list[str] = []
        max_age_s = MAX_AGE_S
        rest = iter(words)
        for word in rest:
            name, given, value = word.partition("=")
            if name == "--max-age":
                max_age_s = _age(value if given else next(rest, ""))
            elif word.startswith("-"):
                raise unknown_option(program(NAME), word, OPTIONS)
            elif not word or "\0" in word:
                raise ConfigError(f"DIR: {word!r} given, a folder's name allowed")
            else:
                folders.append(word)
        if len(folders) > 1:
            raise surplus(program(NAME), folders[1])
        return folders[0] if folders else DATA_DIR, max_age_s

    def format_help(self) -> str:
        """Return the text of --help."""
        return f"{HELP}\n{part(NAME)}"


def run(asked: tuple[str, float], *, now: Callable[[], float] = time.time) -> int:
    """Judge the folder, print a line for each finding, and return the exit status."""
    folder, max_age_s = asked
    status, lines = check(folder, max_age_s, now())
    with suppress(ConfigError):  # where nothing can be said the exit status says it
        say("".join(f"{' '.join(line.split())}\n" for line in lines))
    return status


def _age(text: str) -> float:
    try:
        age_s = float(text)
    except ValueError:
        age_s = 0.0
    if not SHORTEST_S <= age_s <= LONGEST_S:  # nothing compares with nan
        raise ConfigError(f"--max-age: {text!r} given, {SHORTEST_S:g} to {LONGEST_S:g} seconds allowed")
    return age_s
