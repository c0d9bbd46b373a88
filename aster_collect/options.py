"""The kinds of options: how an option's text is read, what it may be, and how both are told."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from .errors import ConfigError
from .wording import shortened, without_secret


@dataclass(frozen=True)
class Option(ABC):
    """An option: its name and its sentence in --help; `default` tells of its absence, where its value does not."""

    name: str
    text: str
    _: KW_ONLY
    default: str = ""

    @abstractmethod
    def allowed(self) -> str:
        """Return what may be given, in words."""

    @abstractmethod
    def metavar(self) -> str:
        """Return what stands for the value in --help; nothing where the option has none."""

    @abstractmethod
    def read(self, text: str) -> Any:
        """Return the value of a text; raise `ConfigError` for one that is not allowed."""

    def check(self, value: Any) -> None:  # noqa: B027, where every value is allowed
        """Raise `ConfigError` for a value that is not allowed."""

    def sentence(self) -> str:
        """Return what --help says of it, but for the default."""
        return self.text

    def shown(self, default: object) -> str:
        """Return how --help tells the default."""
        return self.default or str(default)

    def refused(self, given: str) -> ConfigError:
        """Return the error that says what was given, and what is allowed."""
        return ConfigError(f"{self.name}: {given} given, {self.allowed()} allowed")


@dataclass(frozen=True)
class Number(Option):
    """A number within a range, which may have decimals."""

    lowest: float
    highest: float
    unit: str
    stands: str = ""  # for the value in --help, where that is not the unit

    number: ClassVar[type[float] | type[int]] = float

    def allowed(self) -> str:
        """Return the range."""
        return f"{self.lowest:g} to {self.highest:.15g} {self.unit}".rstrip()

    def metavar(self) -> str:
        """Return the unit, or what is said to stand for it."""
        return self.stands or self.unit.upper()

    def read(self, text: str) -> float:
        """Return the number."""
        try:
            value = self.number(text)
        except ValueError:
            raise self.refused(repr(shortened(text))) from None
        self.check(value)
        return value

    def check(self, value: float) -> None:
        """Raise `ConfigError` unless the value lies within."""
        if not self.lowest <= value <= self.highest:  # nothing compares with nan
            raise self.refused(shortened(f"{value:.15g}" if isinstance(value, float) else str(value)))

    def sentence(self) -> str:
        """Return what --help says of it, with the range."""
        return f"{self.text}; {self.allowed()}" if self.text else self.allowed()

    def shown(self, default: object) -> str:
        """Return the default as short as it can be written."""
        return self.default or f"{default:.15g}"


@dataclass(frozen=True)
class WholeNumber(Number):
    """A whole number within a range."""

    number: ClassVar[type[float] | type[int]] = int


@dataclass(frozen=True)
class Choice(Option):
    """One of some words or numbers; words in any case."""

    choices: tuple[int | str, ...]

    def allowed(self) -> str:
        """Return all of them."""
        return ", ".join(map(str, self.choices))

    def metavar(self) -> str:
        """Return all of them, as they stand in a usage."""
        return "{" + ",".join(map(str, self.choices)) + "}"

    def read(self, text: str) -> int | str:
        """Return the one that is named."""
        for choice in self.choices:
            if str(choice).casefold() == text.casefold():
                return choice
        raise self.refused(repr(shortened(text)))

    def check(self, value: object) -> None:
        """Raise `ConfigError` unless the value is one of them."""
        if value not in self.choices:
            raise self.refused(shortened(str(value)))


ALL = "all"


@dataclass(frozen=True)
class Words(Option):
    """Some of several words, with commas between them; `all` is all of them."""

    choices: tuple[str, ...]

    def allowed(self) -> str:
        """Return all of them."""
        return f"{ALL}, or some of {', '.join(self.choices)}"

    def metavar(self) -> str:
        """Return what stands for the value in --help."""
        return "KIND,…"

    def read(self, text: str) -> tuple[str, ...]:
        """Return the words, each once."""
        words = tuple(dict.fromkeys(word.strip().casefold() for word in text.split(",")))
        self.check(words)
        return words

    def check(self, value: tuple[str, ...]) -> None:
        """Raise `ConfigError` unless each of the words is known, and `all` the only one where it is one of them."""
        unknown = [word for word in value if word not in (ALL, *self.choices)]
        if ALL in value and len(value) > 1 and not unknown:
            refused = self.refused(repr(shortened(",".join(value))))
            raise ConfigError(f"{refused}; {ALL} stands alone: leave it out, or the others")
        if unknown or not value:
            raise self.refused(repr(shortened(",".join(unknown))))

    def sentence(self) -> str:
        """Return what --help says of it, with the words."""
        return f"{self.text}: {self.allowed()}"

    def shown(self, default: object) -> str:
        """Return the default as it is given."""
        return self.default or (",".join(default) if isinstance(default, tuple) else str(default))


@dataclass(frozen=True)
class Part(Option):
    """One of several equal parts, such as 2/3; `made` makes the value of its two numbers."""

    most: int
    made: Callable[[int, int], object]

    def allowed(self) -> str:
        """Return the form."""
        return f"K/N, such as 1/3, with K from 1 to N and N up to {self.most}"

    def metavar(self) -> str:
        """Return the form."""
        return "K/N"

    def sentence(self) -> str:
        """Return what --help says of it, with the form."""
        return f"{self.text}; {self.allowed()}"

    def read(self, text: str) -> object:
        """Return the part."""
        match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
        if match is None or not 1 <= int(match[1]) <= int(match[2]) <= self.most:
            raise self.refused(repr(shortened(text)))
        return self.made(int(match[1]), int(match[2]))


@dataclass(frozen=True)
class Names(Option):
    """Names with commas between them, in any case."""

    stands: str
    wanted: str

    def allowed(self) -> str:
        """Return what is wanted."""
        return self.wanted

    def metavar(self) -> str:
        """Return what stands for one, and that there can be more."""
        return f"{self.stands},…"

    def read(self, text: str) -> tuple[str, ...]:
        """Return the names in upper case, each once."""
        names = tuple(dict.fromkeys(name.strip().upper() for name in text.split(",")))
        if not all(name and name.isprintable() for name in names):
            raise self.refused(repr(shortened(text)))
        return names


_UNIX_SECONDS = re.compile(r"[0-9]{9,10}(?:\.[0-9]{1,6})?", re.ASCII)
_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)


@dataclass(frozen=True)
class Time(Option):
    """A moment: a date, with a time of day or without, of UTC where it names no offset; or Unix seconds."""

    def allowed(self) -> str:
        """Return the forms that it may have."""
        return "2026-11-22, 2026-11-22T13:00 (UTC, where no offset such as +01:00 follows), or Unix seconds"

    def metavar(self) -> str:
        """Return what stands for it."""
        return "TIME"

    def read(self, text: str) -> datetime:
        """Return the moment, in UTC."""
        try:
            if _UNIX_SECONDS.fullmatch(text):
                seconds, _, fraction = text.partition(".")
                return datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=int(fraction.ljust(6, "0")))
            if _DATE_TIME.fullmatch(text):
                moment = datetime.fromisoformat(text)
                return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError):  # no such day, or none that there will be
            pass
        raise self.refused(repr(shortened(text)))


@dataclass(frozen=True)
class Switch(Option):
    """An option without a value: named, it is `on`."""

    on: bool = True

    def allowed(self) -> str:
        """Return that it has no value."""
        return "no value"

    def metavar(self) -> str:
        """Return that it has no value."""
        return ""

    def read(self, text: str) -> bool:
        """Return what the option's name alone says."""
        return self.on

    def shown(self, default: object) -> str:
        """Return that it is off by default."""
        return self.default or "off"


@dataclass(frozen=True)
class Place(Option):
    """A file's or a folder's name; nothing that can't be printed is one."""

    stands: str
    wanted: str

    def allowed(self) -> str:
        """Return what a name is wanted of."""
        return self.wanted

    def metavar(self) -> str:
        """Return what stands for the name."""
        return self.stands

    def read(self, text: str) -> Path:
        """Return the path."""
        if not text or not text.isprintable():
            raise self.refused(repr(shortened(text)))
        return Path(text)


@dataclass(frozen=True)
class Url(Option):
    """A URL of one of the schemes, absolute, without path, query or fragment."""

    schemes: tuple[str, ...]

    def allowed(self) -> str:
        """Return the forms that it may have."""
        return " or ".join(f"{scheme}://HOST[:PORT]" for scheme in self.schemes)

    def metavar(self) -> str:
        """Return what stands for it."""
        return "URL"

    def read(self, text: str) -> str:
        """Return the URL as it was given."""
        self.check(text)
        return text

    def check(self, value: str) -> None:
        """Raise `ConfigError` unless the URL is one that paths can be added to."""
        path = ""
        try:
            parts = urlsplit(value)
            good = parts.scheme in self.schemes and bool(parts.hostname) and not set(value) & set("?# ")
            good = good and (parts.port is None or parts.port > 0) and value.isprintable()
            path = parts.path.strip("/")
        except ValueError:
            good = False
        if good and path:
            bare = without_secret(value.removesuffix(parts.path))
            raise ConfigError(f"{self._refusal(value)}; the paths are added to it: give {bare}")
        if not good:
            raise ConfigError(self._refusal(value))

    def _refusal(self, value: str) -> str:
        return str(self.refused(repr(shortened(without_secret(value)))))
