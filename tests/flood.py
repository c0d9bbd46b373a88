"""An exchange that sends frames of real shapes as fast as the socket takes them, or at a pace: for the benchmark.

Every connection gets the streams it asked for, from one thread of its own: 84 % bookTicker, 11 % aggTrade, 5 %
depth20, ids, update ids and times rising. A block of frames is one template, filled in anew for each repeat.
"""

import base64
import contextlib
import hashlib
import json
import random
import socket
import ssl
import sys
import threading
import time
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

FIRST_TRADE = 1_000_001
FIRST_UPDATE = 8_822_354_685_185
BLOCK_FRAMES = 20_000
HISTORY = 1000
HISTORY_MS = 1_760_000_000_000


def encode_frame(payload: bytes) -> bytes:
    """Return one final text frame, unmasked as a server's are."""
    size = len(payload)
    head = bytes((0x81, size)) if size < 126 else b"\x81\x7e" + size.to_bytes(2, "big")
    return head + payload


class Block(NamedTuple):
    """A run of frames as one `%` template, and which of three counters each place in it takes."""

    template: bytes
    places: list[tuple[int, int]]
    frames: int
    trades: list[int]


def make_block(symbols: list[str], frames: int, seed: int, levels: int = 20) -> Block:
    """Return a block for these symbols; a place is (0, n) the n-th update id, (1, symbol) a trade id, (2, n) a time."""
    rng = random.Random(seed)
    parts: list[bytes] = []
    places: list[tuple[int, int]] = []
    trades = [0] * len(symbols)
    bids = [6_180_000] * len(symbols)
    for number in range(frames):
        which = rng.randrange(len(symbols))
        symbol, lower = symbols[which], symbols[which].lower()
        draw = rng.random()
        if rng.random() < 0.4:  # most changes of a best bid or offer change a quantity only
            bids[which] += rng.choice((-20, -10, 10, 20))
        bid = bids[which]
        if draw < 0.84:
            text = (
                f'{{"stream":"{lower}@bookTicker","data":{{"e":"bookTicker","u":%d,"s":"{symbol}",'
                f'"b":"{bid / 100:.2f}","B":"{rng.randrange(1, 9000) / 1000:.3f}","a":"{(bid + 10) / 100:.2f}",'
                f'"A":"{rng.randrange(1, 9000) / 1000:.3f}","T":%d,"E":%d}}}}'
            )
            own = [(0, number), (2, number), (2, number)]
        elif draw < 0.95:
            maker = "true" if rng.random() < 0.5 else "false"
            text = (
                f'{{"stream":"{lower}@aggTrade","data":{{"e":"aggTrade","E":%d,"s":"{symbol}","a":%d,'
                f'"p":"{bid / 100:.2f}","q":"{rng.randrange(1, 9000) / 1000:.3f}","f":%d,"l":%d,"T":%d,"m":{maker}}}}}'
            )
            own = [(2, number), (1, which), (0, number), (0, number), (2, number)]
            trades[which] += 1
        else:
            sides = []
            for sign in (-1, 1):
                side = [
                    f'["{(bid + sign * (5 + 10 * level)) / 100:.2f}","{rng.randrange(1, 9000) / 1000:.3f}"]'
                    for level in range(levels)
                ]
                sides.append(",".join(side))
            text = (
                f'{{"stream":"{lower}@depth{levels}@100ms","data":{{"e":"depthUpdate","E":%d,"T":%d,"s":"{symbol}",'
                f'"U":%d,"u":%d,"pu":%d,"b":[{sides[0]}],"a":[{sides[1]}]}}}}'
            )
            own = [(2, number), (2, number), (0, number), (0, number), (0, number)]
        filled = (text % tuple(10**6 if kind == 1 else 10**12 for kind, _ in own)).encode()
        head = encode_frame(filled)[: -len(filled)].replace(b"%", b"%%")
        places += own
        parts.append(head + text.encode())
    return Block(b"".join(parts), places, frames, trades)


def fill(block: Block, repeat: int, trade_ids: list[int], first_ms: int, ms_a_frame: float) -> bytes:
    """Return a repeat's frames, its ids above those of the repeats before."""
    update = FIRST_UPDATE + repeat * block.frames
    first_ms += int(repeat * block.frames * ms_a_frame)
    values: list[int] = []
    append = values.append
    for kind, number in block.places:
        if kind == 0:
            append(update + number)
        elif kind == 2:
            append(first_ms + int(number * ms_a_frame))
        else:
            append(trade_ids[number])
            trade_ids[number] += 1
    return block.template % tuple(values)


class Flood:
    """The server: `frames` a connection, `rate` a second (0: as fast as the socket takes them)."""

    def __init__(self, frames: int, rate: float, tls: tuple[str, str] | None, *, log_sends: bool = False) -> None:
        self.frames, self.rate = frames, rate
        self.sends: list[tuple[int, int]] = []  # (first update id of a chunk, when it was sent)
        self._log_sends = log_sends
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self._context: ssl.SSLContext | None = None
        if tls:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*tls)
        self.began_s = 0.0
        self.done = 0
        self.sent = 0
        self.lock = threading.Lock()

    def serve(self) -> None:
        """Accept connections until the process ends."""
        while True:
            client, _ = self._listener.accept()
            threading.Thread(target=self._client, args=(client,), daemon=True).start()

    def _client(self, client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with client:
            begin = client.recv(1, socket.MSG_PEEK)
            if self._context and begin == b"\x16":
                client = self._context.wrap_socket(client, server_side=True)
            with contextlib.suppress(OSError):  # the collector hung up
                self._request(client)

    def _request(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        target = urlsplit(head.split(b" ", 2)[1].decode())
        query = parse_qs(target.query)
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head.decode().split("\r\n")[1:])
        }
        if "sec-websocket-key" not in headers:
            body = json.dumps(self._rest(target.path, query)).encode()
            client.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            return
        key = headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest())
        client.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: %s\r\n\r\n" % accept
        )
        streams = query["streams"][0].split("/")
        symbols = sorted({stream.partition("@")[0].upper() for stream in streams if "@bookTicker" in stream})
        self._send(client, symbols)
        while client.recv(4096):
            pass

    def _rest(self, path: str, query: dict[str, list[str]]) -> object:
        if path.endswith("exchangeInfo"):
            names = [f"S{number:03d}USDT" for number in range(300)] + ["BTCUSDT", "ETHUSDT"]
            return {"symbols": [{"symbol": n, "status": "TRADING", "contractType": "PERPETUAL"} for n in names]}
        if path.endswith("time"):
            return {"serverTime": int(time.time() * 1000)}
        first, limit = int(query["fromId"][0]), int(query["limit"][0])
        page = range(first, min(first + limit, FIRST_TRADE))
        return [{"a": n, "p": "61800.30", "q": "0.006", "f": n, "l": n, "T": HISTORY_MS + n, "m": True} for n in page]

    def _send(self, client: socket.socket, symbols: list[str]) -> None:
        share = BLOCK_FRAMES
        block = make_block(symbols, min(share, self.frames), seed=len(symbols))
        trade_ids = [FIRST_TRADE] * len(symbols)
        first_ms = int(time.time() * 1000)
        with self.lock:
            self.began_s = self.began_s or time.time()
        sent = 0
        repeat = 0
        while sent < self.frames:
            ms_a_frame = 1000 / self.rate if self.rate else 0.005
            data = fill(block, repeat, trade_ids, first_ms, ms_a_frame)
            if self.rate:
                self._paced(client, data, repeat * block.frames)
            elif self._context:
                for frame in cut(data):
                    client.send(frame)  # one TLS record a frame, as an exchange's server sends them
            else:
                client.sendall(data)
            sent += block.frames
            with self.lock:
                self.sent += block.frames
            repeat += 1
        with self.lock:
            self.done += 1

    def _paced(self, client: socket.socket, data: bytes, first: int) -> None:
        frames = cut(data)
        step = max(1, round(self.rate / 1000))
        start_s = time.monotonic()
        for at in range(0, len(frames), step):
            wait_s = start_s + at / self.rate - time.monotonic()
            if wait_s > 0:
                time.sleep(wait_s)
            if self._log_sends:
                self.sends.append((FIRST_UPDATE + first + at, time.time_ns()))
            if self._context:
                for frame in frames[at : at + step]:
                    client.send(frame)
            else:
                client.sendall(b"".join(frames[at : at + step]))


def cut(data: bytes) -> list[bytes]:
    """Return the frames of a block, one by one."""
    frames = []
    at = 0
    while at < len(data):
        size = data[at + 1]
        stop = at + 2 + size if size < 126 else at + 4 + int.from_bytes(data[at + 2 : at + 4], "big")
        frames.append(data[at:stop])
        at = stop
    return frames


def main() -> None:
    """Serve until a line comes on standard input; then print what was done, as JSON."""
    facts = json.loads(sys.argv[1])
    flood = Flood(facts["frames"], facts["rate"], tuple(facts["tls"]) if facts["tls"] else None, log_sends=facts["log"])
    threading.Thread(target=flood.serve, daemon=True).start()
    print(flood.port, flush=True)
    for line in sys.stdin:
        if line == "end\n":
            break
        print(flood.done, flood.sent, flood.began_s, flush=True)
    print(json.dumps({"began_s": flood.began_s, "sends": flood.sends}), flush=True)


if __name__ == "__main__":
    main()
