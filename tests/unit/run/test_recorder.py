"""The recorder never holds up who puts, writes all that it took, and says in the record what it could not take."""

import errno
import json
import os
import tempfile
import threading
import unittest
from pathlib import Path
from random import Random

from aster_collect.exchange.events import Batch, Lines
from aster_collect.files.raw import RawWriter
from aster_collect.files.raw_reader import RawLines
from aster_collect.order.entries import Moment
from aster_collect.order.record_reader import read_entries
from aster_collect.run.recorder import RETRY_S, Recorder
from aster_collect.watch.snapshot import Recorded

NOON_NS = 1_795_521_600_000_000_000  # 2026-11-24T12:00Z
HOUR_NS = 3_600_000_000_000
FLUSH_S = 5.0
DEADLINE_S = 30.0


def lines(number: int, stamp_ns: int = NOON_NS) -> Lines:
    """Return a line that says its number."""
    return Lines(stamp_ns + number, 1, b'%d {"number":%d}\n' % (stamp_ns + number, number))


class Case(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.full = False
        self.now_s = 0.0
        self.closed = 0
        self.writer = RawWriter(self.folder, sync=False, write=self.write)
        self.recorder = self.make()

    def make(self, queue_bytes: int = 1 << 20, pending_bytes: int = 1 << 20) -> Recorder:
        def close() -> None:
            self.closed += 1

        return Recorder(
            self.writer, FLUSH_S, close,
            queue_bytes=queue_bytes, pending_bytes=pending_bytes, clock=lambda: self.now_s,
            wall_ns=lambda: NOON_NS + int(self.now_s * 1e9),
        )  # fmt: skip

    def write(self, descriptor: int, data: bytes) -> int:
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return os.write(descriptor, data)

    def step(self, seconds: float = FLUSH_S) -> None:
        self.now_s += seconds
        self.recorder.step()

    def read(self) -> list[dict[str, object]]:
        """Return what the lines of all files say."""
        return [json.loads(text) for _, text in RawLines(sorted(self.folder.iterdir()))]


class Recording(Case):
    def test_a_flush(self) -> None:
        """What was put is written once the flush interval is over, and not before."""
        self.recorder.put(lines(1))
        self.step(FLUSH_S - 1)
        self.assertEqual(self.read(), [])
        self.step(1)
        self.assertEqual(self.read(), [{"number": 1}])
        self.assertEqual(self.recorder.recorded(), Recorded(1, len(lines(1).text), 0))

    def test_much_within_a_flush_interval(self) -> None:
        """It is written before memory is full of it."""
        chance = Random(1)
        for number in range(300):  # 64 KiB each, which zlib makes little smaller
            text = b'%d {"number":"%b"}\n' % (NOON_NS + number, chance.randbytes(1 << 15).hex().encode())
            self.recorder.put(Lines(NOON_NS + number, 1, text))
            self.step(0)
        self.assertGreater(len(self.read()), 100)
        self.assertEqual(self.recorder.recorded().lost, 0)

    def test_rows_that_are_to_be_written(self) -> None:
        """They wait until what they are made of is in the record."""
        thread = threading.Thread(target=self.recorder.run)
        thread.start()
        self.addCleanup(thread.join, DEADLINE_S)
        self.addCleanup(self.recorder.stop)
        for number in range(1, 20):
            self.recorder.put(lines(number))
            self.recorder.keep(sync=True)
            self.assertEqual(self.read()[-1], {"number": number})

    def test_what_the_engine_is_told(self) -> None:
        """A batch is read from the record as it was taken: the frames verbatim, odd ones too."""
        odd = [b"[1]", b'{"aster":"run"}', b"{\n}", b'{"s":"\xff"}', b"{", b"", b'{"stream":"a"}{']
        odd += [b'{"stream":"a"}\n{"stream":"b"}', b'{"stream":"\xff"}', b'{"stream":"a"', b'{"stream":"\n"}']
        good = '{"stream":"币安人生usdt@trade","data":{"t":1}}'.encode()
        sets = [[good] * 3, odd, *([good, one, good] for one in odd), *([one, good] for one in odd)]
        batches = [Batch(1, NOON_NS, 2.5, b"".join(frames), bounds(frames)) for frames in sets]
        for batch in batches:
            self.recorder.record(Moment(3.5, NOON_NS + 1), batch)
        self.step()
        read = [entry for _, entry in read_entries(RawLines(self.folder.iterdir()))]
        self.assertEqual(read, batches)
        texts = [text for _, text in RawLines(self.folder.iterdir())]
        self.assertTrue(all(text.decode("utf-8") for text in texts))
        self.assertEqual(texts.count(good), 3 + 3 * len(odd))
        self.assertEqual(self.recorder.recorded().lines, len(texts))

    def test_an_hour_is_over(self) -> None:
        """Who deletes old files is told."""
        self.recorder.put(lines(1))
        self.step()
        self.assertEqual(self.closed, 0)
        self.recorder.put(lines(1, NOON_NS + HOUR_NS))
        self.step()
        self.assertEqual(self.closed, 1)
        self.assertEqual(len(list(self.folder.iterdir())), 2)


class AFullDisk(Case):
    def test_it_is_full_for_a_while(self) -> None:
        """Nothing is lost that memory holds; it is said once, tried again, and said when it works again."""
        self.full = True
        with self.assertLogs("aster_collect", "WARNING") as logged:
            for number in range(3):
                self.recorder.put(lines(number))
                self.step()
            self.full = False
            self.step(RETRY_S)
        self.assertEqual(self.read(), [{"number": number} for number in range(3)])
        events = [record.getMessage().split("=")[0] for record in logged.records]
        self.assertEqual(events, ["write failed why", "write works again written_bytes"])

    def test_who_asks_how_it_stands(self) -> None:
        """It is told since when nothing could be written, and why, until something can."""
        self.full = True
        self.recorder.put(lines(0))
        with self.assertLogs("aster_collect", "WARNING"):
            self.step()
            self.step()
            seen = self.recorder.recorded()
            self.assertEqual(seen.failing_since_ns, NOON_NS + int(FLUSH_S * 1e9))
            self.assertEqual(seen.last_error, f"raw.2026-11-24T12.jsonl.gz: {os.strerror(errno.ENOSPC)}")
            self.full = False
            self.step(RETRY_S)
        self.assertEqual(self.recorder.recorded().failing_since_ns, 0)

    def test_it_is_full_for_longer(self) -> None:
        """What has no room is counted, and a line of its own says how many and from when to when, in its place."""
        self.recorder = self.make(queue_bytes=1000, pending_bytes=0)
        self.full = True
        with self.assertLogs("aster_collect", "WARNING") as logged:
            self.recorder.put(lines(0))
            self.step()
            for number in range(1, 100):
                self.recorder.put(lines(number))
                self.step()
            lost = self.recorder.recorded().lost
            self.assertGreater(lost, 80)
            self.full = False
            for _ in range(10):
                self.step()
            self.recorder.put(lines(100))
            self.step()
            self.step()
        first = 100 - lost
        told = {"aster": "lost", "lines": lost, "from_ns": NOON_NS + first, "to_ns": NOON_NS + 99, "why": "overflow"}
        self.assertEqual(self.read(), [*({"number": number} for number in range(first)), told, {"number": 100}])
        self.assertEqual(sum("record lost" in one for one in logged.output), 1)
        self.assertEqual(self.recorder.recorded().lines, first + 1)

    def test_a_run_ends_while_lines_are_lost(self) -> None:
        """The record says so at its end."""
        self.recorder = self.make(queue_bytes=0)
        with self.assertLogs("aster_collect", "ERROR"):
            for number in range(3):
                self.recorder.put(lines(number))
        self.recorder.stop()
        self.assertTrue(self.recorder.drain())
        told = {"aster": "lost", "lines": 2, "from_ns": NOON_NS + 1, "to_ns": NOON_NS + 2, "why": "overflow"}
        self.assertEqual(self.read(), [{"number": 0}, told])


class TheEnd(Case):
    def test_all_that_was_put_is_written(self) -> None:
        """Its thread ends once it is told, and no sooner than all is written."""
        recorder = Recorder(self.writer, FLUSH_S, lambda: None)
        thread = threading.Thread(target=recorder.run)
        thread.start()
        for number in range(1000):
            recorder.put(lines(number))
        recorder.stop()
        thread.join(DEADLINE_S)
        self.assertTrue(recorder.all_written)
        self.assertEqual(self.read(), [{"number": number} for number in range(1000)])

    def test_a_disk_that_stays_full(self) -> None:
        """It is not waited for without end, and it is said how much is not written."""
        self.full = True
        seconds = iter(range(1000))
        recorder = Recorder(self.writer, FLUSH_S, lambda: None, clock=lambda: float(next(seconds)))
        recorder.put(lines(1))
        recorder.stop()
        with self.assertLogs("aster_collect", "ERROR") as logged:
            recorder.run()
        self.assertFalse(recorder.all_written)
        self.assertIn("record not written bytes=", logged.output[-1])


def bounds(frames: list[bytes]) -> list[int]:
    found, end = [], 0
    for frame in frames:
        found += [end, end + len(frame)]
        end += len(frame)
    return found


if __name__ == "__main__":
    unittest.main()
