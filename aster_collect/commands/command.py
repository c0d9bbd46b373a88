"""What a command is, and the table of them; what a command needs is loaded when it is called."""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # typing costs more than all of this
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    class Grammar(Protocol):
        """Reads a command's words."""

        def read(self, words: list[str]) -> Any:
            """Return what the words ask for; raises `ConfigError`."""

        def format_help(self) -> str:
            """Return the text of --help."""


PROGRAM = "aster-collect"
COLLECT = "collect"
# Each is the file of that name here.
NAMES = (COLLECT, "verify", "health", "export", "merge", "repair", "report", "replay", "simulate")


def program(name: str) -> str:
    """Return how a command is called; the one that collects needs no name."""
    return PROGRAM if name == COLLECT else f"{PROGRAM} {name}"


class Command:
    """A command: its name, its sentence, what makes the grammar of its words, and what runs on what they ask for.

    `run` returns the exit status, or raises one of `ENDINGS`.
    """

    def __init__(self, name: str, sentence: str, grammar: Callable[[], Grammar], run: Callable[[Any], int]) -> None:
        self.name = name
        self.sentence = sentence
        self.grammar = grammar
        self.run = run
        self.program = program(name)


def load(name: str) -> Command:
    """Return a command of the table."""
    found: Command = import_module(f".{name}", __package__).command()
    return found
