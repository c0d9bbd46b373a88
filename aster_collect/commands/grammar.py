"""The grammar of a command's words, made of options."""

import argparse
from collections.abc import Mapping
from itertools import groupby
from textwrap import fill, wrap
from typing import Any, NoReturn

from .. import __version__
from ..errors import ConfigError
from ..options import Option
from .command import PROGRAM, program
from .refusals import surplus, unknown_option
from .statuses import part

TOLD = {"expected": "too little given", "ignored": "a value given"}  # argparse's first word of an error, and ours


class Grammar(argparse.ArgumentParser):
    """Reads words; an option that is not given is not in what it returns. What is wrong with them is one line."""

    def __init__(self, command: str, usage: str, sentence: str, more: str) -> None:
        """`more` stands behind the options in --help, the exit statuses behind that."""
        super().__init__(
            prog=program(command),
            usage=f"{program(command)} {usage}",
            description=fill(sentence, 78),
            epilog=f"{more}\n{part(command)}",
            formatter_class=_Lines,
            argument_default=argparse.SUPPRESS,
            allow_abbrev=False,
            exit_on_error=False,
        )
        self._allowed: dict[str | None, str] = {}
        self.add_argument("-V", "--version", action="version", version=f"{PROGRAM} {__version__}")

    def take(self, options: Mapping[str, Option], defaults: Mapping[str, object]) -> None:
        """Add options by the name of what they set; neighbours of one name are one option with several values."""
        for name, several in groupby(options.items(), lambda item: item[1].name):
            these = dict(several)
            self._allowed[name] = " and ".join(one.allowed() for one in these.values())
            self.add_argument(name, action=_Take, options=these, help=_told(these, defaults))

    def operand(self, target: str, option: Option, default: object) -> None:
        """Add a word that needs no option before it, and may be left out."""
        told = _told({target: option}, {target: default})
        self.add_argument(target, nargs="?", metavar=option.name, type=option.read, default=default, help=told)

    def read(self, words: list[str]) -> argparse.Namespace:
        """Return what is asked for; words without an option may stand on both sides of one. Raises `ConfigError`."""
        try:
            said, left = self.parse_known_intermixed_args(words)
        except argparse.ArgumentError as error:
            given = TOLD.get(error.message.partition(" ")[0], error.message)
            allowed = self._allowed.get(error.argument_name)
            more = f", {allowed} allowed" if allowed else self._see()
            where = f"{error.argument_name}: " if error.argument_name else ""
            raise ConfigError(f"{where}{given}{more}") from None
        for word in left:
            known = self._option_string_actions
            raise unknown_option(self.prog, word, known) if word.startswith("-") else surplus(self.prog, word)
        return said

    def error(self, message: str) -> NoReturn:
        """Raise `ConfigError`: argparse would print, and end the program."""
        raise ConfigError(f"{message}{self._see()}")

    def _see(self) -> str:
        return f"; '{self.prog} --help' says what is allowed"


class _Lines(argparse.RawDescriptionHelpFormatter):
    """Breaks no word of an option's help, so that each can be copied: a kind's name can have a hyphen."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return wrap(" ".join(text.split()), width, break_on_hyphens=False)


class _Take(argparse.Action):
    """Sets what one option's values, or its mere name, ask for."""

    def __init__(self, option_strings: list[str], dest: str, options: Mapping[str, Option], **how: Any) -> None:
        shown = tuple(stands for one in options.values() if (stands := one.metavar()))
        super().__init__(option_strings, dest, nargs=len(shown), metavar=shown, **how)
        self._options = options

    def __call__(self, parser: object, namespace: object, values: Any, option_string: str | None = None) -> None:
        texts = iter(values)
        for target, option in self._options.items():
            setattr(namespace, target, option.read(next(texts, "")))


def _told(options: Mapping[str, Option], defaults: Mapping[str, object]) -> str:
    text = " and ".join(sentence for one in options.values() if (sentence := one.sentence()))
    default = " ".join(one.shown(defaults[target]) for target, one in options.items()).strip()
    return f"{text} (default: {default})".replace("%", "%%")
