"""An exchange on loopback that speaks the protocol: one deterministic market, WebSocket and REST, faults on request."""

from .connection import ConnectionInfo, Rules, Sent
from .exchange import Request, Simulator
from .faults import FAULTS, Fault
from .instruments import DEMO_SYMBOL_RATE, DEMO_SYMBOLS
from .market import Market

__all__ = [
    "DEMO_SYMBOLS",
    "DEMO_SYMBOL_RATE",
    "FAULTS",
    "ConnectionInfo",
    "Fault",
    "Market",
    "Request",
    "Rules",
    "Sent",
    "Simulator",
]
