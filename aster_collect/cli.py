"""The command line."""

from .commands.collect import main

__all__ = ["main"]
