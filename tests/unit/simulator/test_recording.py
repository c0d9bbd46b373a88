"""A recording is played as it came: frames at their distances, ids that go on rising, and REST that agrees."""

import gzip
import json
import tempfile
import unittest
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from aster_collect.simulator import Market
from aster_collect.simulator.recording import PAUSE_US, parse, read
from aster_collect.simulator.replay import Replay
from aster_collect.simulator.rest import Paging, answer

THEN_US = 1_790_000_000_000_000
NOW_US = 1_800_000_000_123_456
LENGTH_US = 3_000_000
DELAY_US = 40_000  # from the exchange to whoever recorded, whose clock is a second behind
SNAPSHOT_US = 300_000
SYMBOLS = ("BTCUSDT", "ASTERUSDT")
KINDS = (
    "aggTrade",
    "bookTicker",
    "trade",
    "depth20@100ms",
    "depth@0ms",
    "markPrice@1s",
    "forceOrder",
)


def market():
    """Return the market that was recorded."""
    return Market(SYMBOLS, 200.0)


def recorded():
    """Return the lines of a recording of three seconds, with a snapshot of each book and one open interest."""
    one, lines = market(), []
    streams = [f"{symbol.lower()}@{kind}" for symbol in SYMBOLS for kind in KINDS]
    for stream in (*streams, "!markPrice@arr@1s"):
        source = one.source(stream)
        number = source.first_after(THEN_US)
        while source.time_us(number) < THEN_US + LENGTH_US:
            text = f'{{"stream":"{stream}","data":{source.text(number)}}}'
            lines.append((source.time_us(number), source.rank, text))
            number += 1
    for call, symbol in (("depth", "ASTERUSDT"), ("depth", "BTCUSDT"), ("openInterest", "BTCUSDT")):
        lines.append((THEN_US + SNAPSHOT_US, 9, ask(one, call, THEN_US + SNAPSHOT_US, symbol=symbol, limit=1000)[1]))
    lines.sort(key=lambda line: line[:2])
    return [f"{(time_us + DELAY_US) * 1000 - 10**9} {text}\n" for time_us, _, text in lines]


def ask(supply, call, now_us, **params):
    """Status and body of a call."""
    texts = {name: str(value) for name, value in params.items()}
    reply = answer(f"/fapi/v3/{call}", texts, supply, now_us, paging=Paging())
    return reply.status, reply.body


def played(replay, stream, rounds=1):
    """All (time, event) of a stream for so many times that the recording is played."""
    source = replay.source(stream)
    count = rounds * len(replay.recording.tracks[stream].texts)
    first = source.first_after(NOW_US - 1)
    return [(source.time_us(number), json.loads(source.text(number))) for number in range(first, first + count)]


class Played(unittest.TestCase):
    """A recording that begins to be played now."""

    @classmethod
    def setUpClass(cls):
        cls.lines = recorded()
        cls.recording = parse(cls.lines)

    def begin(self, **how):
        replay = Replay(self.recording, **how)
        replay.begin(NOW_US)
        return replay


class AFrame(Played):
    def test_comes_at_its_distance_with_its_times_moved(self):
        """All frames of each stream come once, in order; all that differs is that every time is later by the same."""
        replay = self.begin()
        first_us = int(self.lines[0][:16])
        moved = set()
        for stream in self.recording.tracks:
            lines = [line for line in self.lines if f'"stream":"{stream}"' in line]
            events = played(replay, stream)
            self.assertEqual(len(lines), len(events))
            for line, (time_us, event) in zip(lines, events, strict=True):
                was = json.loads(line[20:])["data"]
                self.assertAlmostEqual(int(line[:16]) - first_us, time_us - NOW_US, delta=100)
                for before, now in zip(was, event, strict=True) if isinstance(was, list) else [(was, event)]:
                    for old, new in ((before, now), (before.get("o", {}), now.get("o", {}))):
                        moved |= {new[key] - old[key] for key in ("E", "T") if old.get(key)}
                        self.assertEqual({**old, "E": 0, "T": 0, "o": 0}, {**new, "E": 0, "T": 0, "o": 0})
        self.assertEqual(1, len(moved))

    def test_is_not_sent_before_it_was_made(self):
        """Whatever the clock of whoever recorded, the exchange's time is at most that of the sending, and close."""
        replay = self.begin()
        late = [time_us - event["E"] * 1000 for time_us, event in played(replay, "btcusdt@bookTicker")]
        self.assertTrue(0 <= min(late) < 30_000 and max(late) < 100_000, (min(late), max(late)))

    def test_before_a_first_funding_has_no_time(self):
        """A T of 0 is no time, and stays 0."""
        text = '{"e":"markPriceUpdate","E":1790000000000,"s":"AUSDT","p":"1.0","i":"1.0","r":"","T":0}'
        line = f'1790000000000000000 {{"stream":"ausdt@markPrice@1s","data":{text}}}'
        replay = Replay(parse([line]))
        replay.begin(NOW_US)
        self.assertEqual(0, json.loads(replay.source("ausdt@markPrice@1s").text(5))["T"])

    def test_of_a_smaller_book_is_the_top_of_a_larger_one(self):
        """depth5@100ms, which was not recorded, is cut from depth20@100ms; another speed is silent."""
        replay = self.begin()
        source = replay.source("btcusdt@depth5@100ms")
        for number, (time_us, book) in enumerate(played(replay, "btcusdt@depth20@100ms")):
            self.assertEqual(time_us, source.time_us(number))
            self.assertEqual({**book, "b": book["b"][:5], "a": book["a"][:5]}, json.loads(source.text(number)))
        for stream in ("btcusdt@depth5", "btcusdt@kline_1m", "nosuch@aggTrade", "!forceOrder@arr"):
            self.assertIsNone(replay.source(stream), stream)


class TheEnd(Played):
    def test_is_followed_by_the_beginning_with_ids_that_rise(self):
        """Over three rounds trades are contiguous, all other ids and times rise, and diffs have a hole a round."""
        replay = self.begin()
        for symbol in ("btcusdt", "asterusdt"):
            trades = [event for _, event in played(replay, f"{symbol}@aggTrade", 3)]
            self.assertEqual([trades[0]["a"] + more for more in range(len(trades))], [trade["a"] for trade in trades])
            for kind, key in (("aggTrade", "f"), ("trade", "t"), ("bookTicker", "u"), ("depth20@100ms", "u")):
                events = played(replay, f"{symbol}@{kind}", 3)
                for (before_us, before), (after_us, after) in pairwise(events):
                    self.assertLess(before[key], after[key])
                    self.assertLess(before_us, after_us)
                    self.assertLessEqual(before["T"], after["T"])
            diffs = [event for _, event in played(replay, f"{symbol}@depth@0ms", 3)]
            holes = [after["pu"] - before["u"] for before, after in pairwise(diffs) if after["pu"] != before["u"]]
            self.assertEqual(2, len(holes))
            self.assertGreater(min(holes), 0)

    def test_is_the_end_when_it_is_played_once(self):
        """No event follows the last, and nothing trades any more."""
        replay = self.begin(once=True)
        source = replay.source("btcusdt@bookTicker")
        count = len(self.recording.tracks["btcusdt@bookTicker"].texts)
        self.assertLessEqual(source.time_us(count - 1), source.end_us)
        self.assertGreater(source.time_us(count), source.end_us)
        end_us = NOW_US + LENGTH_US + PAUSE_US
        self.assertTrue(replay.one_listed("BTCUSDT").is_trading(end_us - PAUSE_US))
        self.assertFalse(replay.one_listed("BTCUSDT").is_trading(end_us))
        self.assertEqual(ask(replay, "depth", end_us + 10**9, symbol="BTCUSDT")[0], 200)

    def test_comes_sooner_at_a_higher_speed(self):
        """Ten times as fast, distances are a tenth, and no frame is sent before it was made."""
        slow, fast = self.begin(), self.begin(speed=10.0)
        for stream in ("btcusdt@bookTicker", "asterusdt@aggTrade"):
            for (slow_us, _), (fast_us, event) in zip(played(slow, stream, 2), played(fast, stream, 2), strict=True):
                self.assertAlmostEqual((slow_us - NOW_US) / 10, fast_us - NOW_US, delta=2)
                self.assertLessEqual(event["E"], fast_us // 1000)
        with self.assertRaises(ValueError):
            self.begin(speed=0.0)


class Rest(Played):
    def test_pages_are_what_was_played_so_far(self):
        """A page from an id on has the trades of the stream, up to those of this moment, over the end of a round."""
        replay = self.begin()
        trades = played(replay, "btcusdt@aggTrade", 3)
        self.assertEqual("[]", ask(replay, "aggTrades", NOW_US, symbol="BTCUSDT")[1])
        for passed in (40, len(trades) // 2, len(trades) - 1):
            now_us = trades[passed][0]
            expected = [{key: event[key] for key in "apqflTm"} for _, event in trades[: passed + 1]]
            for first in (0, 7, passed - 2, passed):
                body = ask(replay, "aggTrades", now_us, symbol="BTCUSDT", fromId=trades[first][1]["a"], limit=20)[1]
                self.assertEqual(expected[first : first + 20], json.loads(body))
            self.assertEqual(
                expected[-20:], json.loads(ask(replay, "aggTrades", now_us, symbol="BTCUSDT", limit=20)[1])
            )
            start = expected[-20]["T"]
            since = [trade for trade in expected if trade["T"] >= start]
            body = ask(replay, "aggTrades", now_us, symbol="BTCUSDT", startTime=start)[1]
            self.assertEqual(since, json.loads(body))
        self.assertEqual("[]", ask(replay, "aggTrades", now_us, symbol="BTCUSDT", fromId=trades[-1][1]["a"] + 1)[1])

    def test_a_book_follows_from_the_snapshot_and_the_diffs(self):
        """At any moment it is the recorded market's own, and diffs continue it by the one rule, in each round."""
        one, replay = market(), self.begin()
        for symbol in SYMBOLS:
            diffs = played(replay, f"{symbol.lower()}@depth@0ms", 2)
            for round_us in (0, self.recording.length_us):
                for at_us in (700_000, 2_500_000):
                    now_us = NOW_US + round_us + at_us
                    book = json.loads(ask(replay, "depth", now_us, symbol=symbol, limit=1000)[1])
                    before = [event for time_us, event in diffs if time_us <= now_us]
                    number = one.source(f"{symbol.lower()}@depth@0ms").first_after(THEN_US) - 1
                    number += len(before) - (len(diffs) // 2 if round_us else 0)
                    made_us = one.source(f"{symbol.lower()}@depth@0ms").time_us(number)
                    true = json.loads(ask(one, "depth", made_us, symbol=symbol, limit=500)[1])
                    # A deep book's far end is not in the snapshot.
                    self.assertEqual((true["bids"], true["asks"]), (book["bids"][:500], book["asks"][:500]))
                    self.assertEqual(before[-1]["u"], book["lastUpdateId"])
                    following = next(event for time_us, event in diffs if time_us > now_us)
                    self.assertEqual(following["pu"], book["lastUpdateId"])

    def test_before_the_first_snapshot_shows_that_one(self):
        """A client that asks at once gets ids that are ahead of the stream, and skips what it has already."""
        replay = self.begin()
        book = json.loads(ask(replay, "depth", NOW_US, symbol="BTCUSDT", limit=5)[1])
        joined = [event for _, event in played(replay, "btcusdt@depth@0ms") if event["u"] > book["lastUpdateId"]]
        self.assertLessEqual(joined[0]["pu"], book["lastUpdateId"])
        self.assertEqual((5, 5), (len(book["bids"]), len(book["asks"])))

    def test_a_book_without_a_snapshot_is_the_newest_partial_one(self):
        """Where no snapshot was recorded it is the depth20 that was played last; without any it is an error."""
        replay = Replay(parse([line for line in self.lines if "lastUpdateId" not in line]))
        replay.begin(NOW_US)
        time_us, newest = played(replay, "btcusdt@depth20@100ms")[5]
        book = json.loads(ask(replay, "depth", time_us, symbol="BTCUSDT", limit=5)[1])
        self.assertEqual(
            (newest["u"], newest["b"][:5], newest["a"][:5]),
            tuple(book[key] for key in ("lastUpdateId", "bids", "asks")),
        )
        replay = Replay(parse([line for line in self.lines if "@aggTrade" in line]))
        replay.begin(NOW_US)
        self.assertEqual(400, ask(replay, "depth", time_us, symbol="BTCUSDT")[0])

    def test_lists_the_recorded_symbols(self):
        """They trade, with the grid that their decimals show; others are invalid."""
        _, body = ask(self.begin(), "exchangeInfo", NOW_US)
        listed = {entry["symbol"]: entry for entry in json.loads(body)["symbols"]}
        self.assertEqual(set(SYMBOLS), set(listed))
        self.assertEqual({"TRADING"}, {entry["status"] for entry in listed.values()})
        self.assertEqual("0.001", listed["BTCUSDT"]["filters"][1]["stepSize"])
        self.assertEqual("0.0000001", listed["ASTERUSDT"]["filters"][0]["tickSize"])
        self.assertIn("-1121", ask(self.begin(), "aggTrades", NOW_US, symbol="ETHUSDT")[1])

    def test_shows_the_newest_that_was_played(self):
        """Tickers, fills, marks and open interest are those of the streams; what was not recorded is an error."""
        replay, now_us = self.begin(), NOW_US + 2_000_000
        newest = {
            kind: next(event for time_us, event in reversed(played(replay, f"btcusdt@{kind}")) if time_us <= now_us)
            for kind in ("bookTicker", "trade", "markPrice@1s")
        }
        ticker = json.loads(ask(replay, "ticker/bookTicker", now_us, symbol="BTCUSDT")[1])
        quote = newest["bookTicker"]
        self.assertEqual((quote["b"], quote["A"], quote["T"]), (ticker["bidPrice"], ticker["askQty"], ticker["time"]))
        fill = json.loads(ask(replay, "trades", now_us, symbol="BTCUSDT")[1])[-1]
        self.assertEqual((newest["trade"]["t"], newest["trade"]["q"]), (fill["id"], fill["qty"]))
        self.assertEqual(Decimal(fill["price"]) * Decimal(fill["qty"]), Decimal(fill["quoteQty"]))
        premium = json.loads(ask(replay, "premiumIndex", now_us, symbol="BTCUSDT")[1])
        self.assertEqual(newest["markPrice@1s"]["p"], premium["markPrice"])
        was = json.loads(ask(market(), "openInterest", THEN_US + SNAPSHOT_US, symbol="BTCUSDT")[1])
        interest = json.loads(ask(replay, "openInterest", now_us, symbol="BTCUSDT")[1])
        self.assertEqual({**was, "time": now_us // 1000}, interest)
        self.assertEqual(400, ask(replay, "openInterest", now_us, symbol="ASTERUSDT")[0])


class AFile(unittest.TestCase):
    def test_that_is_none_is_refused_with_the_line(self):
        """What was found is said, and where."""
        good = '1790000000000000000 {"stream":"x@trade","data":{"e":"trade"}}\n'
        for lines, word in (
            ([], "no frames"),
            ([good, "hello\n"], "line 2"),
            ([good, good.replace("}}", "}}}")], "line 2"),
            ([good, good, "1790000000000000000 {'a'}\n"], "line 3"),
            (['1790000000000000000 {"lastUpdateId":1,"bids":[],"asks":[]}\n'], "no frames"),
        ):
            with self.assertRaisesRegex(ValueError, word):
                parse(lines)

    def test_may_end_within_a_line(self):
        """What a recorder that was killed left of its last line does not count."""
        good = '1790000000000000000 {"stream":"x@trade","data":{"e":"trade"}}\n'
        with self.assertLogs("aster_collect.simulator.recording", "WARNING"):
            self.assertEqual(2, len(parse([good, good, good[:40]]).tracks["x@trade"].texts))

    def test_may_be_gzipped_and_cut_short(self):
        """Plain and gzipped files give the same; of one whose end is missing the whole lines count."""
        lines = recorded()
        with tempfile.TemporaryDirectory() as folder:
            plain, zipped, torn = (Path(folder, name) for name in ("a.jsonl", "b.jsonl.gz", "c.jsonl.gz"))
            plain.write_text("".join(lines), "utf-8")
            zipped.write_bytes(gzip.compress(plain.read_bytes()))
            half = gzip.compress("".join(lines[:100]).encode())
            torn.write_bytes(half + gzip.compress("".join(lines[100:]).encode())[:40])
            counts = [sum(len(track.texts) for track in read(one).tracks.values()) for one in (plain, zipped)]
            self.assertEqual([len(lines) - 3] * 2, counts)
            with self.assertLogs("aster_collect.simulator.recording", "WARNING"):
                kept = read(torn)
            self.assertGreaterEqual(sum(len(track.texts) for track in kept.tracks.values()), 90)


class ARawRecord(unittest.TestCase):
    """What a collector records with --record: a folder of hours, with lines of its own between the frames."""

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.lines = recorded()

    def with_words_of_its_own(self, connections=1):
        """The lines as a collector records them, each frame once a connection."""
        for line in self.lines:
            stamp, _, text = line.rstrip("\n").partition(" ")
            message = json.loads(text)
            if "stream" in message:
                for of in range(1, connections + 1):
                    yield f'{stamp} {{"aster":"batch","s":1.5,"ns":{stamp},"of":{of},"received_s":1.25,"frames":1}}\n'
                    yield line
                yield f'{stamp} {{"aster":"step","s":1.5,"ns":{stamp}}}\n'
            else:
                facts = f'"path":"/fapi/v3/depth","kind":"depth","symbol":"{self.symbol_of(message)}"'
                yield f'{stamp} {{"aster":"answer",{facts},"value":{text}}}\n'
                yield f'{stamp} {{"aster":"answer",{facts},"refused":"maintenance"}}\n'
                yield f'{stamp} {{"aster":"answer","path":"/fapi/v3/aggTrades","symbol":"X","value":[{{"a":1}}]}}\n'

    def symbol_of(self, message):
        """The symbol of an answer: the market has one at 1, and one at far above."""
        return message.get("symbol") or ("ASTERUSDT" if float(message["bids"][0][0]) < 100 else "BTCUSDT")

    def write(self, period, lines, torn=b""):
        data = b"".join(gzip.compress("".join(lines[at : at + 50]).encode()) for at in range(0, len(lines), 50))
        (self.folder / f"raw.{period}.jsonl.gz").write_bytes(data + torn)

    def assert_as_recorded(self, found):
        expected = parse(self.lines)
        for kept, wanted in zip(found[:3], expected[:3], strict=True):
            self.assertEqual(list(kept), list(wanted))
            for name in wanted:
                self.assertEqual([json.loads(one) for one in kept[name].texts],
                                 [json.loads(one) for one in wanted[name].texts])  # fmt: skip
        self.assertEqual(found.spans, expected.spans)

    def test_is_played_hour_by_hour(self):
        """The frames and answers of all hours are those of the exchange; set-aside files are none of them."""
        lines = list(self.with_words_of_its_own())
        half = len(lines) // 2
        self.write("2026-11-24T15", lines[:half])
        self.write("2026-11-24T16", lines[half:])
        self.write("2026-11-24T15.20261124T160000Z", ["hello\n"])
        (self.folder / "prices_BTCUSDT.csv").write_text("unix_timestamp\n")
        self.assert_as_recorded(read(self.folder))

    def test_of_a_run_that_was_killed_goes_on_in_the_next_hour(self):
        """What is torn of an hour does not count, and the next hour does."""
        lines = list(self.with_words_of_its_own())
        half = len(lines) // 2
        self.write("2026-11-24T15", lines[:half], torn=gzip.compress(lines[0].encode() * 99)[:-9])
        self.write("2026-11-24T16", lines[half:])
        with self.assertLogs("aster_collect.simulator.recording", "WARNING"):
            found = read(self.folder)
        self.assertEqual(list(found.tracks), list(parse(self.lines).tracks))

    def test_of_two_connections_has_each_event_once(self):
        """What both brought is played once."""
        self.assert_as_recorded(parse(self.with_words_of_its_own(connections=2)))

    def test_of_symbols_at_nearly_the_same_price(self):
        """Whose a snapshot is, the record says: its prices need not tell."""
        quotes = [
            f'1790000000000000000 {{"stream":"{symbol.lower()}@bookTicker","data":{{"e":"bookTicker","u":{at},'
            f'"s":"{symbol}","b":"{price}","B":"1","a":"102","A":"1","T":1790000000000,"E":1790000000000}}}}\n'
            for at, (symbol, price) in enumerate((("AUSDT", "100"), ("BUSDT", "101")), 1)
        ]
        value = '{"lastUpdateId":3,"T":1790000000000,"bids":[["101","1"]],"asks":[]}'
        snapshot = f'1790000000000001000 {{"aster":"answer","kind":"depth","symbol":"AUSDT","value":{value}}}\n'
        self.assertEqual(list(parse([*quotes, snapshot]).snapshots), ["AUSDT"])

    def test_of_no_hours_is_refused(self):
        """A folder without a record is no recording."""
        with self.assertRaisesRegex(ValueError, "no frames"):
            read(self.folder)


if __name__ == "__main__":
    unittest.main()
