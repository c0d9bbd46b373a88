"""Hashed numbers, event times and prices that need no memory: each is a function of a salt and a place."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import NamedTuple

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15
CELL_US = 250_000  # the finest lattice of the walk; the price is linear within a cell
OCTAVES = 12  # lattices of 0.25 s, 1 s, 4 s, … 12 days


def salt_of(*parts: object) -> int:
    """A 64-bit salt for a named purpose, the same on every machine and Python."""
    text = "|".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def mix(salt: int, number: int) -> int:
    """64 well-spread bits for a number: a multiply and xor-shift finaliser, as in SplitMix64."""
    bits = (salt + number * GOLDEN) & MASK
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & MASK
    return bits ^ (bits >> 31)


class Timeline(NamedTuple):
    """When the numbered events of one kind happen: evenly spaced, plus a hashed delay below half of the spacing."""

    start_us: int
    spacing_us: int
    jitter_us: int  # 1 to spacing_us // 2, so that two events are at least half a spacing apart
    salt: int

    def time_us(self, number: int) -> int:
        """Unix microseconds of an event."""
        return self.start_us + number * self.spacing_us + mix(self.salt, number) % self.jitter_us

    def last_at(self, time_us: int) -> int:
        """The number of the last event that is not after a time."""
        number = (time_us - self.start_us) // self.spacing_us
        return number if self.time_us(number) <= time_us else number - 1

    def first_after(self, time_us: int) -> int:
        """The number of the first event after a time."""
        return self.last_at(time_us) + 1


def timeline(rate: float, start_us: int, salt: int, *, jitter: float = 0.5) -> Timeline:
    """A timeline of so many events a second; the jitter is a share of the spacing, at most a half."""
    spacing_us = max(4, round(1_000_000 / rate))
    phase_us = salt % spacing_us
    return Timeline(start_us + phase_us, spacing_us, max(1, int(spacing_us * jitter)), salt)


class Walk:
    """A price that looks like a random walk: noise of twelve octaves, each as high as the root of its period."""

    def __init__(self, salt: int, base_ticks: float, volatility: float) -> None:
        """The volatility is the relative change in a second, one standard deviation or so."""
        self._base_ticks = base_ticks
        self._octaves = [
            (shift, salt ^ (shift * GOLDEN & MASK), volatility * (CELL_US / 1e6 * (1 << shift)) ** 0.5)
            for shift in range(0, 2 * OCTAVES, 2)
        ]
        self._at_cell = lru_cache(maxsize=4096)(self._value_at_cell)

    def _value_at_cell(self, cell: int) -> float:
        wave = 0.0
        for shift, salt, height in self._octaves:
            whole = cell >> shift
            part = (cell - (whole << shift)) / (1 << shift)
            left = mix(salt, whole) / MASK - 0.5
            right = mix(salt, whole + 1) / MASK - 0.5
            wave += height * (left + (right - left) * part)
        return self._base_ticks * (1.0 + wave)

    def at(self, time_us: int) -> float:
        """The price in ticks, with a fraction, at a time in Unix microseconds."""
        cell, rest_us = divmod(time_us, CELL_US)
        left = self._at_cell(cell)
        return left + (self._at_cell(cell + 1) - left) * (rest_us / CELL_US)
