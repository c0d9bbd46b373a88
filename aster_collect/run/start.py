"""What the log says at the start: what this run will do, and what of it is asked for in vain."""

import logging
import math

from .. import __version__
from ..exchange.events import HOLE, POLL
from ..exchange.streams.kind import Lane
from ..net.pacing import WeightBudget
from ..net.rest import RESERVES
from ..order.polls import round_weight
from ..settings import Settings
from ..wording import without_secret
from .fleet import Carrier

log = logging.getLogger(__name__)


def say_start(settings: Settings, symbols: list[str], carriers: list[Carrier]) -> None:
    """Say what is collected of which symbols, over how many connections, and where to."""
    streams = sum(len(carrier.group.streams) for carrier in carriers if not carrier.copy)
    log.info("start version=%s symbols=%d connections=%d", __version__, len(symbols), len(carriers))
    log.info("start market=%s streams=%s", settings.market, ",".join(settings.streams))
    log.info("start symbols=%s", ",".join(symbols))
    log.info(
        "start folder=%s levels=%d depth_interval_ms=%d flush_interval_s=%g receive_time=%s sync=%s history=%d "
        "record=%s",
        settings.data_dir, settings.order_book_levels, settings.depth_interval_ms, settings.flush_interval_s,
        _yes(settings.receive_time), _yes(settings.sync), settings.history, _yes(settings.record),
    )  # fmt: skip
    ws, rest = without_secret(settings.ws_url), without_secret(settings.rest_url)
    log.info("start ws=%s rest=%s subscriptions=%d", ws, rest, streams)


def say_snapshots(settings: Settings, symbols: int, budget: WeightBudget) -> None:
    """Say how long it takes until the full book of each symbol is begun: their snapshots are had in turn."""
    if any(kind.lane is Lane.CHAIN for kind in settings.scope().kinds):
        weight = symbols * settings.venue.weights["depth"]
        log.info("start snapshots=%d in_s=%d", symbols, math.ceil(budget.round_s(weight, RESERVES[HOLE])))


def warn_of_polls(settings: Settings, symbols: int, budget: WeightBudget) -> None:
    """Say where polls take longer than their interval: how long a round of so many symbols takes, and what to set."""
    round_s = budget.round_s(symbols * round_weight(settings.venue, settings.scope().kinds), RESERVES[POLL])
    if round_s > settings.poll_interval_s:
        enough_s = math.ceil(round_s)
        log.warning(
            "poll interval too short poll_interval_s=%g symbols=%d weight_a_minute=%d a_round_takes_s=%d "
            "next=set_--poll-interval_to_%d_or_collect_fewer_symbols",
            settings.poll_interval_s, symbols, budget.a_minute, enough_s, enough_s,
        )  # fmt: skip


def _yes(value: bool) -> str:
    return "yes" if value else "no"
