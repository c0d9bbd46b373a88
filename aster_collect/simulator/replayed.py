"""A symbol of a recording as REST shows it: what has been played so far, and the book that follows from it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from .instruments import instrument
from .listing import TRADING
from .playback import Playback
from .rebuilt import rebuilt
from .recording import compact
from .replayed_trades import ReplayedTrades

DIFFS = ("@depth@0ms", "@depth@100ms", "@depth", "@depth@500ms")
BOOKS = tuple(f"@depth{levels}{speed}" for levels in (20, 10, 5) for speed in ("@100ms", "", "@500ms"))
MARKS = ("@markPrice@1s", "@markPrice")


class Replayed:
    """One symbol of a recording; see `supply.ListedSymbol`."""

    def __init__(self, playback: Playback, symbol: str) -> None:
        """Its streams are those of the recording that begin with its name."""
        self.symbol = symbol
        self._playback = playback
        self._recording = playback.recording
        self._trades = ReplayedTrades(playback, symbol)

    @property
    def end_us(self) -> int | None:
        """When a recording ends that is played once."""
        return self._playback.end_us

    def is_trading(self, now_us: int) -> bool:
        """It does as long as it is played."""
        return self.end_us is None or now_us < self.end_us

    def info(self, now_us: int) -> dict[str, Any]:
        """Its entry of exchangeInfo; the grid is that of the recorded decimals."""
        grid, quotes = instrument(self.symbol), self._recording.track(self.symbol, "@bookTicker")
        quote = json.loads(quotes.texts[0]) if quotes else {}
        tick, step = _unit(quote.get("b", "0.01")), _unit(quote.get("B", "0.001"))
        return {
            "symbol": self.symbol,
            "pair": self.symbol,
            "contractType": "PERPETUAL",
            "onboardDate": self._recording.begun_us // 1000,
            "status": TRADING,
            "baseAsset": grid.base_asset,
            "quoteAsset": grid.quote_asset,
            "filters": [
                {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000", "tickSize": tick},
                {"filterType": "LOT_SIZE", "minQty": step, "maxQty": "10000000", "stepSize": step},
            ],
        }

    # Trades

    def first_trade_from(self, time_us: int) -> int:
        """The id of the first aggregate trade at or after a time."""
        return self._trades.first_from(time_us)

    def last_trade_at(self, time_us: int) -> int:
        """The highest id that has been played at a time."""
        return self._trades.last_at(time_us)

    def trade_rows(self, ids: Sequence[int]) -> list[str]:
        """The rows of those of the ids that were recorded."""
        return self._trades.rows(ids)

    def fill_rows(self, limit: int, now_us: int) -> list[str]:
        """The newest single fills that have been played, oldest first."""
        return self._trades.fill_rows(limit, now_us)

    # Books

    def book(self, limit: int, now_us: int) -> str | None:
        """The recorded snapshot with the diffs that have been played since, or else the newest partial book."""
        round_, passed_us = self._playback.elapsed_us(now_us)
        snapshots = self._recording.snapshots.get(self.symbol)
        if snapshots is not None:
            recorded = rebuilt(snapshots, self._recording.track(self.symbol, *DIFFS), passed_us)
            book = json.loads(self._playback.moved(compact(recorded), max(0, round_), self.symbol))
            sides = book["bids"], book["asks"]
        else:
            found = self._last(BOOKS, now_us)
            if found is None:
                return None
            book = {"lastUpdateId": found.get("u", found.get("lastUpdateId")), "T": found.get("T")}
            sides = found.get("b", found.get("bids")), found.get("a", found.get("asks"))
        return compact({**book, "E": now_us // 1000, "bids": sides[0][:limit], "asks": sides[1][:limit]})

    def ticker(self, now_us: int) -> str | None:
        """The best bid and offer that have been played last."""
        quote = self._last(("@bookTicker",), now_us)
        if quote is None:
            return None
        names = {"bidPrice": "b", "bidQty": "B", "askPrice": "a", "askQty": "A"}
        values = {name: quote[key] for name, key in names.items()}
        return compact({"symbol": self.symbol, **values, "time": quote.get("T", now_us // 1000)})

    # What only futures have

    def premium(self, now_us: int) -> dict[str, Any] | None:
        """Mark price and funding that have been played last."""
        mark = self._last(MARKS, now_us)
        if mark is None:
            return None
        return {
            "symbol": self.symbol,
            "markPrice": mark["p"],
            "indexPrice": mark["i"],
            "estimatedSettlePrice": mark.get("P", mark["i"]),
            "lastFundingRate": mark["r"],
            "interestRate": "0.00010000",
            "nextFundingTime": mark["T"],
            "time": mark["E"],
        }

    def open_interest(self, now_us: int) -> str | None:
        """The quantity that was recorded last."""
        track = self._recording.interests.get(self.symbol)
        if track is None:
            return None
        return str(
            json.loads(track.texts[max(0, self._playback.last_at(track, now_us)) % len(track.texts)])["openInterest"]
        )

    def funding(self, now_us: int) -> None:
        """Not in a recording."""

    def funding_times(self, start_us: int, end_us: int) -> Sequence[int]:
        """Not in a recording."""
        return ()

    def funding_rate(self, time_us: int) -> str:
        """Not in a recording."""
        return ""

    def _last(self, kinds: Sequence[str], now_us: int) -> dict[str, Any] | None:
        """The newest event of the first of these streams that was recorded."""
        track = self._recording.track(self.symbol, *kinds)
        number = -1 if track is None else self._playback.last_at(track, now_us)
        if track is None or number < 0:
            return None
        event: dict[str, Any] = json.loads(self._playback.text(track, number))
        return event


def _unit(text: str) -> str:
    """The smallest step of a decimal: "0.01" for "61800.30"."""
    decimals = len(text.partition(".")[2])
    return f"{Decimal(1).scaleb(-decimals):f}"
