"""`replay` says what it wrote, and refuses in one line what it can't replay, before it writes anything."""

import gzip
import os
import unittest
from pathlib import Path

from aster_collect.exchange.events import Batch, Wanted
from aster_collect.files.lock import Lock
from aster_collect.files.raw import RawWriter
from aster_collect.order.entries import Again, Begin, Close, Entry, Moment, Run, Step
from aster_collect.order.record import lines_of
from aster_collect.settings import Settings
from tests.unit.commands.calls import Folder, call

PROGRAM = "aster-collect replay"
START_S = 1_764_000_000
RAW, LATER = "raw.2025-11-24T16.jsonl.gz", "raw.2025-11-24T17.jsonl.gz"
FRAME = (
    b'{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":%d,"s":"BTCUSDT","a":%d,"p":"10.1","q":"0.5","f":1,"l":1,'
    b'"T":%d,"m":false}}'
)


def recorded() -> Run:
    """Return the beginning of a run."""
    settings = Settings(("BTCUSDT",), streams=("trades", "orderbook"), history=0)
    return Run("1.3.0", settings.told(), settings.symbols, 0)


def record() -> bytes:
    """Return a short record, of three trades."""
    trades = [FRAME % (START_S * 1000 + one, 7 + one, START_S * 1000 + one) for one in range(3)]
    entries: list[Entry] = [
        recorded(), Begin("", True, {}, {}), Begin("BTCUSDT", True, {}, {}), Wanted(1, 1, ("BTCUSDT",)),
        *(Batch(1, START_S * 10**9 + at, 5.0, trade, [0, len(trade)]) for at, trade in enumerate(trades)),
        Step(), Close(),
    ]  # fmt: skip
    return b"".join(lines_of(Moment(5.0 + at, (START_S + at) * 10**9), one).text for at, one in enumerate(entries))


class Case(Folder):
    def write(self, data: bytes, name: str = RAW) -> None:
        Path(name).write_bytes(gzip.compress(data))


class AGoodCall(Case):
    def test_a_record(self) -> None:
        """What was written is one line on standard output, and the files are there."""
        self.write(record())
        ended = call("replay", RAW, "--data-dir", "again")
        told = "replayed runs=1 frames=3 rows=3 gaps=0 folder=again\n"
        self.assertEqual((ended.status, ended.out, ended.err), (0, told, ""))
        rows = Path("again/trades_BTCUSDT.csv").read_text("ascii").splitlines()
        self.assertEqual(rows[1:], [f"{7 + one},{START_S}00{one},buy,10.1,0.5" for one in range(3)])

    def test_options(self) -> None:
        """They change what is written, and the words may stand in any order."""
        self.write(record())
        ended = call("replay", "--receive-time", "--data-dir", "again", "--streams", "TRADES", RAW, "--rotate", "hour")
        self.assertEqual(ended.status, 0, ended.err)
        rows = Path("again/trades_BTCUSDT.csv").read_text("ascii").splitlines()
        self.assertEqual(rows[-1], f"9,{START_S}002,buy,10.1,0.5,{START_S}000000002")
        self.assertFalse(Path("again/orderbook_BTCUSDT.csv").exists())

    def test_a_folder_that_lacks_what_the_run_went_on_in(self) -> None:
        """A line on standard error says so, and the rest is written."""
        begun = b'"symbol":"BTCUSDT","made":true,"found":{'
        self.write(record().replace(begun, begun + b'"trades":[500,1]'))
        ended = call("replay", RAW, "--data-dir", "again")
        told = f"{PROGRAM}: trades_BTCUSDT.csv: the run went on in a file of 500 bytes, which is not here\n"
        self.assertEqual((ended.status, ended.err), (0, told))


class ABadCall(Case):
    def test_words_that_ask_for_nothing(self) -> None:
        """Each is one line that says what was given and what is allowed, and exit status 2."""
        self.write(record())
        before = self.made()
        for words, told in (
            ([], "RAW: none given, at least one file allowed that --record wrote"),
            ([RAW], "--data-dir: none given, a folder's name allowed: where the files go"),
            (
                ["none.gz", "--data-dir", "again"],
                f"RAW: none.gz given, a file allowed that --record wrote: {os.strerror(2)}",
            ),
            (
                [RAW, "--data-dir", "again", "--streams", "trades,mark"],
                "--streams: mark given, trades, orderbook allowed",
            ),
            ([RAW, "--data-dir", "again", "--streams", "news"], "--streams: 'news' given, all, or some of"),
            ([RAW, "--data-dir", "again", "--order-book-levels", "20"], "--order-book-levels: 20 given, 10 or fewer"),
            ([RAW, "--data-dir", "again", "--history", "5"], "--history: no such option"),
        ):
            self.assert_refused(call("replay", *words), told, program=PROGRAM)
            self.assertEqual(self.made(), before, words)

    def test_files_that_are_no_record(self) -> None:
        """Each is refused with what is wrong with it, and nothing is made."""
        frames = b"".join(line + b"\n" for line in record().splitlines() if b'"stream":"' in line)
        for data, told in (
            (b"", "and no run is in it"),
            (b"hello\n", "is not `<19 digits: Unix ns> <JSON object>`"),
            (frames, 'no line says what this is: \'{"stream":"btcusdt@aggTrade"'),
            (record().partition(b"\n")[2], "the record begins in the middle of an hour"),
            (record().replace(b'"history":0', b'"history":-1'), "settings that no run has: --history: -1 given"),
        ):
            self.write(data)
            self.assert_refused(call("replay", RAW, "--data-dir", "again"), told, program=PROGRAM)
            self.assertEqual(self.made(), [RAW])
        self.assert_refused(call("replay", "/dev/null", "--data-dir", "again"), "it is no plain file", program=PROGRAM)
        Path(RAW).write_bytes(record())
        self.assert_refused(call("replay", RAW, "--data-dir", "again"), "can't be unpacked", program=PROGRAM)

    def test_records_of_two_folders(self) -> None:
        """Two of one hour are refused at once, and nothing is made; one that is given twice is one."""
        for name in ("one", "other"):
            Path(name).mkdir()
            self.write(record(), f"{name}/{RAW}")
        ended = call("replay", f"one/{RAW}", f"other/{RAW}", "--data-dir", "again")
        told = f"RAW: one/{RAW} and other/{RAW} given, files of one folder allowed; replay each folder into"
        self.assert_refused(ended, told, program=PROGRAM)
        self.assertFalse(Path("again").exists())
        ended = call("replay", f"one/{RAW}", str(Path(f"one/{RAW}").absolute()), "--data-dir", "again")
        self.assertEqual((ended.status, ended.out), (0, "replayed runs=1 frames=3 rows=3 gaps=0 folder=again\n"))

    def test_a_line_that_is_none(self) -> None:
        """Whatever is wrong with it, it is refused by file and line."""
        lines = record().splitlines(keepends=True)
        frame = next(at for at, line in enumerate(lines) if b'"stream":"' in line)
        stamp = lines[0][:20]
        for at, bad, told in (
            (1, stamp + b'{"aster":"step"\n', "not JSON: "),
            (2, stamp + b'{"aster":"nothing"}\n', "not a line of a record: "),
            (3, stamp + b'{"aster":"batch"}\n', "not a line of a record: "),
            (frame, stamp + b'{"aster":"frame"\n', "not JSON: "),
            (frame + 1, stamp + b'{"stream":"btcusdt@aggTrade"}\n', "no line says what this is: "),
            (len(lines) - 1, b"hello\n", "is not `<19 digits: Unix ns> <JSON object>`: "),
        ):
            self.write(b"".join([*lines[:at], bad, *lines[at + 1 :]]))
            ended = call("replay", RAW, "--data-dir", f"again{at}")
            self.assert_refused(ended, f"RAW: {RAW}: line {at + 1}: {told}", program=PROGRAM)

    def test_an_hour_of_another_folder(self) -> None:
        """It goes on with a run that did not begin in the hours before it; so does one behind an hour left out."""
        for name, began_s in (("one", START_S), ("other", START_S + 60)):
            Path(name).mkdir()
            writer = RawWriter(Path(name), sync=False)
            for after_s in (0, 3600):
                entry = Again(recorded()) if after_s else recorded()
                writer.append(lines_of(Moment(5.0 + after_s, (began_s + after_s) * 10**9), entry))
                writer.flush()
            writer.close()
        told = f"RAW: {LATER}: line 1: is of a run whose first 1 lines are not before it; files of one folder allowed"
        ended = call("replay", f"one/{RAW}", f"other/{LATER}", "--data-dir", "again")
        self.assert_refused(ended, told, program=PROGRAM)
        self.assertEqual(call("replay", f"one/{RAW}", f"one/{LATER}", "--data-dir", "whole").status, 0)

    def test_a_folder_that_is_in_use(self) -> None:
        """It is told who has it, with the status that collecting has for that."""
        self.write(record())
        Path("again").mkdir()
        taken = Lock(Path("again"))
        self.addCleanup(taken.release)
        ended = call("replay", RAW, "--data-dir", "again")
        self.assert_refused(ended, "again belongs to another collector", program=PROGRAM, status=3)

    def test_a_folder_of_another_market(self) -> None:
        """It is refused as a run refuses it."""
        self.write(record())
        Path("again").mkdir()
        Path("again/.market").write_text("spot\n")
        self.assert_refused(call("replay", RAW, "--data-dir", "again"), "again holds spot", program=PROGRAM)

    def test_the_same_twice(self) -> None:
        """What was written is left alone."""
        self.write(record())
        call("replay", RAW, "--data-dir", "again")
        told = "again holds orderbook_BTCUSDT.csv of "
        self.assert_refused(call("replay", RAW, "--data-dir", "again"), told, program=PROGRAM)


if __name__ == "__main__":
    unittest.main()
