"""What must hold from row to row and within one row: one class a kind of file, fed with matched rows in order.

Decimals are compared as whole numbers of 10^-24, which is exact; a feed repeats its prices, so most come from a cache.
Every class remembers the first and last time and the count of what it was given, and nothing that grows with it.
"""

from operator import gt, lt

from ..exchange.rows import ORDERBOOK, PRICES, TRADES
from .ledger import Broken, Ledger, Listed, Numbered, milliseconds
from .rules import FRACTION_DIGITS
from .times import Times

_CACHED = 1 << 16


class Units(dict[bytes, int]):
    """Decimal text as a whole number of 10^-24, remembered for the most recent texts."""

    def __missing__(self, text: bytes) -> int:
        if len(self) >= _CACHED:
            self.clear()
        whole, _, fraction = text.partition(b".")
        value = self[text] = int(whole + fraction.ljust(FRACTION_DIGITS, b"0"))
        return value


class Prices:
    """Best bids and offers: no ids, so time hardly goes back; bid below ask, mid exact."""

    def __init__(self, ledger: Ledger, broken: Broken) -> None:
        self._broken = broken
        self.times = Times(PRICES, ledger, broken, ids=False)
        self._units = Units()
        self._good: set[bytes] = set()

    def take(self, name: str, rows: Numbered) -> None:
        """Check rows: time, and bid, ask and mid as one text."""
        good, times, last_cell = self._good, self.times, b""
        last_ms, before_ms = times.last_ms, times.before_ms
        for line, (time_cell, quote) in rows:
            if time_cell != last_cell:
                time_ms = int(time_cell.replace(b".", b""))
                last_cell = time_cell
            if time_ms > times.watch_ms or time_ms < last_ms or last_ms < 0:
                times.last_ms, times.before_ms = last_ms, before_ms
                times.row(name, line, time_ms)
            if time_ms != last_ms:
                before_ms, last_ms = last_ms, time_ms
            if quote not in good:
                self._quote(name, line, quote)
        times.last_ms, times.before_ms = last_ms, before_ms

    def begin_file(self, period_ms: int) -> None:
        """Note that the rows of another file follow."""
        self.times.begin_file(period_ms)

    def lose_track(self) -> None:
        """Forget how the last file ended."""
        self.times.lose_track()

    def _quote(self, name: str, line: int, quote: bytes) -> None:
        units = self._units
        bid, ask, mid = quote.split(b",")
        if units[bid] + units[ask] != 2 * units[mid]:
            self._broken(name, line, f"mid {mid.decode()} is not the mean of {bid.decode()} and {ask.decode()}")
        elif 0 < units[ask] <= units[bid]:
            self._broken(name, line, f"bid {bid.decode()} is not below ask {ask.decode()}")
        else:
            if len(self._good) >= _CACHED:
                self._good.clear()
            self._good.add(quote)


class Books:
    """Order book snapshots: update ids rise, sides ordered, not crossed, blanks at the end."""

    def __init__(self, ledger: Ledger, broken: Broken) -> None:
        self._broken = broken
        self.times = Times(ORDERBOOK, ledger, broken, ids=True)
        self._units = Units()
        self._last_id = -1

    def take(self, name: str, rows: Numbered) -> None:
        """Check rows: time, update id, and each side as one text."""
        value, times, last_id = self._units.__getitem__, self.times, self._last_id
        for line, (time_cell, id_cell, bid_cells, ask_cells) in rows:
            times.row(name, line, milliseconds(time_cell))
            update_id = int(id_cell)
            if update_id <= last_id:
                self._broken(name, line, f"lastUpdateId {update_id} does not rise from {last_id}")
            last_id = update_id
            bids, asks = bid_cells.rstrip(b","), ask_cells.rstrip(b",")
            for word, side in (("bid", bids), ("ask", asks)):
                if b",," in side:
                    self._broken(name, line, f"blank {word} level before a filled one")
            bid_prices = [value(cell) for cell in bids.split(b",")[::2] if cell]
            ask_prices = [value(cell) for cell in asks.split(b",")[::2] if cell]
            if not all(map(gt, bid_prices, bid_prices[1:])):
                self._broken(name, line, "bids do not descend strictly")
            if not all(map(lt, ask_prices, ask_prices[1:])):
                self._broken(name, line, "asks do not ascend strictly")
            if bid_prices and ask_prices and bid_prices[0] >= ask_prices[0]:
                self._broken(name, line, "book crossed: best bid is not below best ask")
        self._last_id = last_id

    def begin_file(self, period_ms: int) -> None:
        """Note that the rows of another file follow."""
        self.times.begin_file(period_ms)

    def lose_track(self) -> None:
        """Forget how the last file ended; ids go on rising behind rows that could not be read."""
        self.times.lose_track()


class Trades:
    """Trades: each id once, each next id one higher but for what the ledger lists."""

    def __init__(self, ledger: Ledger, broken: Broken) -> None:
        self._broken = broken
        self.times = Times(TRADES, ledger, broken, ids=True)
        self._listed = Listed(ledger.missing)
        self._watch_id = 0
        self._next_id: int | None = None
        self.missing = 0

    def take(self, name: str, rows: Numbered) -> None:
        """Check rows: id and time."""
        times, next_id, watch_id, last_ms = self.times, self._next_id, self._watch_id, self.times.last_ms
        for line, (id_cell, time_cell) in rows:
            trade_id, time_ms = int(id_cell), int(time_cell)
            if trade_id != next_id or trade_id >= watch_id:
                watch_id = self._jump(name, line, trade_id, next_id)
            next_id = trade_id + 1
            if time_ms < last_ms or last_ms < 0:
                times.last_ms = last_ms
                times.row(name, line, time_ms)
            last_ms = time_ms
        self._next_id, self._watch_id, times.last_ms = next_id, watch_id, last_ms

    def begin_file(self, period_ms: int) -> None:
        """Nothing to note: a missing file is a hole in the ids."""

    def lose_track(self) -> None:
        """Forget the next id: rows that could not be read are no proof of a hole."""
        self._next_id = None

    def _jump(self, name: str, line: int, trade_id: int, next_id: int | None) -> int:
        if next_id is not None and trade_id < next_id:
            self._broken(name, line, f"id {trade_id} after {next_id - 1}: ids must rise")
        elif next_id is not None and trade_id > next_id:
            self.missing += trade_id - next_id
            count, lowest = self._listed.unexplained(next_id, trade_id - 1)
            if count:
                self._broken(name, line, f"{count} ids missing from {lowest} on that no row of the ledger explains")
        listed = self._listed.next(trade_id)
        if listed == trade_id:
            self._broken(name, line, f"id {trade_id} is here, but the ledger calls it missing")
        return self._listed.next(trade_id + 1)
