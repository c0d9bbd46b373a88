"""The course of a run: each thing that the engine is told, and is done for it; from a loop, or from a record of one."""

from ..exchange.events import Message, Reopen
from ..order.engine import Engine
from ..order.entries import Begin, Close, Record, Settle, Step, nowhere
from .hands import Hands
from .moments import Moments


class Course:
    """Looks at the clocks, has recorded what comes, tells it to the engine, and has carried out what that wants.

    ```
    message, moment ──▶ record
              └───────▶ engine ──effects──▶ hands ──▶ store, REST, log
                          ▲──what a flush finds out──┘
    ```
    """

    def __init__(self, engine: Engine, hands: Hands, moments: Moments, record: Record = nowhere) -> None:
        self._engine, self._hands, self._moments, self._record = engine, hands, moments, record

    def begin(self, begin: Begin) -> None:
        """Collect a symbol whose files were opened since the last look at the clocks."""
        self._record(self._moments.now, begin)
        self._hands.carry(self._engine.begin(begin.symbol, begin.left))

    def take(self, message: Message) -> None:
        """Take one message."""
        self._moments.look()
        if isinstance(message, Reopen):
            self._record(self._moments.now, Reopen(self._hands.moved()))
            self._hands.reopen()
        else:
            self._record(self._moments.now, message)
            self._hands.carry(self._engine.take(message))

    def step(self) -> None:
        """Do what time asks for: holes, polls, turns."""
        self._moments.look()
        self._record(self._moments.now, Step())
        self._hands.carry(self._engine.step())
        self._hands.retry()

    def settle(self, stopped_s: float) -> None:
        """Ask at the end what may be missing; `stopped_s` is until when connections delivered."""
        self._moments.look()
        self._record(self._moments.now, Settle(stopped_s))
        self._hands.carry(self._engine.settle(stopped_s))

    def is_settled(self) -> bool:
        """Return whether nothing is open by now that REST could answer, or time is up."""
        self._moments.look()
        return self._engine.settled

    def close(self) -> bool:
        """Write everything, for the end; return whether all of it is on disk."""
        self._moments.look()
        self._record(self._moments.now, Close())
        self._hands.rewound = False
        self._hands.carry(self._engine.close())
        if self._hands.rewound:
            self._hands.carry(self._engine.close())
        return not self._hands.failing_since_ns
