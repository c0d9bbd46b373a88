"""A ban is obeyed to its end, by a later run too, and by all connections."""

import json
import logging
import tempfile
import unittest
from pathlib import Path

from aster_collect.net.bans import BANNED_NAME, HANDSHAKES, REST, Bans, Handshakes
from aster_collect.verify import check_folder


class Case(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.path = self.folder / BANNED_NAME
        self.now_s = 1_764_000_000.0
        logger = logging.getLogger("aster_collect.net.bans")
        self.addCleanup(logger.setLevel, logger.level)
        logger.setLevel(logging.CRITICAL)

    def wall(self) -> float:
        return self.now_s

    def start(self) -> Bans:
        """Return what a run that starts now knows."""
        return Bans(self.folder, wall=self.wall)


class Restarts(Case):
    def test_no_ban(self) -> None:
        """Without a ban there is no file."""
        self.assertEqual((self.start().left_s(REST), list(self.folder.iterdir())), (0.0, []))

    def test_a_run_that_starts_within_it(self) -> None:
        """A later run knows what is left of each interface's ban, and why."""
        bans = self.start()
        bans.begin(REST, 600.0, "host: 418")
        bans.begin(HANDSHAKES, 60.0, "handshake: 429")
        self.now_s += 100
        later = self.start()
        self.assertEqual((later.left_s(REST), later.left_s(HANDSHAKES)), (500.0, 0.0))
        logging.getLogger("aster_collect.net.bans").setLevel(logging.WARNING)
        with self.assertLogs("aster_collect.net.bans", "WARNING") as logs:
            self.start()
        self.assertEqual(
            ["still banned interface=rest left_s=500 why=host: 418"], [r.getMessage() for r in logs.records]
        )

    def test_a_run_that_starts_after_it(self) -> None:
        """A ban that is over takes its file along at the next start."""
        self.start().begin(REST, 600.0, "host: 418")
        self.now_s += 601
        self.assertEqual(self.start().left_s(REST), 0.0)
        self.assertFalse(self.path.exists())

    def test_a_clock_that_was_set_back(self) -> None:
        """A clock set back by a year makes a ban no longer than it was, and none longer than three days."""
        self.start().begin(REST, 600.0, "host: 418")
        self.now_s -= 365 * 86_400
        self.assertEqual(self.start().left_s(REST), 600.0)
        self.path.write_text(json.dumps({REST: {"until_unix_s": 1e300, "seconds": 1e300, "why": ""}}))
        self.assertEqual(self.start().left_s(REST), 3 * 86_400)

    def test_a_file_that_somebody_broke(self) -> None:
        """Whatever stands in the file, a run starts, and a ban that comes is kept again."""
        for odd in (
            b"", b"\0" * 100, b"[]", b"{", b"7", b'{"rest": 7}', b'{"rest": {}}', b"[" * 5000, b"\xff",
            b'{"rest": {"until_unix_s": "x", "seconds": 1, "why": ""}}',
            b'{"rest": {"until_unix_s": NaN, "seconds": NaN, "why": ""}}',
            b'{"rest": {"until_unix_s": 9e99, "seconds": -1, "why": ""}}',
        ):  # fmt: skip
            self.path.write_bytes(odd)
            bans = self.start()
            self.assertEqual(bans.left_s(REST), 0.0, odd)
        bans.begin(REST, 600.0, "host: 418")
        self.assertEqual(self.start().left_s(REST), 600.0)

    def test_a_folder_that_is_gone(self) -> None:
        """A ban that can't be kept is obeyed by this run all the same."""
        bans = Bans(self.folder / "gone", wall=self.wall)
        bans.begin(REST, 600.0, "host: 418")
        self.assertEqual(bans.left_s(REST), 600.0)

    def test_the_folder_is_verified(self) -> None:
        """The file is no data, and does not keep `verify` from its work."""
        self.start().begin(REST, 600.0, "host: 418")
        (self.folder / "trades_A.csv").write_text("id,unix_timestamp_ms,side,price,quantity\n1,1764000000000,buy,1,1\n")
        (self.folder / "gaps_A.csv").write_text(
            "stream,from_unix_timestamp,to_unix_timestamp,first_missing_id,last_missing_id,cause\n"
        )
        self.assertEqual(check_folder(self.folder).total, 0)


class Connections(Case):
    def test_one_is_banned(self) -> None:
        """A handshake that is banned keeps all connections from trying, in the next run too."""
        bans = self.start()
        handshakes = Handshakes(bans, 60, clock=lambda: 50.0)
        self.assertEqual(handshakes.take(), 0.0)
        handshakes.banned(600.0, "handshake: 418")
        self.assertEqual(handshakes.take(), 600.0)
        self.now_s += 100
        self.assertEqual(Handshakes(self.start(), 60, clock=lambda: 7.0).take(), 500.0)


if __name__ == "__main__":
    unittest.main()
