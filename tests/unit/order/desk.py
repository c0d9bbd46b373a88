"""The modelled REST interface, and its moods; what it is asked while it has banned us is noted."""

import json
from collections.abc import Callable, Mapping
from random import Random
from urllib.parse import parse_qs, urlsplit

from aster_collect.errors import NetworkError
from aster_collect.net.bans import REST
from aster_collect.net.reply import Reply

from .market import Exchange, Made

WEIGHTS = {"aggTrades": 20, "time": 1, "openInterest": 1, "exchangeInfo": 1, "fundingInfo": 1}
WEIGHT_A_MINUTE = 2400
ROUNDING_S = 1e-6  # sums of seconds differ in their last digit
SHORT = 7  # trades in a page that is short


class KeptBans:
    """What `net/bans.py` keeps in a file: a ban is over when it is over, whatever becomes of the program."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until_s: dict[str, float] = {}

    def left_s(self, interface: str) -> float:
        return max(0.0, self._until_s.get(interface, 0.0) - self._clock())

    def begin(self, interface: str, seconds: float, why: str) -> None:
        self._until_s[interface] = self._clock() + seconds


class Desk:
    """Answers requests as the exchange's REST servers do."""

    def __init__(self, exchange: Exchange, chance: Random, clock: Callable[[], float]) -> None:
        self.wrongs: list[str] = []
        self.bans = KeptBans(clock)
        self.late_s = 0.0
        self.until_s: dict[str, float] = {}  # how long each mood lasts
        self.gone: set[tuple[str, int]] = set()  # trades that it has forgotten
        self.asked = 0
        self._exchange, self._chance, self._clock = exchange, chance, clock
        self._spent: list[tuple[float, int]] = []
        self._banned_until_s = 0.0
        self._calls = {"time": self._time, "aggTrades": self._trades, "openInterest": self._open_interest}

    def is_in(self, mood: str) -> bool:
        return self._clock() < self.until_s.get(mood, 0.0)

    def reply(self, path: str) -> Reply | NetworkError:
        """Return what comes of a request that is answered now."""
        now_s, call = self._clock(), urlsplit(path).path.rpartition("/")[2]
        if self.is_in("down"):
            return NetworkError("refused", "model: nobody listens")
        if self.is_in("failing"):
            return self._answer(503, "<html>no</html>")
        if self.is_in("banning"):
            self.until_s["banning"] = 0.0
            seconds = self._chance.randrange(5, 25)
            self._banned_until_s = now_s + seconds
            refused = json.dumps({"code": -1003, "msg": "Too many requests."})
            return self._answer(self._chance.choice((418, 429)), refused, {"retry-after": str(seconds)})
        if self.is_in("odd"):
            return self._answer(200, self._chance.choice(('{"code":0}', "[", "null", '[{"a":"x"},7]')))
        query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        return self._answer(200, json.dumps(self._calls[call](query)))

    def note(self, path: str) -> None:
        """Note that a request is made."""
        now_s, call = self._clock(), urlsplit(path).path.rpartition("/")[2]
        self.asked += 1
        self._spent = [one for one in self._spent if one[0] > now_s - 60] + [(now_s, WEIGHTS[call])]
        if now_s < self._banned_until_s - ROUNDING_S and self.bans.left_s(
            REST
        ):  # else the program ended before it could know
            self.wrongs.append(f"{call} asked {self._banned_until_s - now_s:.1f} s before a ban was over")
        if sum(weight for _, weight in self._spent) > WEIGHT_A_MINUTE:
            self.wrongs.append("more weight asked for than a minute has")

    def _answer(self, status: int, body: str, headers: Mapping[str, str] | None = None) -> Reply:
        return Reply("model", status, "", headers or {}, body.encode())

    def _time(self, query: Mapping[str, str]) -> object:
        return {"serverTime": self._exchange.now_ms(self._clock())}

    def _trades(self, query: Mapping[str, str]) -> object:
        symbol, first_id, limit = query["symbol"], int(query["fromId"]), int(query["limit"])
        made = self._exchange.made["trades", symbol]
        known_s = self._clock() - (self._chance.uniform(2, 5) if self.is_in("behind") else 0)
        limit = min(limit, SHORT) if self.is_in("short") else limit
        at = max(0, first_id - made[0].id) if made else 0
        page = [one for one in made[at : at + limit] if one.made_s <= known_s and (symbol, one.id) not in self.gone]
        return [_of_page(one.row.split(",")) for one in page]

    def _open_interest(self, query: Mapping[str, str]) -> object:
        symbol, now_s = query["symbol"], self._clock()
        time_ms, amount = self._exchange.now_ms(now_s), f"{self._chance.randrange(10**7) / 1000:.3f}"
        made = Made("open-interest", symbol, 0, time_ms, now_s, f"{time_ms},{amount}")
        self._exchange.made["open-interest", symbol].append(made)
        return {"symbol": symbol, "openInterest": amount, "time": time_ms}


def _of_page(cells: list[str]) -> dict[str, object]:
    number, made_ms, side, price, amount = cells
    maker = side == "sell"
    return {"a": int(number), "p": price, "q": amount, "f": 1, "l": 1, "T": int(made_ms), "m": maker}
