"""What a million changes of a full book cost, from frame to row, against `json.loads` alone on the same frames."""

import json
import random
import time
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import NamedTuple

from aster_collect.exchange.events import Answer
from aster_collect.exchange.form import Form
from aster_collect.exchange.streams.depth import KIND
from aster_collect.exchange.streams.kind import Options
from aster_collect.exchange.venues import FUTURES
from aster_collect.order.chain import Chain
from aster_collect.order.checks import Checks
from aster_collect.order.effects import Effect, Request, Rows
from aster_collect.order.lane import Left

READ = 400  # frames that are decoded at once, and then put in order
LEVELS = 5  # a side that a change has
MS = 1_723_161_256_299


class Cost(NamedTuple):
    """CPU seconds a million frames, and how many rows came of them."""

    ours_s: float
    json_s: float
    rows: int


def frames(count: int) -> list[str]:
    """Return changes of 10 levels each, near the middle of a book of 1000 levels a side."""
    chance, update_id, made = random.Random(1), 100, []
    for at in range(count):
        previous_id, update_id = update_id, update_id + chance.randrange(100, 3000)
        sides = ([_level(sign * chance.randrange(300), chance) for _ in range(LEVELS)] for sign in (-1, 1))
        bids, asks = (json.dumps(side, separators=(",", ":")) for side in sides)
        made.append(
            f'{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":{MS + at},"T":{MS + at},"s":"BTCUSDT",'
            f'"U":{previous_id + 1},"u":{update_id},"pu":{previous_id},"b":{bids},"a":{asks}}}}}'
        )
    return made


def _level(ticks: int, chance: random.Random) -> list[str]:
    return [f"{61800 + ticks / 10:.2f}", f"{chance.randrange(99_999) / 1000:.3f}"]


def measure(count: int) -> Cost:
    """Return the cost of so many changes behind one snapshot."""
    made = frames(count)
    json_s = timed(lambda: deque(map(json.loads, made), 0))
    lane = Chain(KIND, "BTCUSDT", Left(), FUTURES, Checks(0, 0), time.monotonic)
    take, form, rows = KIND.wire and KIND.wire.take, Form(KIND, Options()), 0
    assert take is not None
    shaped = take(Options())

    def written(effects: list[Effect]) -> int:
        return sum(len(form.rows(one.events)) for one in effects if isinstance(one, Rows))

    def collect() -> None:
        nonlocal rows
        each = iter(made)
        while texts := list(islice(each, READ)):
            text, bounds = "".join(texts), [0]
            for one in texts:
                bounds += [bounds[-1] + len(one)] * 2
            shaped(text, bounds[:-1], 1, {"BTCUSDT": lane.add})
            for request in lane.step():
                if isinstance(request, Request):
                    lane.answer(Answer(request.ask, 0, 1, snapshot()))
                    rows += written(lane.step())
            rows += written(lane.turn(None, 0))

    return Cost(timed(collect) / count * 1e6, json_s / count * 1e6, rows)


def snapshot() -> dict[str, object]:
    """Return the book of 1000 levels a side that the changes follow."""
    sides = ([[f"{61800 + sign * at / 10:.2f}", "1.000"] for at in range(1, 1001)] for sign in (-1, 1))
    bids, asks = sides
    return {"lastUpdateId": 100, "T": MS, "bids": bids, "asks": asks}


def timed(work: Callable[[], object]) -> float:
    """Return the CPU seconds that something takes."""
    start_s = time.process_time()
    work()
    return time.process_time() - start_s
