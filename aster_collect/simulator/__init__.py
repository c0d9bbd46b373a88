"""An exchange on loopback that speaks the protocol: one deterministic market, WebSocket and REST, faults on request."""

from .client_socket import Sent
from .connection import ConnectionInfo
from .exchange import Simulator
from .faults import FAULTS, Fault
from .front import Request
from .instruments import DEMO_SYMBOL_RATE, DEMO_SYMBOLS
from .market import Market
from .recording import Recording
from .venues import FUTURES, SPOT, Rules, Venue

__all__ = [
    "DEMO_SYMBOLS",
    "DEMO_SYMBOL_RATE",
    "FAULTS",
    "FUTURES",
    "SPOT",
    "ConnectionInfo",
    "Fault",
    "Market",
    "Recording",
    "Request",
    "Rules",
    "Sent",
    "Simulator",
    "Venue",
]
