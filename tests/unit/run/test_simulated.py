"""What a run recorded of the simulator is read by all that reads a record: the replay, and the simulator itself."""

import hashlib
import tempfile
import unittest
from pathlib import Path

from aster_collect.files.raw_reader import RawLines
from aster_collect.run.replay import Replay, read
from aster_collect.simulator.recording import read as read_frames

SIMULATED = Path(__file__).parents[2] / "frames" / "simulated"
SYMBOLS = {"BTCUSDT", "币安人生USDT"}
KINDS = {
    "futures": ("aggTrade", "bookTicker", "trade", "depth5@100ms", "depth@100ms", "markPrice@1s"),
    "spot": ("aggTrade", "bookTicker", "trade", "depth5@100ms", "depth@100ms"),
}


class TheRecords(unittest.TestCase):
    def test_a_replay(self) -> None:
        """It gives the files that the run wrote, to the last byte."""
        for market in KINDS:
            folder = Path(self.enterContext(tempfile.TemporaryDirectory())) / "again"
            replayed = Replay(folder, {})
            replayed.play(read(list((SIMULATED / market).glob("raw.*"))))
            found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.csv")}
            lines = (SIMULATED / market / "rows.sha256").read_text("utf-8").splitlines()
            self.assertEqual(found, {name: digest for digest, name in map(str.split, lines)}, market)
            self.assertEqual(replayed.notes, [])

    def test_they_are_played_as_an_exchange(self) -> None:
        """Each symbol has its streams, each event once though two connections brought some, and its snapshot."""
        for market, kinds in KINDS.items():
            found = read_frames(SIMULATED / market)
            self.assertLessEqual(
                {f"{symbol.lower()}@{kind}" for symbol in SYMBOLS for kind in kinds}, set(found.tracks)
            )
            self.assertEqual(set(found.snapshots), SYMBOLS)
            texts = [text for track in found.tracks.values() for text in track.texts]
            self.assertEqual(len(texts), len(set(texts)))
            (path,) = (SIMULATED / market).glob("raw.*")
            frames = [text for _, text in RawLines([path]) if text.startswith(b'{"stream"')]
            self.assertGreater(len(frames), len(texts))


if __name__ == "__main__":
    unittest.main()
