"""What REST is asked in a run, on threads of their own, and who gets the answers."""

import queue

from ..exchange.events import Answer, Ask
from ..exchange.pages import ask_exchange_info
from ..net.bans import Bans
from ..net.calls import Call, Called, make
from ..net.inbox import Inbox
from ..net.pacing import WeightBudget
from ..net.rest import UNDER_WAY, Rest, serve
from ..settings import Settings
from .threads import Control, Threads


class Requests:
    """The thread that decides what goes next, those that make the calls, and the weight that they may use.

    ```
    ask ──▶ rest ──▶ request 1 … n ──▶ rest ──┬─ a list of symbols ──▶ main thread
                                              └─ all else ──▶ inbox
    ```
    """

    def __init__(self, settings: Settings, threads: Threads, control: Control, inbox: Inbox) -> None:
        self.budget = WeightBudget(settings.venue.weight_a_minute, settings.share)
        self._url = settings.rest_url
        self._list_path = ask_exchange_info(settings.venue).path
        self._threads, self._control, self._inbox = threads, control, inbox
        self._asks: queue.SimpleQueue[Ask | Called | None] = queue.SimpleQueue()

    def ask(self, ask: Ask) -> None:
        """Have something asked for; never waits."""
        self._asks.put(ask)

    def start(self, bans: Bans) -> None:
        """Begin to ask, once no ban is in the way."""
        rest, calls = Rest(self.budget, bans), queue.SimpleQueue[Call | None]()
        self._threads.start("rest", lambda: serve(rest, self._asks, calls.put, self.deliver))
        for number in range(UNDER_WAY):
            self._threads.start(f"request {number + 1}", lambda: make(self._url, calls, self._asks.put))

    def deliver(self, answer: Answer) -> None:
        """Hand an answer to who asked: the list that the run asks for is no kind's, though a kind asks for it too."""
        if answer.ask.path == self._list_path and not answer.ask.kind:
            self._control.put(answer)
        else:
            self._inbox.put(answer)

    def stop(self) -> None:
        """Let the threads end."""
        self._asks.put(None)
