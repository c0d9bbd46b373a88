"""The settings of a recorded run, and what of them may be others when it is replayed."""

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from ..errors import ConfigError, DecodeError
from ..options import ALL
from ..order.entries import Run
from ..settings import Settings

# What may be asked for: how the files look, and which there are. All else is as it was recorded.
ASKED = ("streams", "order_book_levels", "receive_time", "quantities", "rotate")
# What concerns the machine and the network of then, and nothing that was written.
_OF_THEN = {"symbols", "shard", "data_dir", "ws_url", "rest_url", "weight_share", "duration_s", "metrics_file",
            "keep_days", "sync", "record"}  # fmt: skip


def recalled(run: Run, folder: Path) -> Settings:
    """Return the settings of a recorded run, in another folder; raises `DecodeError` where no run has such."""
    names = {one.name for one in fields(Settings)} - _OF_THEN
    told = {name: tuple(value) if isinstance(value, list) else value for name, value in run.settings.items()}
    known: dict[str, Any] = {name: told[name] for name in names & told.keys()}
    try:
        return Settings(run.symbols, data_dir=folder, sync=False, **known)
    except (ConfigError, TypeError, ValueError) as error:
        raise DecodeError(f"settings that no run has: {error}") from error


def changed(recorded: Settings, asked: Mapping[str, Any], *, is_first: bool) -> Settings:
    """Return the settings of a run with those that are asked for; raises `ConfigError` for what the record has not.

    A kind that the first run has, and a later one has not, is left out there.
    """
    given = dict(asked)
    if "streams" in given:
        wanted = recorded.streams if given["streams"] == (ALL,) else given["streams"]
        found = tuple(name for name in wanted if name in recorded.streams)
        if not found or (is_first and found != wanted):
            lacking = next(name for name in wanted if name not in recorded.streams)
            allowed = ", ".join(recorded.streams)
            raise ConfigError(f"--streams: {lacking} given, {allowed} allowed: the record has no other")
        given["streams"] = found
    levels = given.get("order_book_levels", 0)
    if levels > recorded.order_book_levels:
        most = recorded.order_book_levels
        raise ConfigError(f"--order-book-levels: {levels} given, {most} or fewer allowed: the record has no more")
    return replace(recorded, **given)


def has_none(recorded: Settings, asked: Mapping[str, Any]) -> bool:
    """Return whether a run had none of the kinds that are asked for."""
    return "streams" in asked and not {*asked["streams"]} & {ALL, *recorded.streams}


def alike(one: Settings, other: Settings) -> bool:
    """Return whether the files of two runs look the same."""
    return (one.scope().options, one.rotate) == (other.scope().options, other.rotate)
