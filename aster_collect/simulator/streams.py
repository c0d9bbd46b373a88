"""What the names of streams stand for: of one symbol, and of all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from .listing import Listing
from .payloads import Payloads
from .supply import Source
from .trades import Trades
from .venues import Venue

MARK_PERIODS_US = {"1s": 1_000_000, "": 3_000_000}
LEVELS = ("depth5", "depth10", "depth20")
RANK_QUOTE, RANK_DEPTH, RANK_TRADE, RANK_FILL, RANK_LIQUIDATION, RANK_MARK = 0, 1, 4, 5, 6, 7
PLACES = 1 << 16  # how many symbols may share the microsecond of a liquidation
NEVER = PLACES << 63  # after the end of all symbols

Listings = Callable[[], Sequence[Listing]]


class Asked(NamedTuple):
    """What is asked for of a symbol: the name of a kind, and what stands behind it; see `supply.Supply.source`."""

    listing: Listing
    venue: Venue
    name: str
    option: str
    cut_us: int

    @property
    def payloads(self) -> Payloads:
        """Its events as text."""
        return Payloads(self.listing, self.venue, self.cut_us)


def of_symbol(listing: Listing, venue: Venue, stream: str, kind: str, cut_us: int) -> Source | None:
    """The source of `<symbol>@<kind>`; None for a kind that the venue has not."""
    name, _, option = kind.partition("@")
    make = KINDS.get(name)
    if make is None or name in venue.silent:
        return None
    source = make(Asked(listing, venue, name, option, cut_us))
    return source and source._replace(stream=stream, cut_us=cut_us)


def of_all(listings: Listings, venue: Venue, stream: str) -> Source | None:
    """The source of a stream of all symbols that trade, such as `!markPrice@arr`."""
    name, _, option = stream.partition("@")
    if name in venue.silent:
        return None
    if name == "!forceOrder" and option == "arr":
        return _all_liquidations(listings, venue)._replace(stream=stream)
    word, _, speed = option.partition("@")
    if name == "!markPrice" and word == "arr" and speed in MARK_PERIODS_US:
        return _all_marks(listings, venue, MARK_PERIODS_US[speed])._replace(stream=stream)
    return None


def trading(listings: Sequence[Listing], time_us: int) -> list[Listing]:
    """Those of the listings that trade at a time."""
    return [one for one in listings if one.start_us <= time_us and (one.end_us is None or one.end_us > time_us)]


# One symbol


def _quotes(asked: Asked) -> Source | None:
    line = asked.listing.quotes.line
    source = _source(asked.listing, RANK_QUOTE, line.first_after, line.time_us, asked.payloads.quote)
    return None if asked.option else source


def _trades(asked: Asked) -> Source | None:
    listing, text = asked.listing, asked.payloads.trade
    after = partial(_first_trade_after, listing.trades)
    return None if asked.option else _source(listing, RANK_TRADE, after, listing.trades.sent_us, text)


def _fills(asked: Asked) -> Source | None:
    listing, text = asked.listing, asked.payloads.fill
    after, time_us = partial(_first_fill_after, listing.trades), partial(_fill_time_us, listing.trades)
    return None if asked.option else _source(listing, RANK_FILL, after, time_us, text)


def _liquidations(asked: Asked) -> Source | None:
    line = asked.listing.liquidations.line
    source = _source(asked.listing, RANK_LIQUIDATION, line.first_after, line.time_us, asked.payloads.liquidation)
    return None if asked.option else source


def _marks(asked: Asked) -> Source | None:
    period_us = MARK_PERIODS_US.get(asked.option)
    if period_us is None:
        return None
    return _ticking(period_us, asked.payloads.mark)._replace(rank=RANK_MARK, end_us=asked.listing.end_us)


def _ticking(period_us: int, text: Callable[[int], str]) -> Source:
    return Source(
        "",
        RANK_MARK,
        lambda after_us: after_us // period_us + 1,
        lambda number: number * period_us,
        lambda number: text(number * period_us),
        None,
    )


def _depth(asked: Asked) -> Source | None:
    listing, payloads = asked.listing, asked.payloads
    speed_ms = asked.venue.depth_ms.get(asked.option)
    levels = int(asked.name.removeprefix("depth") or 0)
    if speed_ms is None or (levels and asked.venue.partial_depth == "none"):
        return None
    if not speed_ms:
        return None if levels else _real_time(asked)
    speed = listing.speeds_ms.index(speed_ms)
    sent_us = partial(listing.batches.sent_us, speed, cut_us=asked.cut_us)
    text = partial(payloads.book, speed=speed, levels=levels) if levels else partial(payloads.diff, speed=speed)
    after = partial(_first_sent_after, partial(listing.batches.first_after, speed, cut_us=asked.cut_us), sent_us)
    return _source(listing, RANK_DEPTH + speed, after, sent_us, text)


def _real_time(asked: Asked) -> Source:
    listing = asked.listing
    sent_us = partial(listing.batches.real_time_sent_us, cut_us=asked.cut_us)
    after = partial(_first_sent_after, listing.batches.first_real_time_after, sent_us)
    return _source(listing, RANK_QUOTE, after, sent_us, asked.payloads.real_time_diff)


def _first_sent_after(candidate: Callable[[int], int], sent_us: Callable[[int], int], after_us: int) -> int:
    number = candidate(after_us)  # none before it was sent later
    while sent_us(number) <= after_us:
        number += 1
    return number


def _source(
    listing: Listing,
    rank: int,
    first_after: Callable[[int], int],
    time_us: Callable[[int], int],
    text: Callable[[int], str],
) -> Source:
    def first(after_us: int) -> int:
        return first_after(max(after_us, listing.start_us - 1))

    return Source("", rank, first, time_us, text, listing.end_us)


def _first_trade_after(trades: Trades, after_us: int) -> int:
    # The send time is the match time and at most 22 ms: start from the trades matched before that, and step.
    number = max(1, trades.line.first_after(after_us - 30_000))
    return _first_sent_after(lambda _: number, trades.sent_us, after_us)


def _first_fill_after(trades: Trades, after_us: int) -> int:
    return max(trades.first_fill(1), trades.last_fill_at(after_us) + 1)


def _fill_time_us(trades: Trades, number: int) -> int:
    return trades.fill(number).trade.time_us


KINDS: Mapping[str, Callable[[Asked], Source | None]] = {
    "bookTicker": _quotes,
    "aggTrade": _trades,
    "trade": _fills,
    "forceOrder": _liquidations,
    "markPrice": _marks,
    "depth": _depth,
    **dict.fromkeys(LEVELS, _depth),
}


# All symbols


def _all_marks(listings: Listings, venue: Venue, period_us: int) -> Source:
    def text(time_us: int) -> str:
        return f"[{','.join(Payloads(one, venue).mark(time_us) for one in trading(listings(), time_us))}]"

    return _ticking(period_us, text)


def _all_liquidations(listings: Listings, venue: Venue) -> Source:
    """One symbol's liquidation at a time; its number is its time and the symbol's place in the list."""

    def first_from(number: int) -> int:
        time_us, place = divmod(number, PLACES)
        found = []
        for at, listing in enumerate(listings()):
            # Of the symbols before the place those count that come later.
            line = listing.liquidations.line
            event_us = line.time_us(line.first_after(max(time_us - (at >= place), listing.start_us - 1)))
            if listing.end_us is None or event_us <= listing.end_us:
                found.append(event_us * PLACES + at)
        return min(found, default=NEVER)

    def text(number: int) -> str:
        time_us, place = divmod(number, PLACES)
        listing = listings()[place]
        return Payloads(listing, venue).liquidation(listing.liquidations.line.last_at(time_us))

    return Source(
        "",
        RANK_LIQUIDATION,
        lambda after_us: first_from((after_us + 1) * PLACES),
        lambda number: number // PLACES,
        text,
        None,
        lambda number: first_from(number + 1),
    )
