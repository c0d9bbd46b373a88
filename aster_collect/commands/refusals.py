"""What is said of words that no command understands: what was given, and what to do about it."""

from __future__ import annotations

from ..errors import ConfigError
from ..wording import shortened

TYPE_CHECKING = False  # typing costs more than all of this
if TYPE_CHECKING:
    from collections.abc import Iterable

NEAR = 0.75  # of 1, which is the same word: `verfy` is 0.91 of `verify`, a symbol with its quote asset less than this


def near(word: str, words: Iterable[str], alike: float = NEAR) -> str:
    """Return the one of some words that a misspelt one was likely meant to be, or nothing."""
    from difflib import get_close_matches  # only a misspelt word needs it

    return next(iter(get_close_matches(word, words, 1, alike)), "")


def unknown_command(program: str, word: str, meant: str) -> ConfigError:
    """Return the error that says that there is no such command, but one that is meant, or a symbol."""
    symbol = f"a symbol of that name is written {word.upper()}"
    return ConfigError(f"{word}: no such command; did you mean {meant}? '{program} --help' lists them; {symbol}")


def unknown_option(program: str, word: str, known: Iterable[str]) -> ConfigError:
    """Return the error that says that there is no such option."""
    name = word.partition("=")[0]
    meant = next((one for one in known if one.startswith(name) and name != "--"), "") or near(name, known, 0.6)
    hint = f"did you mean {meant}? " if meant else ""
    return ConfigError(f"{shortened(name)}: no such option; {hint}'{program} --help' lists them")


def surplus(program: str, word: str) -> ConfigError:
    """Return the error that says that a word is one too many."""
    return ConfigError(f"{shortened(word)!r} given, no further word allowed; '{program} --help' says what is")
