"""A batch's frames to their lanes: the fast shapes first, then what is left, by way of JSON. Pure."""

from collections.abc import Iterable, Mapping

from ..errors import DecodeError
from ..exchange.decoder import decode
from ..exchange.events import Bad, Batch
from ..exchange.streams.kind import Add, Kind
from ..exchange.subscribe import Scope, everyones
from .seen import Seen


class Intake:
    """Where the events of each kind and symbol go."""

    def __init__(self, scope: Scope) -> None:
        self._adds: dict[Kind, dict[str, Add]] = {kind: {} for kind in scope.kinds}
        self._takes = [
            (kind.wire.take(scope.options), self._adds[kind]) for kind in scope.kinds if kind.wire and kind.wire.take
        ]
        self._of_others = set(everyones(scope))  # the kinds of which symbols come that nobody wants
        self._ticks = scope.venue.ticks_symbol
        self._expected: set[str] = set()

    def expect(self, symbols: Iterable[str]) -> None:
        """Note that frames of these symbols will come, whether there are lanes for them or not."""
        self._expected.update(symbols)

    def begin(self, symbol: str, adds: Mapping[Kind, Add]) -> None:
        """Bring a symbol's events there, by kind."""
        for kind, add in adds.items():
            self._adds[kind][symbol] = add

    def take(self, batch: Batch, *, begins: bool) -> Seen:
        """Bring a batch's events to their lanes; `begins` says that it is the first of a connection."""
        # One character a byte, so that the bounds hold for the text too; what is not ASCII goes back to bytes.
        text = str(batch.data, "latin-1")
        left, newest_ms, lag_ms = batch.bounds, 0, None
        for take, adds in self._takes:
            if not left:
                break
            left, made_ms, sent_ms = take(text, left, batch.received_ns, adds)
            if made_ms:
                newest_ms = max(newest_ms, sent_ms)
                lag_ms = sent_ms - made_ms if lag_ms is None else lag_ms
        odd: list[Bad] = []
        each = iter(left)
        for start, stop in zip(each, each, strict=True):
            message = batch.data[start:stop]
            try:
                sent_ms = self._general(message, batch, odd)
            except DecodeError as error:
                odd.append(Bad(batch.connection, batch.received_ns, str(error), message))
            else:
                newest_ms = max(newest_ms, sent_ms)
        first_ms = (begins and _first_ms(batch)) or newest_ms
        messages = len(batch.bounds) // 2
        return Seen(
            batch.connection, batch.received_ns, batch.received_s, messages, first_ms, newest_ms, lag_ms, odd
        )  # fmt: skip

    def _general(self, message: bytes, batch: Batch, odd: list[Bad]) -> int:
        read = decode(message, batch.received_ns)
        odd += [Bad(batch.connection, batch.received_ns, reason, item) for reason, item in read.odd]
        newest_ms = 0
        for kind, (symbol, event, sent_ms) in read.events:
            adds = self._adds.get(kind)
            if adds is not None and symbol in adds:
                adds[symbol](event)
            elif adds is not None and not self._is_of_others(kind, symbol):
                raise DecodeError(f"unknown symbol: {symbol[:40]!r}")
            newest_ms = max(newest_ms, sent_ms)
        return newest_ms

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
