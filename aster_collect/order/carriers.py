"""Which connections carry which symbols' streams: a connection can carry several bundles, and a bundle have several.

Pure. Symbols that were listed at different hours have connections of their own, and so bundles, until a hand-over gives
them one together; what has come to have the same connections is one bundle from then on.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from ..exchange.events import Wanted
from .bundle import Bundle, Stretch

Outage = tuple[Bundle, Stretch]


class Carriers:
    """The bundles, by connection and by symbol."""

    def __init__(self) -> None:
        self.bundles: list[Bundle] = []
        self._of_connection: dict[int, list[Bundle]] = defaultdict(list)
        self._of_symbol: dict[str, Bundle] = {}  # under "" the one of the streams that bring all symbols

    def wanted(self, wanted: Wanted) -> None:
        """Note that a connection is to be made: for bundles that there are, and a new one of what is not in any.

        Where it carries a part of a bundle, as a successor does that leaves out what is gone, the others are a bundle
        of their own from then on.
        """
        names = wanted.symbols or ("",)
        new = tuple(name for name in names if name not in self._of_symbol)
        if new:
            bundle = Bundle(tuple(filter(None, new)))
            self.bundles.append(bundle)
            self._of_symbol |= dict.fromkeys(new, bundle)
        for bundle in dict.fromkeys(self._of_symbol[name] for name in names):
            if others := set(bundle.symbols).difference(names):
                self._split(bundle, others)
            self._of_connection[wanted.connection].append(bundle)
            bundle.wanted(wanted.connection)

    def of(self, connection: int) -> list[Bundle]:
        """Return the bundles that a connection carries."""
        return self._of_connection[connection]

    def of_symbol(self, symbol: str) -> Bundle | None:
        """Return the bundle of a symbol, or under "" that of the streams that bring all; None while there is none."""
        return self._of_symbol.get(symbol)

    def lost(self, connection: int, over: bool) -> Iterator[Outage]:
        """Note that a connection ended, for good or not; yield the outages that are certain now."""
        bundles = self._of_connection[connection]
        if over:
            del self._of_connection[connection]
        for bundle in bundles:
            stretch = bundle.lost(connection, over)
            if stretch is not None:
                yield bundle, stretch
        if over:
            others = dict.fromkeys(one for bundle in bundles for one in bundle.connections)
            self._join(dict.fromkeys(bundle for one in others for bundle in self._of_connection[one]))

    def close(self) -> Iterator[Outage]:
        """End all; yield the outages that a connection which is behind could have filled yet."""
        for bundle in self.bundles:
            for stretch in bundle.close():
                yield bundle, stretch

    def _split(self, bundle: Bundle, symbols: set[str]) -> None:
        other = bundle.split(symbols)
        self.bundles.append(other)
        self._of_symbol |= dict.fromkeys(symbols, other)
        for connection in other.connections:
            self._of_connection[connection].append(other)

    def _join(self, bundles: Iterable[Bundle]) -> None:
        """Make one of those that have the same connections, once all of these deliver, and cover them all alike."""
        kept: dict[frozenset[int], Bundle] = {}
        for bundle in bundles:
            connections = bundle.connections
            if not connections or not bundle.steady or not bundle.symbols:
                continue
            first = kept.setdefault(connections, bundle)
            if first is not bundle:
                first.join(bundle)
                self.bundles.remove(bundle)
                self._of_symbol |= dict.fromkeys(bundle.symbols, first)
                for connection in connections:
                    self._of_connection[connection].remove(bundle)
