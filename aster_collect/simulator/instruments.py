"""What a symbol is: its price and quantity grid, and how they are written."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from .noise import mix, salt_of

DEFAULT_SYMBOLS = ("ASTERUSDT", "BTCUSDT", "ETHUSDT", "USD1USDT", "币安人生USDT")
QUANTITIES = 1024  # how many different quantities a symbol has; a power of two, so that hashed bits choose one
QUOTE_ASSETS = ("USDT", "USD1", "USDF", "USDC")


class Instrument(NamedTuple):
    """The grid of one symbol; decimals are those written, a tick or step may be a multiple of the last one."""

    symbol: str
    base_asset: str
    quote_asset: str
    base_ticks: int  # the price that the walk goes round, in ticks
    price_decimals: int
    tick_units: int  # a tick, in units of the last written decimal
    quantity_decimals: int
    typical_steps: int  # a middling quantity, in steps of the last written decimal
    volatility: float  # relative change in a second


# base_ticks, price_decimals, tick_units, quantity_decimals, typical_steps, volatility
KNOWN = {
    "ASTERUSDT": (15_822, 7, 1_000, 0, 300, 9e-5),  # 1.5822000
    "BTCUSDT": (618_003, 2, 10, 3, 140, 1.2e-5),  # 61800.30
    "ETHUSDT": (240_571, 2, 1, 3, 900, 2e-5),  # 2405.71
    "USD1USDT": (9_997, 6, 100, 0, 2_500, 2e-6),  # 0.999700
    "币安人生USDT": (12_345, 7, 100, 0, 800, 1.2e-4),  # 0.1234500
    "AAVEUSDT": (17_135, 2, 1, 1, 60, 5e-5),  # 171.35
    "ADAUSDT": (4_217, 5, 10, 0, 1_500, 6e-5),  # 0.42170
    "APTUSDT": (2_409, 4, 10, 1, 2_000, 6e-5),  # 2.4090
    "ARBUSDT": (2_081, 4, 1, 1, 9_000, 7e-5),  # 0.2081
    "ATOMUSDT": (2_512, 3, 1, 2, 5_000, 5e-5),  # 2.512
    "AVAXUSDT": (13_452, 4, 10, 0, 60, 6e-5),  # 13.4520
    "BCHUSDT": (53_128, 2, 1, 3, 900, 4e-5),  # 531.28
    "BNBUSDT": (84_630, 3, 10, 2, 250, 2.5e-5),  # 846.300
    "BTCUSD1": (618_011, 2, 10, 3, 60, 1.2e-5),  # 61801.10
    "DOGEUSDT": (14_382, 6, 10, 0, 4_000, 6e-5),  # 0.143820
    "DOTUSDT": (2_318, 3, 1, 1, 2_000, 6e-5),  # 2.318
    "ENAUSDT": (2_764, 5, 10, 0, 2_500, 9e-5),  # 0.27640
    "ETCUSDT": (13_705, 3, 1, 2, 3_000, 5e-5),  # 13.705
    "ETHUSD1": (240_583, 2, 1, 3, 300, 2e-5),  # 2405.83
    "FILUSDT": (1_613, 3, 1, 1, 1_800, 6e-5),  # 1.613
    "HBARUSDT": (13_459, 5, 1, 0, 3_000, 6e-5),  # 0.13459
    "HYPEUSDT": (32_451, 3, 1, 2, 1_200, 7e-5),  # 32.451
    "INJUSDT": (5_947, 3, 1, 1, 900, 7e-5),  # 5.947
    "LINKUSDT": (12_714, 3, 1, 2, 4_000, 5e-5),  # 12.714
    "LTCUSDT": (8_463, 2, 1, 3, 9_000, 4e-5),  # 84.63
    "NEARUSDT": (1_871, 3, 1, 0, 700, 6e-5),  # 1.871
    "ONDOUSDT": (4_832, 5, 10, 1, 9_000, 7e-5),  # 0.48320
    "PENGUUSDT": (11_873, 7, 10, 0, 60_000, 1e-4),  # 0.0118730
    "SEIUSDT": (13_641, 5, 1, 0, 3_500, 8e-5),  # 0.13641
    "SOLUSDT": (13_512, 4, 100, 2, 900, 4e-5),  # 135.1200
    "SUIUSDT": (14_862, 6, 100, 1, 6_000, 6e-5),  # 1.486200
    "TAOUSDT": (28_417, 2, 1, 3, 1_500, 6e-5),  # 284.17
    "TRUMPUSDT": (6_204, 3, 1, 2, 8_000, 8e-5),  # 6.204
    "TRXUSDT": (27_654, 5, 1, 0, 2_000, 2e-5),  # 0.27654
    "UNIUSDT": (6_184, 3, 1, 0, 200, 6e-5),  # 6.184
    "WIFUSDT": (3_658, 5, 10, 1, 9_000, 9e-5),  # 0.36580
    "WLDUSDT": (6_407, 5, 10, 0, 900, 8e-5),  # 0.64070
    "XLMUSDT": (24_871, 5, 1, 0, 2_000, 5e-5),  # 0.24871
    "XRPUSDT": (21_045, 4, 1, 1, 3_000, 4e-5),  # 2.1045
    "1000BONKUSDT": (9_816, 6, 1, 0, 40_000, 9e-5),  # 0.009816
    "1000PEPEUSDT": (46_513, 7, 1, 0, 40_000, 9e-5),  # 0.0046513
    "1000SHIBUSDT": (8_213, 6, 1, 0, 50_000, 6e-5),  # 0.008213
}
DEMO_SYMBOLS = tuple(KNOWN)  # what the demo's exchange lists
DEMO_SYMBOL_RATE = 50.0  # frames a second of each
OTHERS = (
    (41_260, 4, 10, 1, 400, 7e-5),  # 41.2600
    (2_345, 8, 1, 0, 90_000, 1.2e-4),  # 0.00002345
    (18_904, 5, 10, 2, 1_500, 9e-5),  # 1.89040
    (96_117, 3, 10, 3, 2_000, 4e-5),  # 961.170
)


def instrument(symbol: str) -> Instrument:
    """The grid of a symbol: a realistic one for those of the demo, one chosen by its name for any other."""
    grid = KNOWN.get(symbol) or OTHERS[salt_of("grid", symbol) % len(OTHERS)]
    quote = next((asset for asset in QUOTE_ASSETS if symbol.endswith(asset) and symbol != asset), "")
    return Instrument(symbol, symbol.removesuffix(quote), quote or symbol, *grid)


def decimal_text(units: int, decimals: int) -> str:
    """Units of the last decimal as text, trailing zeros kept: (15822000, 7) is "1.5822000"."""
    if decimals == 0:
        return str(units)
    whole, part = divmod(units, 10**decimals)
    return f"{whole}.{part:0{decimals}d}"


class Writer:
    """Writes one instrument's prices and quantities, and remembers the ones in use."""

    def __init__(self, grid: Instrument, seed: int) -> None:
        """Prices and a table of quantities follow from the instrument and the seed."""
        self._grid = grid
        self.price = lru_cache(maxsize=16384)(self._price)
        salt = salt_of(seed, grid.symbol, "quantities")
        bits = [mix(salt, number) for number in range(QUANTITIES)]
        # Three bits of the hash choose a scale, so that small quantities are common and large ones rare; at least
        # eight steps, so that three fills can share a quantity.
        self.steps = [8 + word % (grid.typical_steps << (word >> 61)) // 16 for word in bits]
        self.quantities = [self.quantity(steps) for steps in self.steps]
        # Resting levels: one in eight prices has no order.
        self.resting = [text if word >> 3 & 7 else "" for text, word in zip(self.quantities, bits, strict=True)]

    def _price(self, ticks: int) -> str:
        return decimal_text(ticks * self._grid.tick_units, self._grid.price_decimals)

    def quantity(self, steps: int) -> str:
        """A quantity in steps as text."""
        return decimal_text(steps, self._grid.quantity_decimals)
