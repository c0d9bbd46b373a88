"""A recording of real frames, read: each stream's events as text, and the REST answers between them."""

from __future__ import annotations

import gzip
import json
import logging
import math
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

log = logging.getLogger(__name__)

RAW = re.compile(r"raw\.\d{4}-\d\d-\d\dT\d\d\.jsonl\.gz")  # of an hour, as a collector's --record makes them
PAUSE_US = 100_000  # between the end of a recording and its beginning, when it is played again
_LINE = re.compile(r"(\d{19}) (\{.*\})\s*")
_WRAPPED = re.compile(r'\{"stream":"([^"\\]+)","data":(.*)\}')
_SYMBOL = re.compile(r'"s":"([^"\\]+)"')
_TIME = re.compile(r'"([ET])":(\d+)')
_SENT = re.compile(r'"E":(\d+)')
_PRICE = re.compile(r'"(?:p|b|bids)":(?:\[\[)?"([0-9.]+)"')
_ID = re.compile(r'"[atu]":(\d+)')  # of which one event has one
_IDS = re.compile(r'"(a|f|l|t|u|U|pu|lastUpdateId)":(\d+)')
FAMILIES = {"a": "trade", "f": "fill", "l": "fill", "t": "fill"}  # which ids count together; all others are updates


class Track:
    """The events of one stream, or the answers to one call, in order: microseconds since the first line, and texts."""

    def __init__(self) -> None:
        """Starts empty."""
        self.offsets_us: list[int] = []
        self.texts: list[str] = []

    def add(self, offset_us: int, text: str) -> None:
        """Append an event, which is not before the last."""
        self.offsets_us.append(offset_us)
        self.texts.append(text)


class Span(NamedTuple):
    """The ids of a family that a symbol's events have, from the first to the last."""

    first: int
    last: int

    @property
    def size(self) -> int:
        """By how much ids rise from one time that the recording is played to the next."""
        return self.last - self.first + 1


class Recording(NamedTuple):
    """What a file says; `begun_us` is the exchange's time at the first line, so that no frame is sent before it is
    made."""

    tracks: dict[str, Track]  # by stream
    snapshots: dict[str, Track]  # answers of `depth`, by symbol
    interests: dict[str, Track]  # answers of `openInterest`, by symbol
    spans: dict[tuple[str, str], Span]  # by symbol and family of ids
    begun_us: int
    length_us: int  # from the first line to the first line of the next time that it is played

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that have streams of their own, in the order of their first frames."""
        own = (_symbol_of(stream, track) for stream, track in self.tracks.items() if stream[:1] != "!")
        return tuple(dict.fromkeys(own))

    def track(self, symbol: str, *kinds: str) -> Track | None:
        """The first of a symbol's streams of these kinds that was recorded, such as "@aggTrade"."""
        names = (f"{symbol.lower()}{kind}" for kind in kinds)
        return next((self.tracks[name] for name in names if name in self.tracks), None)


def compact(value: object) -> str:
    """JSON as the exchange writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def ids_of(text: str) -> Iterator[tuple[str, int]]:
    """Each id in a text with the family that it counts in."""
    for key, number in _IDS.findall(text):
        yield FAMILIES.get(key, "update"), int(number)


def moved(text: str, time_ms: Callable[[int], int], rise: Callable[[str], int]) -> str:
    """A text with its times and ids moved; `time_ms` maps a time, `rise` says by how much a family's ids rise."""

    def other_time(match: re.Match[str]) -> str:
        value = int(match[2])
        return f'"{match[1]}":{time_ms(value) if value else 0}'  # 0 is no time

    def other_id(match: re.Match[str]) -> str:
        return f'"{match[1]}":{int(match[2]) + rise(FAMILIES.get(match[1], "update"))}'

    return _IDS.sub(other_id, _TIME.sub(other_time, text))


def read(path: Path) -> Recording:
    """Read a file of lines `<19 digits: Unix ns> <frame>`, gzipped or not, or a folder's raw record, hour by hour.

    Raises OSError, and ValueError with the number of a line that is none. A file that was cut short is read to its end.
    """
    if not path.is_dir():
        return parse(_whole(path))
    hours = sorted(one for one in path.iterdir() if RAW.fullmatch(one.name))
    return parse(line for hour in hours for line in _whole(hour) if line.endswith("\n"))


def _whole(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        is_gzipped = file.read(2) == b"\x1f\x8b"
    with gzip.open(path, "rt", encoding="utf-8") if is_gzipped else path.open(encoding="utf-8") as lines:
        try:
            yield from lines
        except EOFError:  # a recorder that was killed leaves half a gzip member
            log.warning("recording_torn")


def parse(lines: Iterable[str]) -> Recording:
    """The recording that some lines are; raises ValueError."""
    tracks: dict[str, Track] = {}
    answers: list[tuple[int, dict[str, Any], str]] = []
    spans: dict[tuple[str, str], Span] = {}
    first_us = offset_us = lead_us = earliest_ms = latest_ms = 0
    newest: dict[str, int | str] = {}  # of each stream
    connections: set[int] = set()  # of a collector, which carry the same at times
    skipped = 0
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        if match is None and not line.endswith("\n") and number > 1:
            log.warning("recording_torn")  # a recorder that was killed leaves half a line
            break
        if match is None:
            raise ValueError(f"line {number} is not `<19 digits: Unix ns> <frame>`: {line[:60]!r}")
        received_us = int(match[1]) // 1000
        first_us = first_us or received_us
        message, stream, text = _frame(match[2], number)
        if "aster" in message and not isinstance(message.get("value"), dict):
            connections |= {message["of"]} if "of" in message else set()
            continue  # what a collector says of itself, but for an answer that is of use here
        # Two lines never share their microsecond, so that their order is kept.
        offset_us = max(offset_us + 1, received_us - first_us) if number > 1 else 0
        if not stream:
            answer = message
            if "aster" in message:
                answer, text = {"symbol": message.get("symbol"), **message["value"]}, compact(message["value"])
            answers.append((offset_us, answer, text))
            skipped += not {"lastUpdateId", "openInterest"} & set(answer)
            continue
        if _came(newest, stream, text) and len(connections) > 1:
            continue
        tracks.setdefault(stream, Track()).add(offset_us, text)
        _stretch(spans, text)
        # The `T` of a mark price is when the next funding is.
        times = [int(one) for key, one in _TIME.findall(text) if key == "E" or "markPriceUpdate" not in text]
        if times:
            sent = _SENT.search(text)
            made_us = int(sent[1]) * 1000 if sent else times[0] * 1000
            lead_us = min(lead_us, first_us + offset_us - made_us) if earliest_ms else first_us + offset_us - made_us
            earliest_ms = min(earliest_ms or times[0], *times)
            latest_ms = max(latest_ms, *times)
    if not tracks:
        raise ValueError("no frames of any stream")
    if skipped:
        log.info("recording_skipped lines=%d", skipped)
    length_us = max(offset_us, (latest_ms - earliest_ms + 1) * 1000) + PAUSE_US
    recording = Recording(tracks, {}, {}, spans, first_us - lead_us, length_us)
    _sort_answers(recording, answers)
    return recording


def _came(newest: dict[str, int | str], stream: str, text: str) -> bool:
    """Whether an event came before: by its id, or by its text where it has none."""
    found = _ID.search(text)
    this, last = int(found[1]) if found else text, newest.get(stream)
    came = this <= last if isinstance(this, int) and isinstance(last, int) else this == last
    if not came:
        newest[stream] = this
    return came


def _frame(text: str, number: int) -> tuple[dict[str, Any], str, str]:
    """What a line says, and of which stream its payload is; a blank stream for what is not a stream's."""
    try:
        message = json.loads(text)
    except ValueError as error:
        raise ValueError(f"line {number} is not JSON: {error}") from None
    if not isinstance(message.get("stream"), str):
        return message, "", text
    match = _WRAPPED.fullmatch(text)  # as it was received, to the letter
    if match is not None:
        return message, match[1], match[2]
    return message, message["stream"], compact(message.get("data"))


def _stretch(spans: dict[tuple[str, str], Span], text: str, symbol: str = "") -> None:
    named = _SYMBOL.search(text)
    symbol = symbol or (named[1] if named else "")
    for family, number in ids_of(text):
        span = spans.get((symbol, family), Span(number, number))
        spans[symbol, family] = Span(min(span.first, number), max(span.last, number))


def _sort_answers(recording: Recording, answers: Iterable[tuple[int, dict[str, Any], str]]) -> None:
    """Put REST answers with their symbols; a snapshot does not say whose it is, but its prices do."""
    prices = {symbol: price for symbol in recording.symbols if (price := _first_price(recording, symbol))}
    for offset_us, answer, text in answers:
        if "openInterest" in answer:
            recording.interests.setdefault(str(answer.get("symbol")), Track()).add(offset_us, text)
        elif "lastUpdateId" in answer and answer.get("bids") and prices:
            best = float(answer["bids"][0][0])
            nearest = min(prices, key=lambda symbol: abs(math.log(best / prices[symbol])))
            symbol = str(answer.get("symbol", nearest))
            recording.snapshots.setdefault(symbol, Track()).add(offset_us, text)
            _stretch(recording.spans, text, symbol)


def _first_price(recording: Recording, symbol: str) -> float:
    found = (
        (track.offsets_us[0], _PRICE.search(track.texts[0]))
        for stream, track in recording.tracks.items()
        if _symbol_of(stream, track) == symbol and "@depth@" not in stream and not stream.endswith("@depth")
    )
    return next((float(match[1]) for _, match in sorted(found, key=lambda one: one[0]) if match), 0.0)


def _symbol_of(stream: str, track: Track) -> str:
    named = _SYMBOL.search(track.texts[0])
    return named[1] if named else stream.partition("@")[0].upper()
