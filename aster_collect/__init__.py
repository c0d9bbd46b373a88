"""Collect market data of the ASTER exchange into CSV files that can be proven whole."""

__version__ = "1.3.0"
