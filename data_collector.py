"""Collects LIST_MARKETS, or the symbols that it is given; all else is as in `python -m aster_collect`."""

# Edit this list: it is what `python data_collector.py` collects. `python -m aster_collect` has a list of its own, in
# aster_collect/settings.py, and does not look here.
LIST_MARKETS = ["ASTERUSDT", "BTCUSDT", "ETHUSDT", "USD1USDT"]

if __name__ == "__main__":
    from aster_collect.cli import main

    raise SystemExit(main(markets=LIST_MARKETS))
