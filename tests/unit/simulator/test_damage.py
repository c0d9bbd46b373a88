"""What faults do to frames, whatever their streams."""

import json
import re
import unittest

from aster_collect.simulator import Fault, Market
from aster_collect.simulator.damage import FrameFaults, Omission, Step, with_set_clock
from aster_collect.simulator.due import Due
from aster_collect.simulator.maker import FrameMaker
from aster_collect.simulator.rest import Paging, answer

NOW_US = 1_790_000_000_000_000
STREAMS = (
    "btcusdt@markPrice@1s",
    "!markPrice@arr@1s",
    "btcusdt@forceOrder",
    "!forceOrder@arr",
    "btcusdt@trade",
    "btcusdt@depth@0ms",
)


def frames(market, stream, count):
    """So many frames of a stream, as a connection makes them."""
    due = Due(market, lambda source, number: FrameMaker()(source, number, True))
    due.subscribe((stream,), NOW_US)
    return due.frames(NOW_US + 3_600_000_000, count)


class AFrameFault(unittest.TestCase):
    def test_works_for_every_stream(self):
        """duplicate, skip and swap do what they say to marks, liquidations, fills and diffs."""
        market = Market()
        for stream in STREAMS:
            one, two, three = frames(market, stream, 3)
            for name, expected in (
                ("duplicate", [one, one, two, three]),
                ("skip", [two, three]),
                ("swap", [two, one, three]),
            ):
                faults = FrameFaults()
                faults.add(Fault(name, value=stream))
                faults.add(Fault(name, value="another@stream"))
                self.assertEqual(expected, faults.apply([one, two, three], 1.0), (stream, name))

    def test_lets_frames_come_late(self):
        """Those of a stream wait, others pass them, and they come when it is time, whatever else there is."""
        market, faults = Market(), FrameFaults()
        one, two, three = frames(market, "btcusdt@depth@0ms", 3)
        other = frames(market, "btcusdt@trade", 1)[0]
        faults.add(Fault("late", value="@depth", count=2, seconds=1.5))
        self.assertEqual([other, three], faults.apply([one, other, two, three], 1.0))
        self.assertEqual([], faults.apply([], 2.0))
        self.assertEqual([one, two], faults.apply([], 2.5))
        self.assertTrue(faults.is_idle())


class AnOmission(unittest.TestCase):
    def test_takes_the_same_level_out_of_each_diff(self):
        """All else of the diff is as it was, and other streams are; the level is one that changes, and is not seen."""
        for wrapped in (True, False):
            market = Market(("BTCUSDT",), 100.0)
            omission = Omission("btcusdt", wrapped=wrapped)
            for stream in ("btcusdt@trade", "btcusdt@depth20@100ms"):
                for frame in frames(market, stream, 5):
                    self.assertIs(frame, omission.apply(frame))
            omitted = []
            for frame in frames(market, "btcusdt@depth@100ms", 200):
                was, now = json.loads(frame.payload), json.loads(omission.apply(frame).payload)
                omitted += [level[0] for level in was["b"] if level not in now["b"]]
                self.assertEqual({**was, "b": [one for one in was["b"] if one[0] not in omitted]}, now)
            self.assertGreater(len(omitted), 1)
            self.assertEqual(1, len(set(omitted)))
            best = float(was["b"][0][0])
            self.assertTrue(20 < best - float(omitted[0]) < 90, (best, omitted))  # in ticks of 0.1


class TheClock(unittest.TestCase):
    def test_is_set_in_every_stream_and_answer(self):
        """E, T and time are stamped by it; the time of the next funding stays."""
        market, steps = Market(), [Step(0, 5000)]
        for stream, kept in (("btcusdt@forceOrder", ()), ("btcusdt@markPrice@1s", ("T",)), ("btcusdt@trade", ())):
            payload = frames(market, stream, 1)[0].payload
            changed = with_set_clock(payload, steps)
            for key in ("E", "T"):
                before, after = (int(re.search(f'"{key}":(\\d+)', text)[1]) for text in (payload, changed))
                self.assertEqual(before + 5000 * (key not in kept), after, (stream, key))
        body = answer("/fapi/v3/openInterest", {"symbol": "BTCUSDT"}, market, NOW_US, paging=Paging()).body
        self.assertIn(f'"time":{NOW_US // 1000 + 5000}', with_set_clock(body, steps))


class WhatIsDue(unittest.TestCase):
    def test_follows_the_list_of_symbols(self):
        """A stream of all symbols goes on with those that are left, and one of a symbol ends or begins with it."""
        market = Market(("BTCUSDT", "ETHUSDT"))
        line = market.listing("BTCUSDT").liquidations.line
        now_us = line.time_us(line.first_after(NOW_US)) - 1  # the event that waits is one of the symbol that ends
        due = Due(market, lambda source, number: FrameMaker()(source, number, True))
        due.subscribe(("!forceOrder@arr", "btcusdt@trade", "newusdt@trade"), now_us)
        market.delist_symbol("BTCUSDT", now_us)
        market.list_symbol("NEWUSDT", now_us)
        seen = due.frames(now_us, 10**6) + due.frames(now_us + 300_000_000, 10**6)
        self.assertEqual({"!forceOrder@arr", "newusdt@trade"}, {frame.stream for frame in seen})
        self.assertGreater(sum(frame.stream == "!forceOrder@arr" for frame in seen), 40)
        self.assertFalse([frame for frame in seen if "BTCUSDT" in frame.payload])
        due.unsubscribe(["newusdt@trade"])
        self.assertEqual({"!forceOrder@arr"}, {f.stream for f in due.frames(now_us + 400_000_000, 10**6)})


if __name__ == "__main__":
    unittest.main()
