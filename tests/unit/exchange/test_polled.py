"""What REST answers to a poll becomes its rows verbatim, or is refused with a reason."""

import json
import unittest
from pathlib import Path
from typing import Any

from aster_collect.errors import DecodeError
from aster_collect.exchange.form import Form
from aster_collect.exchange.streams import KINDS
from aster_collect.exchange.streams.kind import Found, Options

FRAMES = Path(__file__).parents[2] / "frames"
RECEIVED_NS = 1_764_000_000_123_000_000


def recorded(call: str) -> list[Any]:
    """Return a call's recorded answers."""
    return [json.loads(line) for line in (FRAMES / f"{call}.jsonl").read_text("utf-8").splitlines()]


def found(name: str, *answers: Any, symbol: str = "BTCUSDT") -> Found:
    """Return what answers to a poll hold."""
    poll = KINDS[name].poll
    assert poll is not None
    return poll.decode(symbol, answers, RECEIVED_NS)


def text(name: str, each: list[Found]) -> str:
    """Return a file with all these rows."""
    form = Form(KINDS[name], Options())
    rows = [row for one in each for row in form.rows(one.events)]
    return form.header.decode() + "".join(f"{row}\n" for row in rows)


class OpenInterest(unittest.TestCase):
    def test_answers_become_their_rows(self) -> None:
        """Each recorded answer gives the expected row, one without a time that of its receipt."""
        each = [found("open-interest", answer) for answer in recorded("openInterest")]
        self.assertEqual(text("open-interest", each), (FRAMES / "openInterest.csv").read_text("utf-8"))

    def test_an_answer_that_is_none(self) -> None:
        """What is not a decimal, not an object, or of another symbol raises DecodeError, with the reason."""
        good = {"symbol": "BTCUSDT", "openInterest": "1", "time": 5}
        for odd, reason in (
            ([], "openInterest is not an object"),
            ({**good, "openInterest": 1}, "odd field: openInterest"),
            ({**good, "openInterest": "-1"}, "odd field: openInterest"),
            ({"symbol": "BTCUSDT", "time": 5}, "missing field: openInterest"),
            ({**good, "time": "5"}, "odd field: T"),
            ({**good, "symbol": "ETHUSDT"}, "openInterest is of another symbol: 'ETHUSDT'"),
        ):
            with self.assertRaises(DecodeError) as caught:
                found("open-interest", odd)
            self.assertEqual(str(caught.exception), reason)

    def test_a_row_is_read_as_what_it_was_made_of(self) -> None:
        """Whatever the options of the file that it stands in."""
        (event,) = found("open-interest", recorded("openInterest")[0]).events
        for receive_time in (False, True):
            form = Form(KINDS["open-interest"], Options(receive_time=receive_time))
            (row,) = form.rows([event])
            self.assertTrue(form.is_row(row))
            self.assertEqual(form.rows([form.event(row)]) if receive_time else [row], [row])


class Universe(unittest.TestCase):
    def test_answers_become_their_rows(self) -> None:
        """Each symbol of futures and of spot, which has no funding, gives the expected row, of any script."""
        futures, spot = recorded("exchangeInfo")
        each = [found("universe", *recorded("fundingInfo"), futures), found("universe", spot)]
        self.assertEqual(text("universe", each), (FRAMES / "exchangeInfo.csv").read_text("utf-8"))
        self.assertEqual([one.odd for one in each], [[], []])

    def test_funding_that_could_not_be_asked(self) -> None:
        """Its column is blank, and all else is there."""
        futures, _ = recorded("exchangeInfo")
        for answer in (None, {}, "odd", []):
            events = found("universe", answer, futures).events
            self.assertEqual([event[-2] for event in events], [""] * 5, answer)
            self.assertEqual(events[0][2:5], ("BTCUSDT", "TRADING", "PERPETUAL"))

    def test_a_symbol_that_cannot_be_read(self) -> None:
        """It is told with the reason, and the others give their rows."""
        futures, _ = recorded("exchangeInfo")
        good = futures["symbols"][0]
        tick = {"filterType": "PRICE_FILTER", "tickSize": 0.1}
        for odd, reason in (
            (5, "not an object"),
            ({**good, "symbol": "BTC,USDT"}, "odd field: symbol"),
            ({**good, "symbol": 'BTC"'}, "odd field: symbol"),
            ({**good, "symbol": "BTC\n"}, "odd field: symbol"),
            ({**good, "symbol": "\ud800"}, "odd field: symbol"),
            ({"status": "TRADING"}, "missing field: symbol"),
            ({**good, "symbol": "BTC USDT"}, "odd field: symbol"),
            ({"symbol": "BTCUSDT"}, "missing field: status"),
            ({**good, "status": 5}, "odd field: status"),
            ({**good, "onboardDate": "soon"}, "odd field: onboardDate"),
            ({**good, "filters": [tick]}, "odd field: tickSize"),
        ):
            one = found("universe", None, {**futures, "symbols": [odd, good]})
            self.assertEqual((len(one.events), one.odd), (1, [(reason, odd)]))
        odd_hours = [{"symbol": "BTCUSDT", "fundingIntervalHours": "8"}, 5]
        one = found("universe", odd_hours, futures)
        self.assertEqual([reason for reason, _ in one.odd], ["odd field: fundingIntervalHours", "not an object"])
        self.assertEqual(len(one.events), 5)

    def test_a_list_that_is_none(self) -> None:
        """What has no symbols at all raises DecodeError."""
        for odd in (None, [], {}, {"symbols": {}}):
            with self.assertRaisesRegex(DecodeError, "no list of symbols"):
                found("universe", None, odd)

    def test_a_row_is_read_as_what_it_was_made_of(self) -> None:
        """Blank cells and names of any script too."""
        form = Form(KINDS["universe"], Options(receive_time=True))
        events = found("universe", *recorded("fundingInfo"), recorded("exchangeInfo")[0]).events
        for event, row in zip(events, form.rows(events), strict=True):
            self.assertTrue(form.is_row(row))
            self.assertEqual(form.event(row), event)


if __name__ == "__main__":
    unittest.main()
