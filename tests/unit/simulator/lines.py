"""A symbol of the seeded market in parts, as tests of each part have it."""

from aster_collect.simulator.ids import EPOCH_US
from aster_collect.simulator.instruments import Writer, instrument
from aster_collect.simulator.noise import Timeline, Walk, salt_of, timeline
from aster_collect.simulator.quotes import Quotes

SYMBOL = "BTCUSDT"
SEED = 1
SALT = salt_of(SEED, SYMBOL, "thin")
WRITER = Writer(instrument(SYMBOL), SEED)
NOW_US = 1_795_538_532_000_000


def line(rate: float, name: str) -> Timeline:
    """Return the times of so many events a second."""
    return timeline(rate, EPOCH_US, salt_of(SEED, SYMBOL, name))


def quotes(rate: float = 50.0) -> Quotes:
    """Return so many quotes a second."""
    grid = instrument(SYMBOL)
    walk = Walk(salt_of(SEED, SYMBOL, "walk"), grid.base_ticks, grid.volatility)
    return Quotes(line(rate, "quotes"), walk, WRITER)
