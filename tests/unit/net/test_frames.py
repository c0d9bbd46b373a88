"""Frames are cut out of bytes the same way however the bytes arrive."""

import random
import unittest
from collections.abc import Iterable
from itertools import pairwise

from aster_collect.errors import FeedError
from aster_collect.net.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    FINAL,
    KEPT_OF_BAD,
    MESSAGE_LIMIT,
    PING,
    PONG,
    TEXT,
    Odd,
    Splitter,
    close_reason,
)
from tests.support import rounds


def frame(opcode: int, payload: bytes = b"", final: bool = True, length_bytes: int = 0) -> bytes:
    """Return a server's frame; `length_bytes` asks for a longer length field than needed (2 or 8)."""
    first = bytes([opcode | (FINAL if final else 0)])
    if length_bytes == 8 or len(payload) > 0xFFFF:
        return first + bytes([127]) + len(payload).to_bytes(8, "big") + payload
    if length_bytes == 2 or len(payload) > 125:
        return first + bytes([126]) + len(payload).to_bytes(2, "big") + payload
    return first + bytes([len(payload)]) + payload


BIG = bytes(range(256)) * (MESSAGE_LIMIT // 256) + b"one more"
KINDS: dict[str, tuple[bytes, list[bytes], list[Odd]]] = {
    "text": (frame(TEXT, b'{"e":1}'), [b'{"e":1}'], []),
    "empty text": (frame(TEXT), [b""], []),
    "text of 125 bytes": (frame(TEXT, b"x" * 125), [b"x" * 125], []),
    "text of 126 bytes": (frame(TEXT, b"x" * 126), [b"x" * 126], []),
    "text of 65,535 bytes": (frame(TEXT, b"x" * 0xFFFF), [b"x" * 0xFFFF], []),
    "text of 65,536 bytes": (frame(TEXT, b"x" * 0x10000), [b"x" * 0x10000], []),
    "text with a long length field": (frame(TEXT, b"short", length_bytes=8), [b"short"], []),
    "text of just the limit": (frame(TEXT, BIG[:MESSAGE_LIMIT]), [BIG[:MESSAGE_LIMIT]], []),
    "invalid UTF-8": (frame(TEXT, b"\xff\xfe"), [b"\xff\xfe"], []),
    "two fragments": (frame(TEXT, b"ab", final=False) + frame(CONTINUATION, b"cd"), [b"abcd"], []),
    "empty fragments": (
        frame(TEXT, final=False) + frame(CONTINUATION, final=False) + frame(CONTINUATION, b"all"),
        [b"all"],
        [],
    ),
    "a ping between fragments": (
        frame(TEXT, b"ab", final=False) + frame(PING, b"?") + frame(CONTINUATION, b"cd"),
        [b"abcd"],
        [Odd("ping", b"?")],
    ),
    "ping": (frame(PING, b"now"), [], [Odd("ping", b"now")]),
    "pong": (frame(PONG), [], [Odd("pong", b"")]),
    "close": (frame(CLOSE, b"\x03\xe9bye"), [], [Odd("close", b"\x03\xe9bye")]),
    "binary": (frame(BINARY, b"\0\1"), [], [Odd("binary", b"\0\1")]),
    "long binary": (frame(BINARY, BIG[:9999]), [], [Odd("binary", BIG[:KEPT_OF_BAD])]),
    "binary in fragments": (
        frame(BINARY, b"\0", final=False) + frame(CONTINUATION, b"\1"),
        [],
        [Odd("binary", b"\0\1")],
    ),
    "oversized": (frame(TEXT, BIG), [], [Odd("oversized", BIG[:KEPT_OF_BAD])]),
    "oversized in fragments": (
        frame(TEXT, BIG[:100], final=False)
        + frame(CONTINUATION, BIG[100:700_000], final=False)
        + frame(PING)
        + frame(CONTINUATION, BIG[700_000:]),
        [],
        [Odd("ping", b""), Odd("oversized", BIG[:KEPT_OF_BAD])],
    ),
    "an oversized fragment in a small message": (
        frame(TEXT, b"a", final=False) + frame(CONTINUATION, BIG, final=False) + frame(CONTINUATION, b"z"),
        [],
        [Odd("oversized", (b"a" + BIG)[:KEPT_OF_BAD])],
    ),
}
SMALL = {name: kind for name, kind in KINDS.items() if len(kind[0]) < 20_000}

VIOLATIONS = {
    "masked": bytes([FINAL | TEXT, 0x80 | 1]) + b"mask" + b"x",
    "reserved bits": bytes([FINAL | 0x40 | TEXT, 1]) + b"x",
    "unknown data opcode": frame(0x3, b"x"),
    "unknown control opcode": frame(0xB, b"x"),
    "a ping in two parts": frame(PING, b"x", final=False),
    "a ping of 126 bytes": frame(PING, b"x" * 126),
    "an oversized close": frame(CLOSE, BIG),
    "a continuation of nothing": frame(CONTINUATION, b"x"),
    "a message inside another": frame(TEXT, b"x", final=False) + frame(TEXT, b"y"),
    "a message inside an empty beginning": frame(TEXT, final=False) + frame(TEXT, b"y"),
    "a binary message inside a text": frame(TEXT, b"x", final=False) + frame(BINARY, b"y"),
    "a continuation behind the end": frame(TEXT, b"x", final=False)
    + frame(CONTINUATION, b"y")
    + frame(CONTINUATION, b"z"),
}


def split_all(parts: Iterable[bytes]) -> tuple[list[bytes], list[Odd]]:
    """Return what a new connection that receives these parts gives."""
    splitter = Splitter()
    messages: list[bytes] = []
    odd: list[Odd] = []
    for part in parts:
        split = splitter.split(part)
        each = iter(split.bounds)
        messages += [split.data[start:stop] for start, stop in zip(each, each, strict=True)]
        odd += split.odd
    return messages, odd


def cut(data: bytes, chance: random.Random) -> list[bytes]:
    """Return the data in random parts, some of one byte, some empty."""
    places = [chance.randrange(len(data) + 1) for _ in range(chance.randrange(30))]
    places += [place + 1 for place in places if chance.random() < 0.5 and place < len(data)]
    edges = [0, *sorted(places), len(data)]
    return [data[low:high] for low, high in pairwise(edges)]


class WholeFrames(unittest.TestCase):
    def test_each_kind_arrives_whole(self) -> None:
        """A frame of each kind gives its message when one read brings it."""
        for name, (data, messages, odd) in KINDS.items():
            with self.subTest(name):
                self.assertEqual(split_all([data]), (messages, odd))

    def test_each_kind_arrives_byte_by_byte(self) -> None:
        """A frame of each kind gives its message when each read brings one byte."""
        for name, (data, messages, odd) in SMALL.items():
            with self.subTest(name):
                self.assertEqual(split_all(data[i : i + 1] for i in range(len(data))), (messages, odd))

    def test_each_kind_arrives_with_bytes_behind_it(self) -> None:
        """A frame of each kind leaves the bytes behind it to the next frame."""
        for name, (data, messages, odd) in KINDS.items():
            for behind in range(1, 8):
                with self.subTest(name, behind=behind):
                    following = frame(TEXT, b"next")
                    parts = [data + following[:behind], following[behind:]]
                    self.assertEqual(split_all(parts), ([*messages, b"next"], odd))

    def test_frame_not_yet_whole_gives_nothing(self) -> None:
        """A text frame gives nothing until its last byte is there."""
        data = frame(TEXT, b"x" * 300)
        for end in range(len(data)):
            self.assertEqual(split_all([data[:end]]), ([], []))


class AnyCutting(unittest.TestCase):
    def test_any_cutting_of_a_stream_gives_the_same_messages(self) -> None:
        """A stream of random frames gives the same messages however its bytes are cut."""
        for seed, chance in rounds(150):
            with self.subTest(seed=seed):
                chosen = [KINDS[name] for name in chance.choices(list(KINDS), k=chance.randrange(1, 5))]
                chosen += [SMALL[name] for name in chance.choices(list(SMALL), k=chance.randrange(40))]
                chance.shuffle(chosen)
                data = b"".join(part for part, _, _ in chosen)
                expected = (
                    [message for _, messages, _ in chosen for message in messages],
                    [one for _, _, odd in chosen for one in odd],
                )
                self.assertTrue(split_all(cut(data, chance)) == expected)  # megabytes: no difference is printed

    def test_random_fragments_with_pings_between_come_together(self) -> None:
        """A message in random fragments comes out whole, and the pings between them come out too."""
        for seed, chance in rounds(200):
            with self.subTest(seed=seed):
                message = chance.randbytes(chance.randrange(2000))
                parts = cut(message, chance)
                data, pings = b"", []
                for number, part in enumerate(parts):
                    if chance.random() < 0.3:
                        pings.append(Odd("ping", chance.randbytes(chance.randrange(126))))
                        data += frame(PING, pings[-1].data)
                    opcode = CONTINUATION if number else TEXT
                    data += frame(opcode, part, number == len(parts) - 1, chance.choice((0, 2, 8)))
                self.assertEqual(split_all(cut(data, chance)), ([message], pings))


class BrokenProtocol(unittest.TestCase):
    def test_each_violation_ends_the_connection(self) -> None:
        """Bytes that break the protocol raise FeedError, whole or byte by byte."""
        for name, data in VIOLATIONS.items():
            with self.subTest(name), self.assertRaisesRegex(FeedError, "^protocol: "):
                split_all([data])
            with self.subTest(name, cut="bytes"), self.assertRaises(FeedError) as caught:
                split_all(data[i : i + 1] for i in range(min(len(data), 20_000)))
            self.assertEqual(caught.exception.reason, "protocol")

    def test_a_violation_is_seen_in_the_header(self) -> None:
        """A frame that can't be used is refused by its header: its payload is not waited for."""
        for first, length in ((FINAL | 0x40 | TEXT, 100), (FINAL | 0x3, 100), (FINAL | CONTINUATION, 100)):
            with self.subTest(first=first), self.assertRaises(FeedError):
                Splitter().split(bytes([first, length]))

    def test_a_violation_behind_good_frames(self) -> None:
        """A violation behind any good frames raises FeedError however the bytes are cut."""
        for seed, chance in rounds(100):
            with self.subTest(seed=seed):
                good = b"".join(SMALL[name][0] for name in chance.choices(list(SMALL), k=3))
                name = chance.choice(list(VIOLATIONS))
                with self.assertRaises(FeedError, msg=name):
                    split_all(cut(good + VIOLATIONS[name], chance))


class CloseReasons(unittest.TestCase):
    def test_a_close_says_why(self) -> None:
        """A close frame's payload is told in words, also when it is empty, short or not UTF-8."""
        for payload, words in {
            b"": "no code",
            b"\x03": "no code",
            b"\x03\xe9": "code=1001",
            b"\x03\xe9going away": "code=1001 text='going away'",
            b"\x03\xf0\xff\n": "code=1008 text='\ufffd\\n'",
        }.items():
            with self.subTest(payload):
                self.assertEqual(close_reason(payload), words)


if __name__ == "__main__":
    unittest.main()
