"""The command line: words to a command, and what it raises to a line and an exit status."""

from __future__ import annotations

import sys

from . import __doc__ as sentence
from . import __version__
from .commands.command import COLLECT, NAMES, PROGRAM, Command, load
from .commands.console import complain, say
from .commands.refusals import near, unknown_command
from .commands.statuses import DONE, ENDINGS, IMPOSSIBLE, INTERRUPTED
from .errors import ConfigError
from .wording import shortened

ASIDE = "help"
HELP, VERSION = {"-h", "--help"}, {"-V", "--version"}

OVERVIEW = """\
{usage}
       {program} COMMAND ...

{sentence}

commands:
{commands}

'{program} help COMMAND' says more of one. Without a command it
collects, and takes what is listed below. A symbol that is named like a command
is written in capitals: {symbol}. 'python -m aster_collect' is the same program.

{rest}"""


def main(argv: list[str] | None = None, markets: object = None) -> int:
    """Run the command that these words name (default: the command line's), and return the exit status.

    Without symbols it collects `markets`, where they are given, in place of the package's own list.
    """
    try:
        name, words = named(sys.argv[1:] if argv is None else argv)
    except ConfigError as error:
        complain(PROGRAM, str(error))
        return IMPOSSIBLE
    return answer(_command(name or COLLECT, markets), words, is_all=not name)


def answer(command: Command, words: list[str], *, is_all: bool = False) -> int:
    """Do what the words ask of a command, and return the exit status; `is_all` is where help tells of all commands."""
    try:
        if not HELP.isdisjoint(words):
            text = command.grammar().format_help()
            say(_overview(text) if is_all else text)
            return DONE
        if not VERSION.isdisjoint(words):
            say(f"{PROGRAM} {__version__}\n")
            return DONE
        return command.run(command.grammar().read(words))
    except KeyboardInterrupt:
        return INTERRUPTED
    except tuple(ENDINGS) as error:
        complain(command.program, str(error))
        return ENDINGS[type(error)]


def named(words: list[str]) -> tuple[str, list[str]]:
    """Return the command's name, empty where none is given, and the words for it; raises `ConfigError`."""
    first, rest = (words[0], words[1:]) if words else ("", [])
    if first in NAMES:
        return first, rest
    if first == ASIDE:
        for topic in rest[:1]:
            if topic in NAMES:
                return topic, ["--help"]
            if topic not in HELP | VERSION | {ASIDE}:
                allowed = f"{', '.join(NAMES)} allowed; a symbol of that name is {ASIDE.upper()}"
                raise ConfigError(f"{ASIDE}: {shortened(topic)!r} given, {allowed}")
        return "", ["--help"]
    if first.islower() and first.isalpha() and (meant := near(first, (*NAMES, ASIDE))):
        raise unknown_command(PROGRAM, first, meant)
    return "", words


def _command(name: str, markets: object) -> Command:
    if name == COLLECT and markets is not None:
        from .commands import collect  # what another command needs not is not loaded

        return collect.command(markets)
    return load(name)


def _overview(help_text: str) -> str:
    """Return the help of the program as a whole: its commands, and how the one is called that needs no name."""
    from textwrap import fill  # only a help needs it

    usage, _, rest = help_text.split("\n\n", 2)
    lines = [
        fill(load(name).sentence, 78, initial_indent=f"  {name:<10}", subsequent_indent=" " * 12) for name in NAMES
    ]
    return OVERVIEW.format(
        usage=usage,
        program=PROGRAM,
        sentence=fill(sentence or "", 78),
        commands="\n".join(lines),
        symbol=NAMES[1].upper(),
        rest=rest,
    )
