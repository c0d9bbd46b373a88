"""A listed symbol's events as JSON text, in the forms that the exchange's markets send."""

from __future__ import annotations

from .batches import Batch
from .books import Side
from .listing import Listing
from .noise import salt_of
from .venues import Venue


class Payloads:
    """The payloads of one symbol on one venue.

    The order of keys is not promised: half of the symbols have it as published, the others as clients captured it.
    """

    def __init__(self, listing: Listing, venue: Venue, cut_us: int = 0) -> None:
        """Which order the symbol has follows from its name; batches of depth are cut so much later than elsewhere."""
        self._listing = listing
        self._cut_us = cut_us
        self._symbol = listing.symbol
        self._price = listing.writer.price
        self._is_spot = venue.name == "spot"
        self._is_captured = not self._is_spot and salt_of("shape", listing.symbol) & 1 == 1
        self._quote_form = venue.quotes
        self._book_form = venue.partial_depth

    def quote(self, number: int) -> str:
        """The bookTicker of a quote event."""
        quote, books = self._listing.quotes.quote(number), self._listing.books
        price, time_ms = self._price, quote.time_us // 1000
        (bid, bid_quantity), (ask, ask_quantity) = books.best(quote, -1), books.best(quote, 1)
        text = (
            f'"u":{self._listing.ids.at(quote.time_us)},"s":"{self._symbol}",'
            f'"b":"{price(bid)}","B":"{bid_quantity}","a":"{price(ask)}","A":"{ask_quantity}"'
        )
        if self._quote_form == "published":
            return f"{{{text}}}"
        return f'{{"e":"bookTicker",{text},"T":{time_ms},"E":{time_ms}}}'

    def trade(self, number: int) -> str:
        """The aggTrade of an aggregate trade."""
        trade = self._listing.trades.trade(number)
        names, rest = f'"s":"{self._symbol}","a":{number}', ',"M":true' if self._is_spot else ""
        if self._is_captured:
            names = f'"a":{number},"s":"{self._symbol}"'
        return (
            f'{{"e":"aggTrade","E":{self._listing.trades.sent_us(number) // 1000},{names},'
            f'"p":"{trade.price}","q":"{self._listing.writer.quantity(trade.steps)}","f":{trade.first},"l":{trade.last},'
            f'"T":{trade.time_us // 1000},"m":{_truth(trade.buyer_is_maker)}{rest}}}'
        )

    def fill(self, number: int) -> str:
        """The trade event of a single fill."""
        fill = self._listing.trades.fill(number)
        time_ms, maker = fill.trade.time_us // 1000, _truth(fill.trade.buyer_is_maker)
        values = f'"t":{number},"p":"{fill.trade.price}","q":"{self._listing.writer.quantity(fill.steps)}"'
        if self._is_spot:
            return f'{{"e":"trade","E":{time_ms},"s":"{self._symbol}",{values},"T":{time_ms},"m":{maker}}}'
        origin = f',"X":"{fill.origin}"' if fill.origin else ""
        return f'{{"e":"trade","E":{time_ms},"T":{time_ms},"s":"{self._symbol}",{values}{origin},"m":{maker}}}'

    def book(self, number: int, speed: int, levels: int) -> str:
        """The depth<N> event: the top of the book; speed is a place among the listing's speeds."""
        batch, listing = self._listing.batches.batch(speed, number, self._cut_us), self._listing
        bids, asks = (listing.books.side(batch.last, sign, levels) for sign in (-1, 1))
        if self._book_form == "bare":
            last = listing.ids.at(batch.last.time_us)
            return f'{{"lastUpdateId":{last},"bids":[{self._levels(bids)}],"asks":[{self._levels(asks)}]}}'
        names = ("bids", "asks") if self._book_form == "published" else ("b", "a")
        return self._depth(batch, bids, asks, names)

    def diff(self, number: int, speed: int) -> str:
        """The depth event: each level that was touched since the stream's previous event."""
        batch = self._listing.batches.batch(speed, number, self._cut_us)
        return self._diff(batch)

    def real_time_diff(self, number: int) -> str:
        """The depth@0ms event: what the newest quotes have touched."""
        return self._diff(self._listing.batches.real_time(number, self._cut_us))

    def _diff(self, batch: Batch) -> str:
        # As published, a diff of spot does not name the one before it: its first id follows that one's last.
        names_before = not self._is_spot or self._book_form == "seen"
        return self._depth(batch, *self._listing.touched(batch), names_before=names_before)

    def _depth(
        self,
        batch: Batch,
        bids: Side,
        asks: Side,
        names: tuple[str, str] = ("b", "a"),
        *,
        names_before: bool = True,
    ) -> str:
        ids, last_us = self._listing.ids, batch.last.time_us
        before = ids.before(batch.before.time_us, last_us)
        # On futures ids are those of changes; on spot each event has all from its first to its last.
        first_us = self._listing.quotes.line.time_us(batch.before.number + 1)
        first = before + 1 if self._is_spot else max(before + 1, ids.before(first_us, last_us))
        previous = f'"pu":{before},' if names_before else ""
        return (
            f'{{"e":"depthUpdate","E":{batch.sent_us // 1000},"T":{last_us // 1000},"s":"{self._symbol}",'
            f'"U":{first},"u":{ids.at(last_us)},{previous}'
            f'"{names[0]}":[{self._levels(bids)}],"{names[1]}":[{self._levels(asks)}]}}'
        )

    def _levels(self, levels: Side) -> str:
        price = self._price
        return ",".join([f'["{price(ticks)}","{quantity}"]' for ticks, quantity in levels])

    def mark(self, time_us: int) -> str:
        """The markPriceUpdate at a time."""
        mark = self._listing.perpetual.mark(time_us)
        settle = f',"P":"{mark.settle}"' if mark.settle else ""
        index = f',"i":"{mark.index_price}"'
        middle = settle + index if self._is_captured else index + settle
        return (
            f'{{"e":"markPriceUpdate","E":{time_us // 1000},"s":"{self._symbol}","p":"{mark.price}"{middle},'
            f'"r":"{mark.rate}","T":{mark.next_ms}}}'
        )

    def liquidation(self, number: int) -> str:
        """The forceOrder of a liquidation."""
        order = self._listing.liquidations.liquidation(number)
        time_ms = order.time_us // 1000
        return (
            f'{{"e":"forceOrder","E":{time_ms},"o":{{"s":"{self._symbol}","S":"{order.side}","o":"LIMIT","f":"IOC",'
            f'"q":"{order.quantity}","p":"{order.price}","ap":"{order.average_price}","X":"FILLED",'
            f'"l":"{order.last_quantity}","z":"{order.quantity}","T":{time_ms}}}}}'
        )


def _truth(value: bool) -> str:
    return "true" if value else "false"
