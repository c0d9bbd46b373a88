"""The signals that end a command that would go on for ever, as messages."""

import contextlib
import signal
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def signals(tell: Callable[[int], None]) -> Iterator[None]:
    """Turn SIGINT, SIGTERM and SIGHUP into messages; as PID 1 a process has no default for them."""
    # A handler may run inside any call of the main thread, its wait on the queue too: SimpleQueue.put is the one
    # thing that is safe there.
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = [(number, signal.signal(number, lambda number, _: tell(number))) for number in numbers]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
