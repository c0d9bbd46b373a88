"""The one queue into the collector, bounded by what it holds in bytes.

A full inbox makes a connection wait, so that TCP pushes back on the exchange and nothing is dropped silently.
"""

import queue
from collections import deque

from ..exchange.events import Answer, Bad, Batch, Delisted, Listed, Lost, Opened, Reopen, Wanted

Message = Batch | Bad | Wanted | Opened | Lost | Answer | Listed | Delisted | Reopen

INBOX_BYTES = 8 << 20
MESSAGE_OVERHEAD = 300  # bytes that an item costs beside its text, measured with sys.getsizeof
BOUND_BYTES = 36  # an int, and its place in a list


class Inbox(queue.Queue[Message]):
    """A `queue.Queue` whose size is the bytes of what it holds, by the hooks that `queue.PriorityQueue` uses too."""

    def __init__(self, maxsize: int = INBOX_BYTES) -> None:
        super().__init__(maxsize)

    def _init(self, maxsize: int) -> None:
        self._told: deque[Message] = deque()
        self._items: deque[tuple[int, Message]] = deque()
        self._bytes = 0

    def tell(self, item: Message) -> None:
        """Put a control message: it never waits, and goes before all data, behind those that were told before."""
        with self.mutex:
            self._told.append(item)
            self.unfinished_tasks += 1
            self.not_empty.notify()

    def _qsize(self) -> int:
        """Return the bytes of the data; where there is none, of what was told just that there is something."""
        return self._bytes or len(self._told)

    def _put(self, item: Message) -> None:
        size = weigh(item)
        self._items.append((size, item))
        self._bytes += size

    def _get(self) -> Message:
        if self._told:
            return self._told.popleft()
        size, item = self._items.popleft()
        self._bytes -= size
        return item

    def batches(self) -> int:
        """Return how many messages wait."""
        return len(self._told) + len(self._items)


def weigh(item: Message) -> int:
    """Return about how many bytes of memory an item takes, at least 1."""
    if isinstance(item, Batch):
        return len(item.data) + BOUND_BYTES * len(item.bounds) + MESSAGE_OVERHEAD
    return MESSAGE_OVERHEAD + (len(item.data) if isinstance(item, Bad) else 0)
