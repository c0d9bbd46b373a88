"""What can go wrong in a modelled world: each fault a function, by its name in the table."""

import json

from .lines import Line
from .world import Fault, World

HOUR_MS = 3_600_000


def _some(world: World) -> list[Line]:
    """Return one connection, or all."""
    lines = world.conns()
    return lines if world.chance.random() < 0.6 else lines[:1]


def drop(world: World) -> None:
    """Connections break."""
    for line in _some(world):
        line.conn.broken = "eof"


def stall(world: World) -> None:
    """Servers send nothing for a while, and then all at once; after 10 s the program gives up on them."""
    for line in _some(world):
        line.conn.stalled_until_s = world.now_s + world.chance.choice((1, 5, 12))


def refuse(world: World) -> None:
    """Connections break, and can't be made for a while."""
    world.front.refuses_until_s = world.now_s + world.chance.random() * 8
    drop(world)


def skip(world: World) -> None:
    """Trades are left out, on one connection or the same number on all."""
    count = world.chance.randrange(1, 30)
    for line in _some(world):
        line.conn.skips = count


def double(world: World) -> None:
    """Frames come twice."""
    for line in _some(world):
        line.conn.doubles = world.chance.randrange(1, 30)


def swap(world: World) -> None:
    """Frames change places with the next."""
    for line in _some(world):
        line.conn.swaps = world.chance.randrange(1, 15)


def _rest(mood: str, longest_s: float) -> Fault:
    def change(world: World) -> None:
        world.desk.until_s[mood] = world.now_s + world.chance.random() * longest_s
        skip(world)

    return change


def rest_late(world: World) -> None:
    """REST takes its time."""
    world.desk.late_s = world.chance.choice((0.0, 1.0, 6.0))
    skip(world)


def forget(world: World) -> None:
    """Trades are lost on the way that REST does not have either."""
    for line in world.conns():
        line.conn.skips = 5
    for symbol, market in world.exchange.markets.items():
        newest = market.trade_id
        world.desk.gone |= {(symbol, newest + ahead) for ahead in range(1, world.chance.randrange(2, 5))}


def behind(world: World) -> None:
    """What is connected from now on is a server that is behind; or not any more."""
    world.front.behind_s = world.chance.choice((0.0, 0.5, 2.5, 4.5, 6.0, 9.0))
    if world.chance.random() < 0.5:
        drop(world)


def lag(world: World) -> None:
    """The exchange sends late, or not any more."""
    world.exchange.set_lag(world.chance.choice((0.0, 0.4, 3.0)), world.now_s)


def hand_over(world: World) -> None:
    """Connections are old: one gets a successor, or several groups share their connections from now on."""
    groups = [group for group in world.groups if group]
    if len(groups) > 1 and world.chance.random() < 0.6:
        merge(world)
        return
    lines = [line for line in world.lines if not line.replaced]
    if lines:
        line = world.chance.choice(lines)
        world.want(line.symbols, [line])


def merge(world: World) -> None:
    """All groups share their connections from now on."""
    of_groups = [[line for line in world.lines if line.symbols == tuple(group)] for group in world.groups]
    if len(of_groups) < 2 or any(line.replaced for lines in of_groups for line in lines):
        return
    symbols = tuple(symbol for group in world.groups for symbol in group)
    for relieved in zip(*of_groups, strict=True):
        world.want(symbols, relieved)
    world.groups = [list(symbols)]


def stop(world: World) -> None:
    """The program is stopped, and started again."""
    world.stop(world.chance.choice((0.3, 2.0, 20.0)))


def kill(world: World) -> None:
    """The program is killed, and started again."""
    world.kill(world.chance.choice((0.3, 2.0, 20.0)))


def kill_in_flush(world: World) -> None:
    """The program is killed between two of its writes."""
    world.disk.crash_in = world.chance.randrange(8)


def full_disk(world: World) -> None:
    """The disk takes next to nothing for a while, or has room again."""
    world.disk.is_full = not world.disk.is_full


def new_symbol(world: World) -> None:
    """The exchange lists another symbol."""
    name = (
        f"币{len(world.exchange.markets)}USDT" if world.chance.random() < 0.3 else f"N{len(world.exchange.markets)}USDT"
    )
    if len(world.exchange.markets) < 6:
        world.list_symbol(name, world.chance.choice((0.2, 0.02)), world.chance.choice((0.0, 0.0, 3.0)))


def exchange_clock(world: World) -> None:
    """The exchange's clock is set."""
    world.exchange.step_ms += world.chance.choice((-HOUR_MS, -30_000, -3000, 3000, 30_000, HOUR_MS))
    if world.chance.random() < 0.5:
        drop(world)


def our_clock(world: World) -> None:
    """Our own clock is set."""
    world.wall_step_s += world.chance.choice((-3600.0, -20.0, 20.0, 3600.0))


def odd_trade(world: World) -> None:
    """A trade comes whose id and time can't be."""
    for line in _some(world):
        symbol = next((one for one in line.symbols if (world.disk.files("trades", one) or [[]])[-1]), "")
        if not symbol:  # the first of all would be taken for right
            continue
        payload = {"e": "aggTrade", "E": world.exchange.now_ms(world.now_s) + 60_000, "s": symbol, "a": 7, "p": "1",
                   "q": "1", "f": 1, "l": 1, "T": world.exchange.now_ms(world.now_s) + 60_000, "m": True}  # fmt: skip
        line.conn.garble(world.now_s, json.dumps({"stream": f"{symbol.lower()}@aggTrade", "data": payload}))


def garbage(world: World) -> None:
    """Something comes that can't be read."""
    for line in _some(world):
        for message in ('{"stream":"x"}', "[", '{"e":"aggTrade"}', '{"result":null,"id":1}'):
            line.conn.garble(world.now_s, message)


def busy(world: World) -> None:
    """The program does not come to it for a while."""
    world.busy_until_s = world.now_s + world.chance.choice((1.0, 4.0))


def quiet(world: World) -> None:
    """A symbol has no events for a while, and its connection breaks."""
    market = world.chance.choice(list(world.exchange.markets.values()))
    market.quiet_until_s = world.now_s + world.chance.choice((5.0, 30.0))
    if world.chance.random() < 0.7:
        drop(world)


FAULTS: dict[str, Fault] = {
    "drop": drop,
    "stall": stall,
    "refuse": refuse,
    "skip": skip,
    "double": double,
    "swap": swap,
    "rest_down": _rest("down", 12),
    "rest_away": _rest("down", 70),
    "rest_failing": _rest("failing", 12),
    "rest_banning": _rest("banning", 12),
    "rest_odd": _rest("odd", 8),
    "rest_short": _rest("short", 20),
    "rest_behind": _rest("behind", 20),
    "rest_late": rest_late,
    "forget": forget,
    "behind": behind,
    "lag": lag,
    "hand_over": hand_over,
    "stop": stop,
    "kill": kill,
    "kill_in_flush": kill_in_flush,
    "full_disk": full_disk,
    "new_symbol": new_symbol,
    "garbage": garbage,
    "odd_trade": odd_trade,
    "our_clock": our_clock,
    "busy": busy,
    "quiet": quiet,
}  # fmt: skip
# One that is behind when the exchange's clock was set back brings low ids of later times, as ids that begin anew do.
OF_CLOCKS: dict[str, Fault] = {"exchange_clock": exchange_clock, "our_clock": our_clock}
