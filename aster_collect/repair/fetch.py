"""Pages of trades over REST, one after the other: within the weight, and never while banned."""

import time
from collections.abc import Callable, Iterator
from math import ceil

from ..errors import DataError, DecodeError, RestError
from ..exchange.pages import ask_page, decode_page
from ..exchange.streams.trades import Trade
from ..exchange.venues import Venue
from ..net.calls import Call, Called
from ..net.rest import Refused, Rest

TRIES = 6  # of one page, with pauses between them of half a second, a second, …
SERVER_BEHIND_S = 1.0  # an answer without what was asked for is asked for again once, after so long


class Pages:
    """Asks for trades by id; `make` makes one request, and blocks until something has come of it."""

    def __init__(
        self, venue: Venue, rest: Rest, make: Callable[[Call], Called], sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._venue, self._rest, self._make, self._sleep = venue, rest, make, sleep

    def trades(self, symbol: str, first_id: int, last_id: int) -> Iterator[list[Trade]]:
        """Yield what there is of some ids, both included, in order and page by page.

        Raises `RestError` where nobody answers, or the exchange wants to be left alone, `DataError` where it refuses.

        Which of them the exchange has no more only the next page says, or that there is none.
        """
        asked_again = False
        while first_id <= last_id:
            count = min(last_id - first_id + 1, self._venue.trades_a_page)
            page = self._page(symbol, first_id, count)
            found = [trade for trade in page if first_id <= trade.id <= last_id]
            if len(found) < count and not asked_again:  # of several servers one may be behind the others
                asked_again = True
                self._sleep(SERVER_BEHIND_S)
                continue
            asked_again = False
            if found:
                yield found
            if not page:
                return
            first_id = max(first_id + 1, page[-1].id + 1)

    def _page(self, symbol: str, first_id: int, count: int) -> list[Trade]:
        """Return a page, its ids rising; raises `RestError`."""
        ask, why = ask_page(self._venue, symbol, first_id, count), ""
        for _ in range(TRIES):
            if banned_s := self._rest.banned_s:
                raise RestError(f"the exchange wants to be left alone for {ceil(banned_s)} s more; run this again then")
            while wait_s := self._rest.wait_s(ask):
                self._sleep(wait_s)
            called = self._make(self._rest.send(ask))
            try:
                page, odd = decode_page(self._venue, self._rest.value(called), called.received_ns)
                if odd:
                    raise DecodeError(odd[0][0])
            except Refused as error:
                raise DataError(f"{symbol}: {error}") from error
            except (RestError, DecodeError) as error:
                why = str(error)
            else:
                ids = [trade.id for trade in page]
                if ids == sorted(set(ids)):
                    return page
                why = "aggTrades out of order"
        raise RestError(f"{symbol}: {why}; run this again later")
