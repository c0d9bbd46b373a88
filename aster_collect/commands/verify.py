"""The command line of `python -m aster_collect.verify`."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import NoReturn

from ..files.archive import NotAFolder
from ..verify.check import check_folder

DATA_DIR = "ASTER_data"

_EPILOG = """\
checked for each symbol, over rotated and compressed files as one history:
  all files    the right header, whole rows, plain decimals, no NUL, no blank line
  prices       bid below ask (a price of zero is an absent side), mid exact; having no ids, time goes
               back by a second at most, from one odd time to those around it, or where the ledger
               has a stretch of restart or clock
  orderbook    lastUpdateId rises, bids descend, asks ascend, blank levels last, not crossed
  trades       each id once, each one higher than the last but for what gaps_<SYMBOL>.csv lists
  gaps         there, well-formed, and not contradicted: no id is both listed and present, and at
               most one row lies in a stretch that is listed (its first and last second aside), but
               for stretches of late, restart and clock
  closed files of prices and orderbook: behind one, no whole hour or day (as it is named) without
               rows, but for what the ledger lists; a missing file of trades is a hole in the ids
Times that go back otherwise (rows stand in the order of ids) are counted and shown, not broken.
Files set aside under a time such as 20261122T152400Z are listed, not checked.

covered is the share of the time from first to last row that no listed stretch overlaps; for trades,
the share of the ids from first to last that are there. Rounded down: 100.000 % means all.

--json writes one object:
  folder, holds (true or false), rows, files (numbers), broken (a number), set_aside (names),
  histories  [{symbol, kind, files (names, in order), rows, first, last (UTC), gaps (ledger rows),
               missing_ids (trades) or missing_s, covered_percent, time_back {steps, largest_ms,
               and where first: file, line}}], null where it has no meaning
  reasons    [{file, line, reason}], at most 20 a file

exit status:
  0  all promises hold
  1  a promise is broken
  2  nothing was proven: no such folder, no data files or no rows in it, a file that can't be read,
     a bad option

examples:
  python -m aster_collect.verify
  python -m aster_collect.verify /srv/aster --live
  python -m aster_collect.verify ASTER_data --json | jq '.reasons'
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise NotAFolder(f"{message}; see --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m aster_collect.verify",
        description="Prove from the files alone that nothing is lost or out of order but what the gap ledger lists.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "folder", metavar="DIR", nargs="?", default=DATA_DIR, type=Path, help=f"the data folder (default: {DATA_DIR})"
    )
    parser.add_argument("--json", action="store_true", help="write one JSON object instead of the table")
    parser.add_argument(
        "--live",
        action="store_true",
        help="a collector is writing there now: an incomplete last line is a row under way, not a broken one",
    )
    return parser


def main(argv: list[str] | None = None) -> int:
    """Check a folder, print what was found, and return the exit status: 0, 1 or 2, as `--help` says."""
    try:
        options = _parser().parse_args(argv)
        report = check_folder(options.folder, live=options.live)
    except NotAFolder as error:
        return _refuse(str(error))
    except OSError as error:
        return _refuse(f"{error.filename or 'a data file'}: {error.strerror or error}; nothing was proven")
    if report.nothing_proven:
        return _refuse(f"{options.folder}: no rows in its files; nothing was proven")
    try:
        if options.json:
            print(json.dumps(report.json(), indent=2))
        else:
            for line in report.text():
                print(_printable(line))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1 if report.total else 0


def _refuse(why: str) -> int:
    print(_printable(f"verify: {why}"), file=sys.stderr)
    return 2


def _printable(line: str) -> str:
    encoding = sys.stdout.encoding or "utf-8"
    return line.encode(encoding, "backslashreplace").decode(encoding)
