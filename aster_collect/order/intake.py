"""The intake: what a read of a connection brought, to the lanes of its kinds and symbols. Pure."""

from collections.abc import Iterable, Mapping

from ..errors import DecodeError
from ..exchange.decoder import decode
from ..exchange.events import Bad, Batch
from ..exchange.streams.kind import TIME, Add, Kind
from ..exchange.subscribe import Scope, everyones
from .seen import Seen


class Intake:
    """A batch's frames to their lanes: the fast shapes first, then what is left, by way of JSON.

    The events of each kind and symbol go there from the connections that carry them, and from no other.

    What tells quiet from dead comes over every connection: of the streams that it is of, those of another connection,
    it says neither an event for the second time, nor that they are covered.
    """

    def __init__(self, scope: Scope) -> None:
        self._kinds = scope.kinds
        self._takes = [(kind, kind.wire.take(scope.options)) for kind in scope.kinds if kind.wire and kind.wire.take]
        self._of_others = frozenset(everyones(scope))  # the kinds of which symbols come that nobody wants
        self._ticks = scope.venue.ticks_symbol
        self._expected: set[str] = set()
        self._begun: dict[str, Mapping[Kind, Add]] = {}  # by symbol
        self._carried: dict[int, set[str]] = {}  # by connection …
        self._adds: dict[int, dict[Kind, dict[str, Add]]] = {}  # … as is this

    def expect(self, connection: int, symbols: Iterable[str]) -> None:
        """Note that a connection will bring what is of these symbols; without symbols, what brings all of them."""
        names = set(symbols)
        self._expected |= names
        kinds = [kind for kind in self._kinds if (kind in self._of_others) == (not names)]
        begun = {symbol: adds for symbol, adds in self._begun.items() if not names or symbol in names}
        self._carried[connection] = names
        self._adds[connection] = {
            kind: {symbol: adds[kind] for symbol, adds in begun.items() if kind in adds} for kind in kinds
        }

    def begin(self, symbol: str, adds: Mapping[Kind, Add]) -> None:
        """Bring a symbol's events there, by kind."""
        self._begun[symbol] = adds
        for connection, names in self._carried.items():
            if not names or symbol in names:
                for kind, of_kind in self._adds[connection].items():
                    of_kind |= {symbol: adds[kind]} if kind in adds else {}

    def ended(self, connection: int) -> None:
        """Forget a connection."""
        del self._adds[connection], self._carried[connection]

    def take(self, batch: Batch, *, begins: bool) -> Seen:
        """Bring a batch's events to their lanes; `begins` says that it is the first of a connection."""
        # One character a byte, so that the bounds hold for the text too; what is not ASCII goes back to bytes.
        text = str(batch.data, "latin-1")
        left, newest_ms, lag_ms = batch.bounds, 0, None
        adds = self._adds.get(batch.connection, {})
        for kind, take in self._takes:
            if not left:
                break
            if kind not in adds:
                continue
            left, made_ms, sent_ms = take(text, left, batch.received_ns, adds[kind])
            if made_ms:
                newest_ms = max(newest_ms, sent_ms)
                lag_ms = sent_ms - made_ms if lag_ms is None else lag_ms
        odd: list[Bad] = []
        each = iter(left)
        for start, stop in zip(each, each, strict=True):
            message = batch.data[start:stop]
            try:
                made_ms, sent_ms = self._general(message, batch, odd)
            except DecodeError as error:
                odd.append(Bad(batch.connection, batch.received_ns, str(error), message))
            else:
                newest_ms = max(newest_ms, sent_ms)
                if lag_ms is None and sent_ms > made_ms:  # with one time for both nothing is said
                    lag_ms = sent_ms - made_ms
        first_ms = (begins and _first_ms(batch)) or newest_ms
        messages = len(batch.bounds) // 2
        return Seen(
            batch.connection, batch.received_ns, batch.received_s, messages, first_ms, newest_ms, lag_ms, odd
        )  # fmt: skip

    def _general(self, message: bytes, batch: Batch, odd: list[Bad]) -> tuple[int, int]:
        """Return when the newest event of a message was made, and sent."""
        read = decode(message, batch.received_ns)
        odd += [Bad(batch.connection, batch.received_ns, reason, item) for reason, item in read.odd]
        adds = self._adds.get(batch.connection, {})
        made_ms = newest_ms = 0
        for kind, (symbol, event, sent_ms) in read.events:
            add = adds.get(kind, {}).get(symbol)
            if add is not None:
                add(event)
            elif kind in self._kinds and not self._is_of_others(kind, symbol):
                raise DecodeError(f"unknown symbol: {symbol[:40]!r}")
            made_ms, newest_ms = max(made_ms, event[TIME]), max(newest_ms, sent_ms)
        return made_ms, newest_ms

    def _is_of_others(self, kind: Kind, symbol: str) -> bool:
        """Return whether such an event is known to come though nobody wants it, or its file could not be opened yet."""
        return symbol in self._expected or symbol == self._ticks or kind in self._of_others


def _first_ms(batch: Batch) -> int:
    """Return when the first message of a batch was sent, 0 where it can't be read."""
    try:
        events = decode(batch.data[batch.bounds[0] : batch.bounds[1]], batch.received_ns).events
    except DecodeError:
        return 0
    return max((decoded.sent_ms for _, decoded in events), default=0)
