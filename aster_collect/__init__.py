"""Collect ASTER trades, best bid and ask, and order book depth into CSV files that can be proven whole."""

__version__ = "1.1.0"
