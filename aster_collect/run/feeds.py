"""The connections' threads: each is made as the fleet says, told to the collector first, and stopped at the end."""

import logging
from collections.abc import Collection, Iterable, Sequence
from functools import partial

from ..exchange.events import Wanted
from ..exchange.subscribe import plan_groups, stream_url
from ..net.bans import Handshakes
from ..net.feed import Feed, Target
from ..net.inbox import Inbox
from ..settings import Settings
from .fleet import Carrier, Fleet
from .threads import Aged, Control, Ended, Threads

log = logging.getLogger(__name__)


class Feeds:
    """Starts a thread for each connection, lets a successor relieve it, and knows which of them may end."""

    def __init__(
        self, settings: Settings, threads: Threads, control: Control, inbox: Inbox, handshakes: Handshakes
    ) -> None:
        self._settings = settings
        self._threads, self._control, self._inbox, self._handshakes = threads, control, inbox, handshakes
        self._fleet = Fleet(settings.connections, partial(plan_groups, settings.ws_url, settings.scope()))
        self._feeds: dict[str, Feed] = {}  # by their threads' names

    def plan(self, symbols: Sequence[str]) -> list[Carrier]:
        """Return the connections that these symbols lack: they are to be started."""
        return self._fleet.carry(symbols)

    def start(self, carriers: Iterable[Carrier]) -> None:
        """Connect; those that a connection is to relieve know from now on that it is on its way."""
        for carrier in carriers:
            self._start(carrier)

    def hand_over(self, aged: Aged, gone: Collection[str]) -> None:
        """Have a successor made that relieves an old connection once it delivers; what is gone is left out."""
        successor = self._fleet.succeed(aged.connection, gone)
        if successor is not None:
            log.info("hand-over connection=%d", successor.place)
            self._start(successor)

    def may_end(self, ended: Ended) -> bool:
        """Return whether a thread that ended is a connection's that another relieves."""
        feed = self._feeds.get(ended.name)
        if feed is None or ended.error is not None or not self._fleet.ended(feed.target.number):
            return False
        del self._feeds[ended.name]
        return True

    def stop(self, patience_s: float) -> None:
        """Have all connections closed, and wait for that, for so long at most."""
        for feed in self._feeds.values():
            feed.stopping.set()
        self._threads.wait_for(self._feeds, patience_s)

    def _start(self, carrier: Carrier) -> None:
        settings, number = self._settings, carrier.number
        url = stream_url(settings.ws_url, carrier.group.streams)
        target = Target(
            number, carrier.place, url, settings.stall_timeout_s, settings.max_connection_age_s,
            settings.venue.messages_a_second,
        )  # fmt: skip
        formers = [self._feeds[_name(former)] for former in carrier.relieves]
        for former in formers:
            former.replaced.set()
        feed = Feed(target, self._inbox, self._handshakes, lambda: self._control.put(Aged(number)), formers)
        self._feeds[_name(number)] = feed
        self._inbox.tell(Wanted(number, carrier.place, carrier.group.symbols))
        self._threads.start(_name(number), feed.run)


def _name(number: int) -> str:
    return f"connection {number}"
