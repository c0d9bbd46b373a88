"""Clients meet the simulated exchange on loopback: subscriptions, limits, REST, TLS, and its command."""

import http.client
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from itertools import pairwise
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import ProxyHandler, build_opener

import websocket

from aster_collect.simulator import SPOT, Fault, Rules, Simulator
from aster_collect.simulator.recording import parse
from tests import beside

SYMBOLS = ("BTCUSDT", "币安人生USDT")
STREAMS = ("btcusdt@bookTicker", "btcusdt@aggTrade", "币安人生usdt@bookTicker")
DEADLINE_S = 30.0
OPENER = build_opener(ProxyHandler({}))


def wait_for(condition, timeout_s=DEADLINE_S):
    """Whether a condition comes true in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


class Exchange(unittest.TestCase):
    """An exchange and its clients, ended after each test."""

    rate = 1500.0

    def begin(self, **options):
        options = {"symbols": SYMBOLS, "rate": self.rate, "record": True, **options}
        exchange = Simulator(**options).start()
        self.addCleanup(exchange.stop)
        self.exchange = exchange
        return exchange

    def connect(self, path=None, streams=STREAMS):
        path = path or "/stream?streams=" + "/".join(quote(stream, safe="@") for stream in streams)
        # No proxy: the environment may name one, and loopback is not its business.
        client = websocket.create_connection(self.exchange.ws_url + path, timeout=DEADLINE_S, http_no_proxy=["*"])
        self.addCleanup(client.shutdown)
        return client

    def receive(self, client, count):
        return [json.loads(client.recv()) for _ in range(count)]

    def ask(self, client, method, params=None, number=1):
        """The answer to a request, past the data that comes between."""
        request = (
            {"method": method, "id": number} if params is None else {"method": method, "params": params, "id": number}
        )
        client.send(json.dumps(request))
        return self.reply(client)

    def reply(self, client):
        while True:
            message = json.loads(client.recv())
            if "e" not in message and "stream" not in message:
                return message

    def get(self, path):
        """Status, headers and the JSON of a call."""
        try:
            with OPENER.open(self.exchange.rest_url + path, timeout=DEADLINE_S) as answer:
                return answer.status, answer.headers, json.load(answer)
        except HTTPError as error:
            with error:
                return error.code, error.headers, json.load(error)

    def sent_to(self, connection, stream=None, at_least=0):
        """The recorded payloads; a client can have a frame a moment before it is recorded, so wait for so many."""

        def recorded():
            return [s.payload for s in self.exchange.sent if s.connection == connection and stream in (None, s.stream)]

        self.assertTrue(wait_for(lambda: len(recorded()) >= at_least))
        return recorded()

    def end_of(self, client):
        """Read to the end of the connection: what ended it, and the messages before."""
        texts = []
        while True:
            try:
                opcode, data = client.recv_data(control_frame=True)
            except (OSError, websocket.WebSocketException) as error:
                return error, texts
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                return struct.unpack("!H", data[:2])[0], texts
            if opcode == websocket.ABNF.OPCODE_TEXT:
                texts.append(data.decode())


class AClient(Exchange):
    def test_gets_every_frame_that_was_sent(self):
        """A combined connection gets the recorded payloads, in order, wrapped, from all of its streams."""
        self.begin()
        received = self.receive(self.connect(), 400)
        self.assertEqual(
            [m["data"] for m in received], [json.loads(text) for text in self.sent_to(1, at_least=400)[:400]]
        )
        self.assertEqual({m["stream"] for m in received}, set(STREAMS))
        ids = [m["data"]["a"] for m in received if m["data"]["e"] == "aggTrade"]
        self.assertEqual(ids, list(range(ids[0], ids[0] + len(ids))))
        self.assertGreaterEqual(self.exchange.sent_count, 400)

    def test_gets_raw_events_of_one_stream(self):
        """A raw connection's frames are exactly the payloads, keys in the published order."""
        self.begin()
        client = self.connect("/ws/btcusdt@bookTicker")
        texts = [client.recv() for _ in range(20)]
        self.assertEqual(texts, self.sent_to(1, at_least=20)[:20])
        self.assertEqual(list(json.loads(texts[0])), ["e", "u", "s", "b", "B", "a", "A", "T", "E"])

    def test_gets_only_what_happens_after_it_came(self):
        """No event is older than the connection, and none was sent before its time."""
        self.begin()
        opened_ms = time.time_ns() // 1_000_000
        for message in self.receive(self.connect(), 100):
            self.assertGreaterEqual(message["data"]["E"], opened_ms)
        for sent in self.exchange.sent:
            self.assertLessEqual(json.loads(sent.payload)["E"], sent.sent_ns // 1_000_000)

    def test_sees_the_trades_that_rest_shows(self):
        """Streamed trades are in the REST page of their ids."""
        self.begin(rate=3000.0)
        trades = [m["data"] for m in self.receive(self.connect(streams=("btcusdt@aggTrade",)), 60)]
        _, _, rows = self.get(f"/fapi/v3/aggTrades?symbol=BTCUSDT&fromId={trades[0]['a']}&limit=60")
        self.assertEqual(rows, [{key: trade[key] for key in "apqflTm"} for trade in trades])

    def test_subscribes_and_unsubscribes(self):
        """SUBSCRIBE begins streams, LIST_SUBSCRIPTIONS names them, UNSUBSCRIBE ends them, each with its id."""
        self.begin()
        client = self.connect("/ws")
        self.assertEqual(
            self.ask(client, "SUBSCRIBE", ["btcusdt@bookTicker", "币安人生usdt@aggTrade"]), {"result": None, "id": 1}
        )
        self.assertEqual(self.receive(client, 1)[0]["e"][:4] in ("book", "aggT"), True)
        listed = self.ask(client, "LIST_SUBSCRIPTIONS", number=3)
        self.assertEqual(listed, {"result": ["btcusdt@bookTicker", "币安人生usdt@aggTrade"], "id": 3})
        self.assertEqual(self.ask(client, "UNSUBSCRIBE", ["btcusdt@bookTicker"], 4), {"result": None, "id": 4})
        self.assertEqual({m["e"] for m in self.receive(client, 10)}, {"aggTrade"})
        self.assertEqual(self.exchange.connections[0].streams, ("币安人生usdt@aggTrade",))

    def test_is_told_what_is_wrong_with_a_request(self):
        """Bad requests are answered with a code, and the connection goes on."""
        self.begin()
        client = self.connect("/ws")
        client.send("nonsense")
        self.assertEqual(self.reply(client)["code"], 3)
        for request in ({"method": "HELLO", "id": 1}, {"method": "SUBSCRIBE", "params": "x", "id": 2}, [1], {}):
            client.send(json.dumps(request))
            answer = self.reply(client)
            self.assertEqual(answer["code"], 2)
            self.assertTrue(answer["msg"].startswith("Invalid request: "))
        self.assertEqual(self.ask(client, "SUBSCRIBE", ["nosuch@trade"], 9), {"result": None, "id": 9})

    def test_with_more_than_200_streams_is_refused(self):
        """201 streams in a URL are a 400, in a subscription a close; 200 are taken."""
        self.begin()
        many = [f"s{number}usdt@aggTrade" for number in range(201)]
        with self.assertRaises(websocket.WebSocketBadStatusException) as caught:
            self.connect(streams=many)
        self.assertEqual(caught.exception.status_code, 400)
        self.connect(streams=many[:200])
        client = self.connect("/ws")
        self.assertIn("more than 200", self.ask(client, "SUBSCRIBE", many)["msg"])
        self.assertEqual(self.end_of(client)[0], 1008)

    def test_that_talks_too_much_is_disconnected(self):
        """The eleventh message within a second ends the connection."""
        self.begin()
        client = self.connect("/ws")
        for number in range(11):
            client.ping(str(number))
        self.assertEqual(self.end_of(client)[0], 1008)

    def test_is_pinged_and_dropped_without_a_pong(self):
        """The server pings at its interval, keeps who answers, and drops who does not."""
        self.begin(rules=Rules(ping_interval_s=0.1, pong_timeout_s=2.0))
        client = self.connect("/ws")
        for _ in range(5):
            opcode, frame = client.recv_data_frame(control_frame=True)  # answers the ping
            self.assertEqual(opcode, websocket.ABNF.OPCODE_PING, frame)
        client.pong = lambda payload=b"": None
        self.assertEqual(self.end_of(client)[0], 1008)

    def test_is_answered_a_ping_and_a_close(self):
        """A client's ping comes back as a pong, its close as a close."""
        self.begin()
        client = self.connect("/ws")
        client.ping("hello")
        opcode, frame = client.recv_data_frame(control_frame=True)
        self.assertEqual((opcode, frame.data), (websocket.ABNF.OPCODE_PONG, b"hello"))
        client.send_close(1000, b"bye")
        self.assertEqual(self.end_of(client)[0], 1000)
        self.assertTrue(wait_for(lambda: not self.exchange.connections))

    def test_that_sends_an_unmasked_frame_is_closed(self):
        """A frame without a mask breaks the protocol: 1002."""
        self.begin()
        client = self.connect("/ws")
        client.sock.sendall(b"\x81\x02hi")
        self.assertEqual(self.end_of(client)[0], 1002)

    def test_may_send_a_request_in_pieces(self):
        """A fragmented subscription, cut within its frames, is understood."""
        self.begin()
        client = self.connect("/ws")
        text = b'{"method":"SUBSCRIBE","params":["btcusdt@aggTrade"],"id":7}'
        first = websocket.ABNF.create_frame(text[:20], websocket.ABNF.OPCODE_TEXT, fin=0).format()
        last = websocket.ABNF.create_frame(text[20:], websocket.ABNF.OPCODE_CONT).format()
        for byte in (first + last)[:30]:
            client.sock.sendall(bytes((byte,)))
        client.sock.sendall((first + last)[30:])
        self.assertEqual(self.reply(client), {"result": None, "id": 7})

    def test_that_reads_slowly_loses_nothing(self):
        """Frames wait for a client that pauses; they come in order and whole."""
        self.begin(rate=20_000.0)
        client = self.connect(streams=("btcusdt@aggTrade",))
        time.sleep(0.3)
        ids = [m["data"]["a"] for m in self.receive(client, 500)]
        self.assertEqual(ids, list(range(ids[0], ids[0] + 500)))

    def test_sees_a_listing_and_a_delisting(self):
        """A stream that was silent speaks when its symbol is listed, and ends when it is delisted."""
        self.begin()
        client = self.connect(streams=("newusdt@bookTicker", "newusdt@aggTrade"))
        self.exchange.list_symbol("NEWUSDT")
        self.assertEqual({m["data"]["s"] for m in self.receive(client, 20)}, {"NEWUSDT"})
        self.exchange.delist_symbol("NEWUSDT")
        client.settimeout(0.15)
        error, _ = self.end_of(client)
        self.assertIsInstance(error, websocket.WebSocketTimeoutException)
        _, _, info = self.get("/fapi/v3/exchangeInfo")
        self.assertEqual({s["symbol"]: s["status"] for s in info["symbols"]}["NEWUSDT"], "SETTLING")

    def test_at_a_wrong_place_is_refused(self):
        """There is no WebSocket at any other path."""
        self.begin()
        with self.assertRaises(websocket.WebSocketBadStatusException) as caught:
            self.connect("/elsewhere")
        self.assertEqual(caught.exception.status_code, 404)


class AClientOfSpot(Exchange):
    def test_may_have_1024_streams(self):
        """A thousand streams are taken, one more than 1024 ends the connection."""
        self.begin(venue=SPOT)
        client = self.connect("/ws")
        many = [f"s{number}usdt@aggTrade" for number in range(1025)]
        self.assertEqual(self.ask(client, "SUBSCRIBE", many[:1024])["result"], None)
        self.assertIn("more than 1024", self.ask(client, "SUBSCRIBE", many[1024:], 2)["msg"])
        self.assertEqual(self.end_of(client)[0], 1008)

    def test_that_talks_too_much_is_disconnected(self):
        """The sixth message within a second ends the connection, pings and pongs counted."""
        self.begin(venue=SPOT)
        client = self.connect("/ws")
        for number in range(3):
            client.ping(str(number))
            client.pong(str(number))
        self.assertEqual(self.end_of(client)[0], 1008)

    def test_calls_under_its_own_path(self):
        """REST is at /api/v3; a stream that only futures have is taken, and stays silent."""
        self.begin(venue=SPOT)
        self.assertEqual(self.get("/api/v3/exchangeInfo")[2]["rateLimits"][0]["limit"], 6000)
        self.assertEqual(self.get("/fapi/v3/ping")[0], 404)
        client = self.connect(streams=("btcusdt@bookTicker", "btcusdt@markPrice@1s", "btcusdt@forceOrder"))
        self.assertEqual({m["stream"] for m in self.receive(client, 50)}, {"btcusdt@bookTicker"})


class ARecording(Exchange):
    def begin_recording(self, **options):
        """Play half a second of quotes and trades of two symbols."""
        lines = [
            f'{1790000000_000000000 + number * 1_000_000} {{"stream":"{symbol}@aggTrade","data":{{"e":"aggTrade",'
            f'"E":{1790000000_000 + number},"a":{100 + number},"s":"{symbol.upper()}","p":"1.50","q":"3","f":{number},'
            f'"l":{number},"T":{1790000000_000 + number},"m":true}}}}\n'
            for number in range(500)
            for symbol in ("btcusdt", "ethusdt")
        ]
        return self.begin(frames=parse(lines), **options)

    def test_is_played_to_each_client_as_it_asked(self):
        """One stream alone comes, its ids without a hole over the end; a page from the first on is what came."""
        self.begin_recording()
        client = self.connect(streams=("btcusdt@aggTrade", "btcusdt@bookTicker"))
        trades = [message["data"] for message in self.receive(client, 700)]
        self.assertEqual({"BTCUSDT"}, {trade["s"] for trade in trades})
        ids = [trade["a"] for trade in trades]
        self.assertEqual(list(range(ids[0], ids[0] + 700)), ids)
        self.assertEqual([json.loads(text) for text in self.sent_to(1, at_least=700)[:700]], trades)
        _, _, rows = self.get(f"/fapi/v3/aggTrades?symbol=BTCUSDT&fromId={ids[0]}&limit=700")
        self.assertEqual(rows, [{key: trade[key] for key in "apqflTm"} for trade in trades])
        self.assertEqual(self.exchange.symbols, ("BTCUSDT", "ETHUSDT"))

    def test_falls_silent_when_it_is_played_once(self):
        """After its last frame the connection stays open, without data; what is listed can't be changed."""
        exchange = self.begin_recording(once=True)
        client = self.connect(streams=("ethusdt@aggTrade",))
        while (last := self.receive(client, 1)[0]["data"]["a"]) < 599:
            pass
        self.assertEqual(last, 599)
        client.settimeout(0.3)
        self.assertIsInstance(self.end_of(client)[0], websocket.WebSocketTimeoutException)
        self.assertEqual(len(exchange.connections), 1)
        with self.assertRaises(ValueError):
            exchange.inject(Fault("status", symbol="BTCUSDT", value="CLOSE"))

    def test_obeys_faults(self):
        """A frame that is skipped leaves a hole, and one that is sent twice comes twice."""
        exchange = self.begin_recording()
        client = self.connect(streams=("btcusdt@aggTrade",))
        ids = [message["data"]["a"] for message in self.receive(client, 5)]
        exchange.inject(Fault("skip", count=2))
        exchange.inject(Fault("duplicate"))
        ids += [message["data"]["a"] for message in self.receive(client, 200)]
        steps = [after - before for before, after in pairwise(ids)]
        self.assertEqual({0: 1, 3: 1, 1: len(steps) - 2}, {step: steps.count(step) for step in set(steps)})


class TheExchange(Exchange):
    def test_plays_one_market_over_restarts(self):
        """After a restart the past is the same, and ids go on."""
        pages = []
        for _ in range(2):
            exchange = self.begin()
            pages.append(self.get("/fapi/v3/aggTrades?symbol=BTCUSDT&fromId=5000&limit=20")[2])
            exchange.stop()
        self.assertEqual(*pages)

    def test_leaves_no_thread_and_no_port_behind(self):
        """After stop, with clients connected and one of them stalled, no thread of it runs and the port is free."""
        before = set(threading.enumerate())
        exchange = self.begin()
        self.connect()
        self.connect()
        keep_alive = http.client.HTTPConnection("127.0.0.1", exchange.port)
        self.addCleanup(keep_alive.close)
        keep_alive.request("GET", "/fapi/v3/ping")
        self.assertEqual(keep_alive.getresponse().read(), b"{}")
        exchange.inject(Fault("silent", connection="oldest"))
        exchange.stop()
        self.assertEqual(set(threading.enumerate()) - before, set())
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", exchange.port))
        exchange.stop()

    def test_feeds_300_symbols_over_5_connections(self):
        """901 streams are served at their rate."""
        symbols = [f"S{number}USDT" for number in range(300)]
        exchange = self.begin(symbols=symbols, rate=2000.0, record=False)
        kinds = "aggTrade", "bookTicker", "depth5@100ms"
        for start in range(0, 300, 60):
            streams = [f"{s.lower()}@{kind}" for s in symbols[start : start + 60] for kind in kinds]
            self.connect(streams=(*streams, "btcusdt@markPrice@1s"))
        self.assertTrue(wait_for(lambda: len(exchange.connections) >= 5))
        count, begun = exchange.sent_count, time.monotonic()
        self.assertTrue(wait_for(lambda: exchange.sent_count - count > 1000))
        self.assertLess(time.monotonic() - begun, 10.0)

    def test_speaks_tls(self):
        """With a certificate, the WebSocket and REST work over TLS, each frame in a record of its own."""
        with tempfile.TemporaryDirectory() as folder:
            files = f"{folder}/cert.pem", f"{folder}/key.pem"
            command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
            names = ["-subj", "/CN=127.0.0.1", "-out", files[0], "-keyout", files[1], "-days", "2"]
            try:
                subprocess.run([*command, *names], check=True, capture_output=True)
            except (OSError, subprocess.CalledProcessError):
                self.skipTest("no openssl command")
            exchange = self.begin(tls=files)
            client = websocket.create_connection(
                f"{exchange.ws_url}/ws/btcusdt@bookTicker",
                sslopt={"ca_certs": files[0], "check_hostname": False},
                timeout=DEADLINE_S,
                http_no_proxy=["*"],
            )
            self.addCleanup(client.shutdown)
            self.assertEqual([client.recv() for _ in range(10)], self.sent_to(1, at_least=10)[:10])
            plain = socket.create_connection(("127.0.0.1", exchange.port))  # not TLS: must not harm the others
            plain.close()
            client.recv()


class ARestCaller(Exchange):
    def test_gets_each_call(self):
        """ping, time, exchangeInfo, depth, trades and tickers have the published shapes, under v3 and v1."""
        self.begin()
        for version in ("v3", "v1"):
            self.assertEqual(self.get(f"/fapi/{version}/ping")[2], {})
            now_ms = time.time_ns() // 1_000_000
            self.assertAlmostEqual(self.get(f"/fapi/{version}/time")[2]["serverTime"], now_ms, delta=20_000)
        info = self.get("/fapi/v3/exchangeInfo")[2]
        self.assertEqual(info["rateLimits"][0]["limit"], 2400)
        listed = {symbol["symbol"]: symbol for symbol in info["symbols"]}
        self.assertEqual(set(listed), {*SYMBOLS, "OLDUSDT", "LASTUSDT", "GONEUSDT", "SOONUSDT"})
        self.assertEqual((listed["BTCUSDT"]["status"], listed["OLDUSDT"]["status"]), ("TRADING", "SETTLING"))
        self.assertEqual(listed["BTCUSDT"]["filters"][0]["tickSize"], "0.10")
        book = self.get("/fapi/v3/depth?symbol=BTCUSDT&limit=20")[2]
        self.assertEqual(list(book), ["lastUpdateId", "E", "T", "bids", "asks"])
        trades = self.get("/fapi/v3/trades?symbol=BTCUSDT&limit=5")[2]
        self.assertEqual(len({trade["id"] for trade in trades}), 5)
        one = self.get("/fapi/v3/ticker/bookTicker?symbol=" + quote("币安人生USDT"))[2]
        self.assertEqual(one["symbol"], "币安人生USDT")
        self.assertEqual([t["symbol"] for t in self.get("/fapi/v3/ticker/bookTicker")[2]], list(SYMBOLS))
        self.assertEqual(self.get("/fapi/v3/aggTrades?symbol=OLDUSDT&limit=2")[0], 200)

    def test_is_told_what_is_wrong(self):
        """Errors have a code, a message and a 4xx status."""
        self.begin()
        hour = "startTime=1790000000000&endTime=1790003600000"
        for path, status, code in (
            ("aggTrades?symbol=NOSUCH", 400, -1121),
            ("aggTrades", 400, -1102),
            ("aggTrades?symbol=BTCUSDT&limit=1001", 400, -1130),
            ("aggTrades?symbol=BTCUSDT&fromId=x", 400, -1100),
            (f"aggTrades?symbol=BTCUSDT&{hour}", 400, -1127),
            ("depth?symbol=BTCUSDT&limit=7", 400, -4021),
            ("nothing", 404, -5000),
        ):
            answer = self.get(f"/fapi/v3/{path}")
            self.assertEqual((answer[0], answer[2]["code"]), (status, code), path)
        self.assertEqual(self.get("/fapi/v3/aggTrades?symbol=NOSUCH")[2]["msg"], "Invalid symbol.")

    def test_that_overspends_is_told_to_wait_then_banned(self):
        """Over the limit is 429 with Retry-After; going on is 418 with the end of the ban; both are counted."""
        exchange = self.begin(weight_limit=100)
        if time.time() % 60 > 58:  # the count starts anew with the minute
            self.assertTrue(wait_for(lambda: time.time() % 60 < 58))
        used = [int(self.get("/fapi/v3/aggTrades?symbol=BTCUSDT")[1]["X-MBX-USED-WEIGHT-1M"]) for _ in range(5)]
        self.assertEqual(used, [20, 40, 60, 80, 100])
        status, headers, _ = self.get("/fapi/v3/ping")
        self.assertEqual(status, 429)
        self.assertTrue(1 <= int(headers["Retry-After"]) <= 60)
        self.assertEqual(exchange.requests_while_banned, 0)
        status, headers, body = self.get("/fapi/v3/ping")
        self.assertEqual((status, headers["Retry-After"], body["code"]), (418, "120", -1003))
        until_ms = int(body["msg"].partition("banned until ")[2].partition(".")[0])
        self.assertAlmostEqual(until_ms / 1000, time.time() + 120, delta=30)
        self.assertEqual(exchange.requests_while_banned, 1)
        self.assertEqual([request.status for request in exchange.requests], [200] * 5 + [429, 418])


class TheCommand(unittest.TestCase):
    command = (sys.executable, "-m", "aster_collect", "simulate")
    root = Path(__file__).resolve().parents[2]

    def test_runs_until_sigterm_and_ends_with_0(self):
        """It prints where it is and what to run, answers, and stops clean."""
        process = subprocess.Popen(
            (*self.command, "--symbols", "BTCUSDT", "--rate", "50", "--log-level", "WARNING"),
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        lines = [process.stdout.readline() for _ in range(3)]
        rest_url = lines[1].split()[-1]
        self.assertIn(
            f"python -m aster_collect BTCUSDT --ws-url {lines[0].split()[-1]} --rest-url {rest_url}", lines[2]
        )
        with OPENER.open(f"{rest_url}/fapi/v3/ping", timeout=DEADLINE_S) as answer:
            self.assertEqual(answer.read(), b"{}")
        process.send_signal(signal.SIGTERM if os.name == "posix" else signal.SIGINT)
        self.assertEqual(process.wait(DEADLINE_S), 0)
        self.assertEqual(process.stderr.read(), "")


load_tests = beside.load_tests

if __name__ == "__main__":
    unittest.main()
