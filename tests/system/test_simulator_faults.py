"""Each fault of the simulated exchange, as a client meets it, and the file that asks for them."""

import http.client
import json
import socket
import struct
import time
import unittest
from itertools import pairwise

import websocket

from aster_collect.simulator import FAULTS, Fault
from aster_collect.simulator.faults import GARBAGE_KINDS, Schedule, check, parse
from tests import beside
from tests.system.test_simulator_exchange import DEADLINE_S, Exchange, wait_for


class AFaultOfTheConnection(Exchange):
    def test_drop_ends_it_after_what_was_sent(self):
        """Everything recorded as sent arrives before the end."""
        exchange = self.begin()
        client = self.connect()
        self.receive(client, 5)
        exchange.inject(Fault("drop"))
        error, texts = self.end_of(client)
        self.assertIsInstance(error, websocket.WebSocketConnectionClosedException)
        self.assertEqual(5 + len(texts), len(self.sent_to(1)))
        self.assertTrue(wait_for(lambda: not exchange.connections))

    def test_reset_ends_it_hard(self):
        """The client sees a connection reset."""
        exchange = self.begin()
        client = self.connect()
        self.receive(client, 5)
        exchange.inject(Fault("reset"))
        self.assertIsInstance(self.end_of(client)[0], ConnectionResetError)

    def test_hits_only_its_target(self):
        """newest, oldest and a number choose one connection."""
        exchange = self.begin()
        clients = [self.connect() for _ in range(3)]
        self.assertTrue(wait_for(lambda: len(exchange.connections) >= 3))
        for fault, left in (
            (Fault("drop", connection="newest"), [1, 2]),
            (Fault("drop", connection="oldest"), [2]),
            (Fault("drop", connection=7), [2]),
            (Fault("drop", connection=2), []),
        ):
            exchange.inject(fault)
            self.assertTrue(wait_for(lambda left=left: [c.number for c in exchange.connections] == left))
        for client in clients:
            self.end_of(client)

    def test_clock_sets_the_times_of_all_that_is_made_then(self):
        """On open connections and on new ones, and of REST; the next funding stays where it is."""
        exchange = self.begin()
        streams = ("btcusdt@bookTicker", "btcusdt@depth10@100ms", "btcusdt@aggTrade", "btcusdt@markPrice@1s")
        clients = [self.connect(streams=streams)]
        self.receive(clients[0], 5)
        exchange.inject(Fault("clock", value=-3600))
        exchange.inject(Fault("clock", value=0.5))
        clients.append(self.connect(streams=streams))
        for client in clients:
            seen = {}
            # What was matched just before the clock was set, and sent after it, has one time of each clock.
            while len(seen) < 4 or any(
                data["E"] > time.time() * 1000 - 3_000_000 or (name != "markPriceUpdate" and data["T"] > data["E"])
                for name, data in seen.items()
            ):
                (message,) = self.receive(client, 1)
                seen[message["data"]["e"]] = message["data"]
            set_ms = time.time() * 1000 - 3_599_500
            for name, data in seen.items():
                self.assertAlmostEqual(set_ms, data["E"], delta=5000)
                self.assertEqual(name == "markPriceUpdate", data["T"] - data["E"] > 3_500_000, data)
        said_ms = self.get("/fapi/v3/time")[2]["serverTime"]
        self.assertAlmostEqual(time.time() * 1000 - 3_599_500, said_ms, delta=5000)

    def test_front_behind_begins_in_the_past(self):
        """A new connection brings what was due so long ago, an open one goes on; clear ends it."""
        exchange = self.begin()
        before = self.connect()
        self.receive(before, 1)
        exchange.inject(Fault("front_behind", value=20))
        behind = self.connect()
        exchange.inject(Fault("clear"))
        for client, late_s in ((before, 0), (behind, 20), (self.connect(), 0)):
            (message,) = self.receive(client, 1)
            self.assertAlmostEqual(time.time() - late_s, message["data"]["E"] / 1000, delta=5)

    def test_refuse_refuses_for_real_and_ends(self):
        """New TCP connections are refused, the old one lives on; later the same port accepts."""
        exchange = self.begin()
        client = self.connect()
        exchange.inject(Fault("refuse", seconds=2))
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", exchange.port))
        self.receive(client, 3)
        self.assertTrue(wait_for(self.accepts))
        self.receive(self.connect(), 3)

    def accepts(self):
        try:
            socket.create_connection(("127.0.0.1", self.exchange.port)).close()
        except ConnectionRefusedError:
            return False
        return True

    def test_refuse_of_upgrades_leaves_rest_alone(self):
        """WebSockets are answered with 503, REST is not; clear ends it."""
        exchange = self.begin()
        exchange.inject(Fault("refuse", value="upgrades"))
        with self.assertRaises(websocket.WebSocketBadStatusException) as caught:
            self.connect()
        self.assertEqual(caught.exception.status_code, 503)
        self.assertEqual(self.get("/fapi/v3/ping")[0], 200)
        exchange.inject(Fault("clear"))
        self.receive(self.connect(), 1)

    def test_stall_stops_data_and_still_pongs(self):
        """During a stall only pongs come; afterwards what was due, without loss."""
        exchange = self.begin()
        client = self.connect(streams=("btcusdt@aggTrade",))
        ids = [m["data"]["a"] for m in self.receive(client, 2)]
        exchange.inject(Fault("stall", seconds=2))
        time.sleep(0.05)
        client.ping("still there?")
        opcode = websocket.ABNF.OPCODE_TEXT
        while opcode == websocket.ABNF.OPCODE_TEXT:
            opcode, frame = client.recv_data_frame(control_frame=True)
            if opcode == websocket.ABNF.OPCODE_TEXT:
                ids.append(json.loads(frame.data)["data"]["a"])
        self.assertEqual(frame.data, b"still there?")
        quiet_since = time.monotonic()
        ids += [m["data"]["a"] for m in self.receive(client, 20)]
        self.assertGreater(time.monotonic() - quiet_since, 0.2)
        self.assertEqual(ids, list(range(ids[0], ids[0] + len(ids))))

    def test_silent_answers_nothing(self):
        """Half-open: no data, no pong."""
        exchange = self.begin()
        client = self.connect()
        self.receive(client, 2)
        exchange.inject(Fault("silent"))
        time.sleep(0.05)
        client.ping("hello?")
        client.settimeout(0.2)
        self.assertIsInstance(self.end_of(client)[0], websocket.WebSocketTimeoutException)
        self.assertEqual(len(exchange.connections), 1)

    def test_cut_ends_within_a_frame(self):
        """The last bytes are half a frame that is not among the sent ones."""
        exchange = self.begin()
        with socket.create_connection(("127.0.0.1", exchange.port), DEADLINE_S) as sock:
            key = "dGhlIHNhbXBsZSBub25jZQ=="
            lines = (
                "GET /ws/btcusdt@bookTicker HTTP/1.1",
                "Host: localhost",
                "Upgrade: websocket",
                "Connection: Upgrade",
                f"Sec-WebSocket-Key: {key}",
                "Sec-WebSocket-Version: 13",
            )
            sock.sendall("\r\n".join((*lines, "", "")).encode())
            self.assertTrue(wait_for(lambda: exchange.sent_count > 3))
            exchange.inject(Fault("cut"))
            data = b"".join(iter(lambda: sock.recv(65_536), b""))
        head, _, rest = data.partition(b"\r\n\r\n")
        self.assertIn(b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", head)  # RFC 6455 section 1.3
        whole = [text.encode() for text in self.sent_to(1)]
        for text in whole:
            start = 4 if len(text) > 125 else 2
            self.assertEqual(rest[start : start + len(text)], text)
            rest = rest[start + len(text) :]
        self.assertTrue(10 < len(rest) < 120, rest)

    def test_close_says_its_code_and_reason(self):
        """The close frame has them."""
        exchange = self.begin()
        client = self.connect("/ws")
        exchange.inject(Fault("close", value=1012, reason="restart"))
        _, frame = client.recv_data_frame(control_frame=True)
        self.assertEqual(frame.data, struct.pack("!H", 1012) + b"restart")

    def test_garbage_of_each_kind_comes_between_good_frames(self):
        """Every kind arrives once, is not good, and the data goes on."""
        exchange = self.begin()
        client = websocket.create_connection(
            f"{exchange.ws_url}/stream?streams=btcusdt@aggTrade", skip_utf8_validation=True, http_no_proxy=["*"]
        )
        self.addCleanup(client.shutdown)
        client.settimeout(DEADLINE_S)
        for kind in GARBAGE_KINDS:
            exchange.inject(Fault("garbage", value=kind))
            for _ in range(200):
                opcode, data = client.recv_data()
                if not self.is_good(data):
                    break
            self.assertFalse(self.is_good(data), kind)
            self.assertEqual(opcode == websocket.ABNF.OPCODE_BINARY, kind == "binary")
            self.assertEqual(len(data) > 1 << 20, kind == "oversized")
        self.assertTrue(self.is_good(client.recv_data()[1]))
        ids = [json.loads(text)["a"] for text in self.sent_to(1)]
        self.assertEqual(ids, list(range(ids[0], ids[0] + len(ids))))

    @staticmethod
    def is_good(data):
        try:
            return json.loads(data)["data"]["e"] == "aggTrade"
        except (ValueError, TypeError, KeyError):
            return False

    def test_fragment_sends_a_frame_in_three_with_a_ping_between(self):
        """The library puts the message together; nothing is lost."""
        exchange = self.begin()
        client = self.connect(streams=("btcusdt@aggTrade",))
        exchange.inject(Fault("fragment", count=2))
        pings, texts = 0, []
        while pings < 2:
            opcode, data = client.recv_data(control_frame=True)
            if opcode == websocket.ABNF.OPCODE_PING:
                self.assertEqual(data, b"between")
                pings += 1
            else:
                texts.append(data.decode())
        texts.append(client.recv())
        sent = self.sent_to(1, at_least=len(texts))[: len(texts)]
        self.assertEqual([json.loads(text)["data"] for text in texts], [json.loads(text) for text in sent])

    def test_duplicate_skip_and_swap_change_the_order_of_ids(self):
        """Each changes the ids as its name says, and the record of what was sent agrees."""
        for name, pattern in (
            ("duplicate", [0, 0, 1, 1, 2, 3]),
            ("skip", [2, 3, 4, 5, 6, 7]),
            ("swap", [1, 0, 3, 2, 4, 5]),
        ):
            exchange = self.begin(rate=10_000.0)
            client = self.connect()
            base = self.next_trade(client)
            exchange.inject(Fault(name, count=2, value="@aggTrade"))
            ids = [base] + [self.next_trade(client) for _ in range(60)]
            steps = [after - before for before, after in pairwise(ids)]
            odd = next(place for place, step in enumerate(steps) if step != 1)
            start = odd if name == "duplicate" else odd + 1
            first = ids[odd] + (name != "duplicate")
            self.assertEqual(ids[start : start + 6], [first + step for step in pattern], name)
            sent = [json.loads(text)["a"] for text in self.sent_to(1, "btcusdt@aggTrade", at_least=len(ids))]
            self.assertEqual(ids, sent[: len(ids)])
            exchange.stop()

    def next_trade(self, client):
        while True:
            data = json.loads(client.recv())["data"]
            if data["e"] == "aggTrade":
                return data["a"]

    def test_max_age_closes_the_old_and_the_new(self):
        """Connections end at the age, also those opened afterwards."""
        exchange = self.begin()
        first = self.connect()
        exchange.inject(Fault("max_age", seconds=0.2))
        self.assertEqual(self.end_of(first)[0], 1001)
        begun = time.monotonic()
        self.assertEqual(self.end_of(self.connect())[0], 1001)
        self.assertTrue(0.1 < time.monotonic() - begun < 10.0)

    def test_freeze_stream_silences_one_stream(self):
        """The frozen stream's frames are lost, the others' come."""
        exchange = self.begin()
        client = self.connect(streams=("btcusdt@aggTrade", "btcusdt@bookTicker"))
        ids = [self.next_trade(client)]
        exchange.inject(Fault("freeze_stream", value="btcusdt@aggTrade", seconds=0.3))
        ids += [self.next_trade(client) for _ in range(20)]
        steps = [after - before for before, after in pairwise(ids)]
        self.assertEqual(sum(step != 1 for step in steps), 1)
        self.assertGreater(max(steps), 10)

    def test_from_a_schedule_comes_and_comes_again(self):
        """A fault of the list happens at its time and every so often."""
        self.begin(faults=(Fault("drop", at=0.1, every=0.2),))
        for _ in range(2):
            self.assertIsInstance(self.end_of(self.connect())[0], websocket.WebSocketConnectionClosedException)


class AnOrderToASymbol(Exchange):
    def test_changes_what_is_listed(self):
        """A new tick size and a new status are announced; streams end with the status, and come back with it."""
        with self.assertLogs("aster_collect.simulator", "WARNING") as said:
            exchange = self.begin(faults=(Fault("status", symbol="NOSUCH", value="CLOSE"),))
            self.assertTrue(wait_for(lambda: said.output))  # an order of a schedule that can't be carried out
        client = self.connect(streams=("btcusdt@bookTicker",))
        self.receive(client, 1)
        exchange.inject(Fault("tick_size", symbol="BTCUSDT", value="0.50"))
        exchange.inject(Fault("status", symbol="BTCUSDT", value="PRE_SETTLE"))
        listed = {entry["symbol"]: entry for entry in self.get("/fapi/v3/exchangeInfo")[2]["symbols"]}
        self.assertEqual(listed["BTCUSDT"]["status"], "PRE_SETTLE")
        self.assertEqual(listed["BTCUSDT"]["filters"][0]["tickSize"], "0.50")
        client.settimeout(0.15)
        self.assertIsInstance(self.end_of(client)[0], websocket.WebSocketTimeoutException)
        client.settimeout(DEADLINE_S)
        exchange.inject(Fault("status", symbol="BTCUSDT", value="TRADING"))
        self.receive(client, 3)
        with self.assertRaises(ValueError):
            exchange.inject(Fault("tick_size", symbol="NOSUCH", value="0.50"))


class AFaultOfTheFullBook(Exchange):
    """Of what a client meets who keeps one."""

    def diffs(self, client, count):
        return [message["data"] for message in self.receive(client, count)]

    def snapshot(self):
        return self.get("/fapi/v3/depth?symbol=BTCUSDT&limit=1000")[2]

    def test_batches_are_cut_elsewhere_on_new_connections(self):
        """No event of one ends where one of the other does, and each continues the other."""
        exchange = self.begin()
        streams = ("btcusdt@depth@100ms",)
        some = self.connect(streams=streams)
        self.receive(some, 1)
        exchange.inject(Fault("batches", value=0.04))
        others = self.connect(streams=streams)
        one, other = self.diffs(some, 12), self.diffs(others, 12)
        self.assertFalse({diff["u"] for diff in one} & {diff["u"] for diff in other})
        for diffs in (one, other):
            for before, after in pairwise(diffs):
                self.assertEqual(before["u"], after["pu"])

    def test_new_ids_are_lower_of_diffs_quotes_and_snapshots(self):
        """From then on, on open connections too; the true book of an id is to be had of either."""
        exchange = self.begin()
        client = self.connect(streams=("btcusdt@depth@100ms", "btcusdt@bookTicker"))
        former = [message["data"]["u"] for message in self.receive(client, 20)]
        exchange.inject(Fault("new_ids", symbol="BTCUSDT"))
        found = set()
        while found != {"bookTicker", "depthUpdate"}:
            data = self.receive(client, 1)[0]["data"]
            found |= {data["e"]} if data["u"] < min(former) else set()
        book = self.snapshot()  # what is asked for before anything happened bears the last of the former ids
        self.assertLess(book["lastUpdateId"], min(former))
        for true, side in zip(exchange.book("btcusdt", book["lastUpdateId"]), ("bids", "asks"), strict=True):
            self.assertEqual([list(level) for level in true.items()][:1000], book[side])
        self.assertNotEqual(exchange.book("BTCUSDT", former[-1]), exchange.book("BTCUSDT", book["lastUpdateId"]))
        self.assertRaisesRegex(ValueError, "NOSUCH", exchange.inject, Fault("new_ids", symbol="NOSUCH"))

    def test_snapshots_are_old_torn_or_refused_alone(self):
        """A replica is behind, an answer breaks off, depth is refused, banned or fails; all else is answered."""
        exchange = self.begin()
        exchange.inject(Fault("rest_behind", value=30.0, call="depth"))
        self.assertAlmostEqual(time.time() - 30.0, self.snapshot()["T"] / 1000, delta=5.0)
        exchange.inject(Fault("clear"))
        exchange.inject(Fault("rest_torn", call="depth"))
        with self.assertRaises((http.client.IncompleteRead, ValueError)):
            self.snapshot()
        self.assertEqual(200, self.get("/fapi/v3/ping")[0])
        for fault, status in (
            (Fault("rest_418", seconds=30, call="depth"), 418),
            (Fault("rest_status", value=503, call="depth"), 503),
        ):
            exchange.inject(Fault("clear"))
            exchange.inject(fault)
            self.assertEqual(200, self.get("/fapi/v3/ping")[0])
            self.assertEqual(status, self.get("/fapi/v3/depth?symbol=BTCUSDT")[0])

    def test_a_late_snapshot_is_made_when_it_is_asked_for(self):
        """It is long on its way, and shows the book of before."""
        exchange = self.begin()
        exchange.inject(Fault("rest_slow", value=0.5, call="depth"))
        made_ms = self.snapshot()["E"]
        self.assertGreaterEqual(time.time() - made_ms / 1000, 0.5)

    def test_omit_alters_the_book(self):
        """Who keeps it by the rule lacks a level, from some change on, and has all others."""
        exchange = self.begin()
        client = self.connect(streams=("btcusdt@depth@100ms",))
        self.receive(client, 1)
        book = self.snapshot()
        last, sides = book["lastUpdateId"], (dict(book["bids"]), dict(book["asks"]))
        ends = float(book["bids"][-1][0]), float(book["asks"][-1][0])  # what lies beyond is not known
        lacking = set()
        for count in range(200):
            if count % 20 == 0:  # the one before may be of a level that nobody has
                exchange.inject(Fault("clear"))
                exchange.inject(Fault("omit", value="btcusdt"))
            (diff,) = self.diffs(client, 1)
            if diff["u"] <= last:
                continue
            self.assertLessEqual(diff["pu"], last)
            last = diff["u"]
            for sign, side, key, end, true in zip(
                (1, -1), sides, ("b", "a"), ends, exchange.book("BTCUSDT", last), strict=True
            ):
                side |= dict(diff[key])
                ours = {price: text for price, text in side.items() if text.strip("0.")}
                known = {price for price in ours.keys() | true.keys() if sign * (float(price) - end) >= 0}
                lacking |= {price for price in known if ours.get(price) != true.get(price)}
            if lacking:
                break
        self.assertEqual(1, len(lacking))


class AFaultOfRest(Exchange):
    def test_rest_down_gives_no_answer(self):
        """The connection is reset, and recorded with status 0."""
        exchange = self.begin()
        exchange.inject(Fault("rest_down"))
        caller = http.client.HTTPConnection("127.0.0.1", exchange.port, timeout=DEADLINE_S)
        self.addCleanup(caller.close)
        caller.request("GET", "/fapi/v3/ping")
        with self.assertRaises((ConnectionError, http.client.RemoteDisconnected)):
            caller.getresponse()
        self.assertEqual(exchange.requests[-1].status, 0)
        exchange.inject(Fault("clear"))
        self.assertEqual(self.get("/fapi/v3/ping")[0], 200)

    def test_rest_slow_and_status_end_in_time(self):
        """Answers are late or bad for so long, then good."""
        exchange = self.begin()
        exchange.inject(Fault("rest_slow", seconds=2, value=0.2))
        begun = time.monotonic()
        self.assertEqual(self.get("/fapi/v3/ping")[0], 200)
        self.assertGreater(time.monotonic() - begun, 0.19)
        exchange.inject(Fault("rest_status", seconds=2, value=403))
        self.assertEqual(self.get("/fapi/v3/ping")[0], 403)
        self.assertTrue(wait_for(lambda: self.get("/fapi/v3/ping")[0] == 200))

    def test_rest_429_and_418_count_who_does_not_wait(self):
        """A first request can't know; one inside the Retry-After is counted; who waits is answered."""
        exchange = self.begin()
        exchange.inject(Fault("rest_429", seconds=3))
        status, headers, _ = self.get("/fapi/v3/ping")
        self.assertEqual((status, headers["Retry-After"]), (429, "3"))
        time.sleep(3.01)
        self.assertEqual(self.get("/fapi/v3/ping")[0], 200)
        exchange.inject(Fault("rest_418", seconds=30))
        status, headers, body = self.get("/fapi/v3/ping")
        self.assertEqual((status, headers["Retry-After"]), (418, "30"))
        self.assertIn("banned until ", body["msg"])
        self.assertEqual(exchange.requests_while_banned, 0)
        self.assertEqual(self.get("/fapi/v3/ping")[0], 418)
        self.assertEqual(exchange.requests_while_banned, 1)

    def test_may_hit_one_call_alone(self):
        """openInterest is down, late or bad, as the fault says; the other calls are answered as before."""
        exchange = self.begin()
        path = "/fapi/v3/openInterest?symbol=BTCUSDT"
        self.assertEqual(self.get(path)[0], 200)
        exchange.inject(Fault("rest_status", value=500, call="openInterest"))
        exchange.inject(Fault("rest_slow", value=0.2, call="openInterest"))
        begun = time.monotonic()
        self.assertEqual((self.get("/fapi/v3/ping")[0], self.get(path)[0]), (200, 500))
        self.assertGreater(time.monotonic() - begun, 0.19)
        exchange.inject(Fault("rest_down", call="openInterest"))
        with self.assertRaises(OSError):
            self.get(path)
        self.assertEqual(self.get("/fapi/v3/ping")[0], 200)
        exchange.inject(Fault("clear"))
        exchange.inject(Fault("rest_429", seconds=1, call="openInterest"))
        self.assertEqual((self.get("/fapi/v3/ping")[0], self.get(path)[0]), (200, 429))

    def test_pages_lose_rows(self):
        """Short, holed and forgetful pages, over HTTP."""
        exchange = self.begin()
        path = "/fapi/v3/aggTrades?symbol=BTCUSDT&fromId=700&limit=21"
        for fault, ids in (
            (Fault("rest_short", count=4), [700, 701, 702, 703]),
            (Fault("rest_holes", value=3), [i for i in range(700, 721) if i % 3]),
            (Fault("rest_forget", value=9000), list(range(9000, 9021))),
        ):
            exchange.inject(fault)
            self.assertEqual([row["a"] for row in self.get(path)[2]], ids)
            exchange.inject(Fault("clear"))


class AFaultFile(unittest.TestCase):
    def test_is_read(self):
        """Each field ends in its place."""
        text = '[{"at": 1.5, "every": 2, "fault": "stall", "seconds": 3, "connection": "newest"}, {"fault": "drop"}]'
        stall, drop = parse(text)
        self.assertEqual(stall, Fault("stall", seconds=3, connection="newest", at=1.5, every=2))
        self.assertEqual(drop, Fault("drop"))

    def test_with_a_mistake_is_refused_in_one_line(self):
        """Unknown names, unknown fields and impossible values say what is wrong."""
        for text, word in (
            ("[", "JSON"),
            ("{}", "list"),
            ("[1]", "entry 1"),
            ('[{"fault": "explode"}]', "explode"),
            ('[{"fault": "drop", "speed": 1}]', "speed"),
            ('[{"fault": "drop", "seconds": 1}]', "seconds"),
            ('[{"fault": "garbage"}]', "value"),
            ('[{"fault": "garbage", "value": "nice"}]', "not-json"),
            ('[{"fault": "stall", "seconds": -1}]', "seconds"),
            ('[{"fault": "stall", "seconds": "long"}]', "long"),
            ('[{"fault": "skip", "count": 0}]', "count"),
            ('[{"fault": "drop", "connection": "mine"}]', "mine"),
            ('[{"fault": "drop", "connection": []}]', "connection"),
            ('[{"fault": "drop", "every": 0}]', "every"),
            ('[{"fault": "garbage", "value": []}]', "value"),
            ('[{"fault": "close", "reason": 5}]', "reason"),
            ('[{"fault": "rest_down", "call": 5}]', "call"),
            ('[{"fault": "status", "symbol": "BTCUSDT", "value": "ASLEEP"}]', "PRE_SETTLE"),
            ('[{"fault": "tick_size", "symbol": "BTCUSDT", "value": 0.1}]', "0.10"),
            ('[{"fault": "tick_size", "value": "0.1"}]', "symbol"),
            ('[{"fault": "drop"}, {"at": null, "fault": "drop"}]', "at"),
        ):
            with self.assertRaises(ValueError, msg=text) as caught:
                parse(text)
            self.assertIn(word, str(caught.exception))
            self.assertNotIn("\n", str(caught.exception))

    def test_may_name_every_fault(self):
        """Each fault of the table can be given with the fields that it needs."""
        chosen = {
            "garbage": "binary",
            "rest_status": 500,
            "freeze_stream": "x@trade",
            "status": "CLOSE",
            "tick_size": "0.5",
        }
        needed = {"value": chosen, "symbol": dict.fromkeys(chosen, "BTCUSDT")}
        for name, shape in FAULTS.items():
            values = {field: needed.get(field, {}).get(name, 1) for field in shape.required}
            self.assertEqual(check(Fault(name, **values)).name, name)

    def test_of_repeated_faults_catches_up_slowly(self):
        """A schedule that was not asked for long gives each fault once, and keeps its rhythm."""
        schedule = Schedule([Fault("drop", at=1, every=1), Fault("reset", at=2)])
        self.assertEqual([f.name for f in schedule.due(0.5)], [])
        self.assertEqual([f.name for f in schedule.due(2.0)], ["drop", "reset"])
        self.assertEqual([f.name for f in schedule.due(2.1)], ["drop"])
        self.assertEqual([f.name for f in schedule.due(2.5)], [])


load_tests = beside.load_tests

if __name__ == "__main__":
    unittest.main()
