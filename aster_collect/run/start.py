"""What the log says at the start: what this run will do."""

import logging

from .. import __version__
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
        "start folder=%s levels=%d depth_interval_ms=%d flush_interval_s=%g receive_time=%s sync=%s history=%d",
        settings.data_dir, settings.order_book_levels, settings.depth_interval_ms, settings.flush_interval_s,
        _yes(settings.receive_time), _yes(settings.sync), settings.history,
    )  # fmt: skip
    ws, rest = without_secret(settings.ws_url), without_secret(settings.rest_url)
    log.info("start ws=%s rest=%s subscriptions=%d", ws, rest, streams)


def _yes(value: bool) -> str:
    return "yes" if value else "no"
