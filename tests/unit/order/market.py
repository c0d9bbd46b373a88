"""The modelled exchange's markets: what happens in each, as frames, and as the rows that are to come of them.

A kind is one function here and one line in `SOURCES`. A row is written out by hand, so that it is the contract that
is judged by and not the program.
"""

import json
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from decimal import Decimal
from random import Random
from typing import NamedTuple

START_MS = 1_764_000_000_000
LEVELS = 5
KEPT_S = 15.0  # frames are remembered for front servers that are behind, and while the exchange lags


class Made(NamedTuple):
    """What the exchange made: an event, and the row that is to be in its file."""

    kind: str
    symbol: str
    id: int
    time_ms: int
    made_s: float
    row: str


class Frame(NamedTuple):
    """A message for all who listen to a stream when it is sent: that time, in milliseconds, is between its parts."""

    made_s: float
    stream: str
    parts: tuple[str, ...]
    events: tuple[Made, ...]
    sent_s: float = 0.0
    sent_ms: int = 0


class Market:
    """One symbol: its prices, its ids, and what is to happen next in it."""

    def __init__(self, symbol: str, busy: float, kinds: Sequence[str], chance: Random) -> None:
        self.symbol, self.busy, self.chance = symbol, busy, chance
        self.price = chance.randrange(10_000, 90_000)  # in hundredths
        self.trade_id = chance.randrange(10**6, 10**9)
        self.update_id = chance.randrange(10**9, 10**12)
        self.book_id = 0
        self.fill_id = chance.randrange(10**6, 10**9)
        self.quiet_until_s = 0.0
        self.newest_ms: dict[str, int] = defaultdict(int)
        self.next_s = dict.fromkeys(kinds, 0.0)

    def ids(self, most: int = 50) -> int:
        """Return a new update id: they rise, and are not contiguous."""
        self.update_id += self.chance.randrange(1, most)
        return self.update_id

    def amount(self) -> str:
        return f"{self.chance.randrange(1, 9999) / 1000:.3f}"


def text(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def seconds(time_ms: int) -> str:
    return f"{time_ms // 1000}.{time_ms % 1000:03d}"


def trade(market: Market, time_ms: int, made_s: float) -> Frame:
    chance, symbol = market.chance, market.symbol
    market.trade_id += 1
    number, price, amount, sells = market.trade_id, text(market.price), market.amount(), chance.random() < 0.5
    maker = "true" if sells else "false"
    names = f'"a":{number},"s":"{symbol}"' if chance.random() < 0.5 else f'"s":"{symbol}","a":{number}'
    behind = f'"p":"{price}","q":"{amount}","f":{number * 2},"l":{number * 2},"T":{time_ms},"m":{maker}}}}}'
    side = "sell" if sells else "buy"
    made = Made("trades", symbol, number, time_ms, made_s, f"{number},{time_ms},{side},{price},{amount}")
    stream = f"{symbol.lower()}@aggTrade"
    parts = (f'{{"stream":"{stream}","data":{{"e":"aggTrade","E":', f",{names},{behind}")
    return Frame(made_s, stream, parts, (made,))


def quote(market: Market, time_ms: int, made_s: float) -> Frame:
    chance, symbol = market.chance, market.symbol
    market.price += chance.choice((0, 0, 0, -1, 1, 2, -2))
    bid, ask, number = market.price, market.price + chance.choice((1, 1, 2)), market.ids()
    mid = f"{(Decimal(bid) + Decimal(ask)) / 200:f}"
    mid = mid if (bid + ask) % 2 else text((bid + ask) // 2)
    stream = f"{symbol.lower()}@bookTicker"
    made = Made("prices", symbol, number, time_ms, made_s, f"{seconds(time_ms)},{text(bid)},{text(ask)},{mid}")
    head = (
        f'{{"stream":"{stream}","data":{{"e":"bookTicker","u":{number},"s":"{symbol}","b":"{text(bid)}",'
        f'"B":"{market.amount()}","a":"{text(ask)}","A":"{market.amount()}","T":{time_ms},"E":'
    )
    return Frame(made_s, stream, (head, "}}"), (made,))


def book(market: Market, time_ms: int, made_s: float) -> Frame:
    chance, symbol = market.chance, market.symbol
    before, market.book_id = market.book_id, market.ids()
    number, full = market.book_id, chance.random() < 0.9
    bids, asks = (
        [(text(market.price + way * (level + 1)), market.amount()) for level in range(LEVELS if full else 2)]
        for way in (-1, 1)
    )
    cells = ",".join(cell for side in (bids, asks) for level in (side + [("", "")] * LEVELS)[:LEVELS] for cell in level)
    stream = f"{symbol.lower()}@depth{LEVELS}@100ms"
    made = Made("orderbook", symbol, number, time_ms, made_s, f"{seconds(time_ms)},{number},{cells}")
    sides = (",".join(f'["{price}","{amount}"]' for price, amount in side) for side in (bids, asks))
    behind = ',"T":{},"s":"{}","U":{},"u":{},"pu":{},"b":[{}],"a":[{}]}}}}'.format(
        time_ms, symbol, number - 1, number, before or number - 2, *sides
    )
    return Frame(made_s, stream, (f'{{"stream":"{stream}","data":{{"e":"depthUpdate","E":', behind), (made,))


def mark(market: Market, time_ms: int, made_s: float) -> Frame:
    """Its time is when it is sent, by the exchange's clock and no front server's."""
    chance, symbol = market.chance, market.symbol
    price, index = (f"{market.price / 100 + chance.random():.8f}" for _ in range(2))
    rate, funding = chance.choice((("0.00010000", 1_764_003_600_000), ("-0.00002500", 1_764_003_600_000), ("", 0)))
    settle = chance.choice((price, None))
    row = f"{seconds(time_ms)},{price},{index},{settle or ''},{rate},{funding or ''}"
    payload = {"e": "markPriceUpdate", "E": time_ms, "s": symbol, "p": price}
    payload |= {"P": settle} if settle else {}
    payload |= {"i": index, "r": rate, "T": funding}
    stream = f"{symbol.lower()}@markPrice@1s"
    made = Made("mark", symbol, 0, time_ms, made_s, row)
    return Frame(made_s, stream, (json.dumps({"stream": stream, "data": payload}, separators=(",", ":")),), (made,))


def fill(market: Market, time_ms: int, made_s: float) -> Frame:
    chance, symbol = market.chance, market.symbol
    market.fill_id += chance.choice((1, 1, 2))
    price, amount, sells = text(market.price), market.amount(), chance.random() < 0.5
    origin = chance.choice(("MARKET", "INSURANCE_FUND", ""))
    said = f'"X":"{origin}",' if origin else ""
    row = f"{market.fill_id},{time_ms},{'sell' if sells else 'buy'},{price},{amount},{origin}"
    stream = f"{symbol.lower()}@trade"
    behind = (
        f',"T":{time_ms},"s":"{symbol}","t":{market.fill_id},"p":"{price}","q":"{amount}",{said}'
        f'"m":{"true" if sells else "false"}}}}}'
    )
    made = Made("fills", symbol, market.fill_id, time_ms, made_s, row)
    return Frame(made_s, stream, (f'{{"stream":"{stream}","data":{{"e":"trade","E":', behind), (made,))


def liquidation(market: Market, time_ms: int, made_s: float) -> Frame:
    symbol, amount, price = market.symbol, market.amount(), text(market.price)
    side = market.chance.choice(("BUY", "SELL"))
    row = f"{time_ms},{side.lower()},LIMIT,IOC,{price},{price},{amount},{amount},{amount},FILLED"
    stream = f"{symbol.lower()}@forceOrder"
    behind = (
        f',"o":{{"s":"{symbol}","S":"{side}","o":"LIMIT","f":"IOC","q":"{amount}","p":"{price}","ap":"{price}",'
        f'"X":"FILLED","l":"{amount}","z":"{amount}","T":{time_ms}}}}}}}'
    )
    made = Made("liquidations", symbol, 0, time_ms, made_s, row)
    return Frame(made_s, stream, (f'{{"stream":"{stream}","data":{{"e":"forceOrder","E":', behind), (made,))


class Source(NamedTuple):
    """How often a kind's events happen in a busy market, in seconds on average; or just so often, in every one."""

    make: Callable[[Market, int, float], Frame]
    mean_s: float
    evenly: bool = False
    bursts: bool = True  # whether several can happen at once
    sent: bool = False  # whether an event's time is when it was sent, not when it was made


SOURCES = {
    "trades": Source(trade, 0.5),
    "prices": Source(quote, 0.25),
    "orderbook": Source(book, 0.6),
    "fills": Source(fill, 0.8),
    "liquidations": Source(liquidation, 4.0, bursts=False),
    "mark": Source(mark, 1.0, evenly=True, sent=True),
}


class Exchange:
    """All markets, the clock that they share, and what it has made."""

    def __init__(self, chance: Random, busy: dict[str, float], kinds: Sequence[str], *, everyones: bool) -> None:
        """`everyones` says that somebody may listen to what brings all symbols."""
        self.chance = chance
        self._everyones = everyones
        self.step_ms = 0  # by which the clock was set
        self._lag_s = self._former_lag_s = self._lag_since_s = 0.0  # how long after an event its frame is sent
        self.made: dict[tuple[str, str], list[Made]] = defaultdict(list)
        self.recent: deque[Frame] = deque()
        self.markets: dict[str, Market] = {}
        self._kinds = [kind for kind in SOURCES if kind in (*kinds, "mark")]  # what ticks is there at all times
        for symbol, how in busy.items():
            self.begin(symbol, how)

    def begin(self, symbol: str, busy: float, now_s: float = 0.0) -> None:
        """Let a market begin."""
        market = self.markets[symbol] = Market(symbol, busy, self._kinds, self.chance)
        for kind in self._kinds:
            market.next_s[kind] = now_s

    def set_lag(self, lag_s: float, now_s: float) -> None:
        """Let frames be sent so long after their events from now on, but none before those that wait already."""
        self._former_lag_s, self._lag_s, self._lag_since_s = self.lag_s(now_s), lag_s, now_s

    def lag_s(self, made_s: float) -> float:
        return max(self._lag_s, self._former_lag_s - (made_s - self._lag_since_s))

    def now_ms(self, at_s: float) -> int:
        return START_MS + self.step_ms + round(at_s * 1000)

    def until(self, now_s: float) -> list[Frame]:
        """Return what happens until then, in order."""
        frames: list[Frame] = []
        for market in self.markets.values():
            for kind, due_s in market.next_s.items():
                source = SOURCES[kind]
                while due_s <= now_s:
                    if source.evenly:
                        frames.append(self._make(market, kind, due_s))
                        due_s += source.mean_s
                        continue
                    if due_s >= market.quiet_until_s:
                        frames += (
                            self._make(market, kind, due_s)
                            for _ in range(self.chance.choice((1, 1, 1, 3)) if source.bursts else 1)
                        )
                    due_s += self.chance.expovariate(market.busy / source.mean_s)
                market.next_s[kind] = due_s
        frames.sort(key=lambda frame: frame.made_s)
        frames += self._of_everyone(frames) if self._everyones else ()
        frames = [self._sent(frame) for frame in frames]
        self.recent += frames
        while self.recent and self.recent[0].made_s < now_s - KEPT_S:
            self.recent.popleft()
        return frames

    def _sent(self, frame: Frame) -> Frame:
        sent_s = frame.made_s + self.lag_s(frame.made_s)
        return frame._replace(sent_s=sent_s, sent_ms=self.now_ms(sent_s) + 2)

    def _make(self, market: Market, kind: str, at_s: float) -> Frame:
        sent_s = at_s + (self.lag_s(at_s) if SOURCES[kind].sent else 0.0)
        time_ms = self.now_ms(sent_s) - self.chance.randrange(3)
        newest_ms = market.newest_ms[kind]
        if 0 < newest_ms - time_ms < 100:
            time_ms = newest_ms
        market.newest_ms[kind] = time_ms
        frame = SOURCES[kind].make(market, time_ms, at_s)
        for event in frame.events:
            self.made[event.kind, event.symbol].append(event)
        return frame

    def _of_everyone(self, frames: Sequence[Frame]) -> list[Frame]:
        """Return the marks of all symbols together, as the stream that brings them all has them, and liquidations."""
        marks: dict[float, list[Frame]] = defaultdict(list)
        together = []
        for frame in frames:
            if frame.events[0].kind == "mark":
                marks[frame.made_s].append(frame)
            elif frame.events[0].kind == "liquidations":
                stream = "!forceOrder@arr"
                first = frame.parts[0].replace(frame.stream, stream)
                together.append(frame._replace(stream=stream, parts=(first, *frame.parts[1:])))
        for made_s, some in marks.items():
            data = [json.loads(frame.parts[0])["data"] for frame in some]
            stream = "!markPrice@arr@1s"
            whole = json.dumps({"stream": stream, "data": data}, ensure_ascii=False, separators=(",", ":"))
            together.append(Frame(made_s, stream, (whole,), tuple(event for frame in some for event in frame.events)))
        return together
