"""What is recorded is read back as it was, and what the exchange sent stands there as it came."""

import json
import unittest
from random import Random

from aster_collect.errors import DecodeError
from aster_collect.exchange.events import Answer, Ask, Bad, Batch, Lost, Message, Opened, Reopen, Wanted
from aster_collect.order.lane import Left
from aster_collect.order.record import (
    Again,
    Begin,
    Close,
    Entry,
    Line,
    Moment,
    Run,
    Settle,
    Step,
    Unrecorded,
    lines_of,
    read_entries,
)  # fmt: skip
from tests.support import rounds

AT = Moment(29106.568232019, 1_795_538_532_400_074_767)
QUOTE = b'{"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","s":"BTCUSDT"}}'
CHINESE = '{"stream":"币安人生usdt@aggTrade","data":{}}'.encode()
ODD = (
    b"", b"{", b"[]", b"null", b"}{", b'{"a":\n1}', b"\n", b'{"x":"\xff"}', b'{"aster":"step"}', b'{"aster"}', b"{}",
    b'{"stream":"\xe5"}', b'{"stream":"a"}\r', b" {}", CHINESE[:-20],
)  # fmt: skip


def batch(*frames: bytes, junk: bytes = b"\x81\x7e\n") -> Batch:
    """Return one read of a connection, in which something lies between the frames."""
    data, bounds = bytearray(), []
    for frame in frames:
        data += junk
        bounds += [len(data), len(data) + len(frame)]
        data += frame
    return Batch(3, 1_795_538_532_300_000_001, 29106.468, bytes(data), bounds)


def texts(*entries: Entry) -> list[Line]:
    """Return the lines of entries, as a reader of files has them."""
    lines = b"".join(lines_of(AT, entry).text for entry in entries).split(b"\n")[:-1]
    return [(int(line[:19]), line[20:]) for line in lines]


def frames_of(read: Message) -> list[bytes]:
    assert isinstance(read, Batch)
    each = iter(read.bounds)
    return [read.data[start:stop] for start, stop in zip(each, each, strict=True)]


class ThereAndBack(unittest.TestCase):
    def test_every_entry(self) -> None:
        """Each is read back with its moment and all that it says."""
        ask = Ask("/fapi/v3/depth", (("symbol", "BTCUSDT"), ("limit", "1000")), 0, "depth", "BTCUSDT", 7)
        last = [(5, 1_795_538_532_000, "buy", "0.10", "1.000", None)]
        left = {"trades": Left(last, 1_795_538_532_001, [(1, 4)]), "prices": Left([], 0, [])}
        entries: list[Entry] = [
            Run("1.2.0", {"streams": ["trades"], "history": 5, "duration_s": None}, ("BTCUSDT", "币安人生USDT"), 17),
            Begin("BTCUSDT", True, left, {"trades": (120, 1_795_538_532_001)}),
            Begin("", False, {}, {}),
            Wanted(1, 1, ("BTCUSDT",)),
            Opened(1, 1_795_538_532_000_000_007, 29106.1),
            Bad(1, 1_795_538_532_000_000_008, "too long", b"\xff\x00{\n"),
            Lost(1, "reset", False),
            Answer(ask, 1_795_538_532_000_000_009, 1_795_538_532_000_000_010, {"bids": [["0.10", "1"]], "x": 0.1}),
            Answer(ask, 1_795_538_532_000_000_009, 1_795_538_532_000_000_010, None, "403: no"),
            Reopen(), Step(), Settle(29100.25), Close(), Again(Wanted(1, 1, ())),
        ]  # fmt: skip
        self.assertEqual(list(read_entries(texts(*entries))), [(AT, entry) for entry in entries])

    def test_a_read_of_several_frames(self) -> None:
        """The frames stand on lines of their own, verbatim, with the time at which they came."""
        lines = texts(batch(QUOTE, CHINESE, QUOTE))
        self.assertEqual([text for _, text in lines[1:]], [QUOTE, CHINESE, QUOTE])
        self.assertEqual({stamp_ns for stamp_ns, _ in lines}, {1_795_538_532_300_000_001})
        ((at, read),) = read_entries(lines)
        self.assertEqual((at, frames_of(read)), (AT, [QUOTE, CHINESE, QUOTE]))
        self.assertEqual(read[:3], batch()[:3])

    def test_frames_that_can_not_stand_on_a_line(self) -> None:
        """Whatever they are, they come back, and each line is as it came, or a JSON object of ours."""
        for seed, chance in rounds(300):
            frames = [chance.choice((*ODD, QUOTE, CHINESE, noise(chance))) for _ in range(chance.randrange(1, 6))]
            lines = texts(batch(*frames), Step())
            self.assertEqual(len(lines), len(frames) + 2, f"seed {seed}: {frames}")
            (_, read), step = read_entries(lines)
            self.assertEqual(frames_of(read), frames, f"seed {seed}")
            self.assertEqual(step, (AT, Step()))
            for (_, text), frame in zip(lines[1:], frames, strict=False):
                self.assertTrue(text == frame or json.loads(text)["aster"] == "frame", f"seed {seed}: {text!r}")
                self.assertTrue(text.startswith(b"{") and text.endswith(b"}"))


class ARecordThatIsNone(unittest.TestCase):
    def test_a_crash_in_the_middle_of_a_read(self) -> None:
        """A read whose frames are not all there is left out; what comes next counts."""
        lines = texts(batch(QUOTE, QUOTE, QUOTE))
        self.assertEqual(list(read_entries(lines[:-1])), [])
        found = list(read_entries([*lines[:-1], *texts(Step())]))
        self.assertEqual(found, [(AT, Step())])

    def test_lines_that_are_lost(self) -> None:
        """The line that tells of it is an entry."""
        lost = b'{"aster":"lost","lines":3,"from_ns":1,"to_ns":2,"why":"overflow"}'
        self.assertEqual([entry for _, entry in read_entries([(2, lost)])], [Unrecorded(3, 1, 2, False)])

    def test_lines_of_others(self) -> None:
        """A frame without a line that says whose it is, and a line of ours that says nothing, are no record."""
        for text in (
            QUOTE,
            b'{"aster":"nothing"}',
            b'{"aster":"wanted"}',
            b'{"aster":"batch"}',
            b'{"aster":"step"',
            b'{"aster":[]}',
        ):
            with self.assertRaises(DecodeError, msg=text):
                list(read_entries([(1, text)]))


def noise(chance: Random) -> bytes:
    """Return any bytes."""
    return bytes(chance.randrange(256) for _ in range(chance.randrange(12)))


if __name__ == "__main__":
    unittest.main()
