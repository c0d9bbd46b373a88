"""`verify` says what it found, or in one line why it said nothing."""

import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

from tests.unit.commands.calls import Folder, call, environment

PROGRAM = "aster-collect verify"
GOOD = {
    "trades_BTCUSDT.csv": "id,unix_timestamp_ms,side,price,quantity\n7,1795363440487,buy,1.5,2\n",
    "gaps_BTCUSDT.csv": "stream,from_unix_timestamp,to_unix_timestamp,first_missing_id,last_missing_id,cause\n",
}


class Verify(Folder):
    def write(self, **changed: str) -> None:
        """Write a folder whose promises hold, but for what is changed."""
        for name, text in {**GOOD, **changed}.items():
            Path(name).write_text(text, "ascii")

    def test_what_it_found(self) -> None:
        """It is a table, or an object, with the exit status for it."""
        self.write()
        ended = call("verify", ".")
        self.assertEqual((ended.status, ended.err), (0, ""))
        self.assertTrue(ended.out.endswith("\nall promises hold: 1 rows in 2 files\n"), ended.out)
        self.assertEqual(json.loads(call("verify", ".", "--json").out)["rows"], 1)
        with Path("trades_BTCUSDT.csv").open("a") as file:
            file.write("9,17953634405")
        self.assertEqual(call("verify", ".").status, 1)
        self.assertEqual(call("verify", ".", "--live").status, 0)

    def test_a_bad_call(self) -> None:
        """Each proves nothing, and says so in one line and by status 2."""
        for words, told in (
            (["none"], "none: No such file or directory; give the folder"),
            ([""], "DIR: '' given, a folder's name allowed"),
            ([".", "there"], "'there' given, no further word allowed"),
            (["--upwards"], "--upwards: no such option; 'aster-collect verify --help' lists them"),
            (["--jsno"], "--jsno: no such option; did you mean --json?"),
            (["--json=x"], "--json: a value given, no value allowed"),
        ):
            self.assert_refused(call("verify", *words), told, program=PROGRAM)

    def ends(self, output: int | None, *words: str) -> tuple[int, str]:
        """Return the exit status and the complaints of the program, whose output goes there."""
        command = [sys.executable, "-m", "aster_collect", *words]
        ended = subprocess.run(
            command, stdout=output, stderr=subprocess.PIPE, env=environment(), text=True, timeout=60, check=False
        )
        return ended.returncode, ended.stderr

    @unittest.skipUnless(Path("/dev/full").exists(), "/dev/full is Linux's")
    def test_an_output_on_a_full_disk(self) -> None:
        """It is one line and status 2, for a report as for a help text: who reads only the status is not misled."""
        self.write()
        why = f"standard output: {os.strerror(28)}; lead it where there is room\n"
        with Path("/dev/full").open("w") as full:
            for words in (["."], [".", "--json"], ["--help"], ["--version"]):
                self.assertEqual(self.ends(full.fileno(), "verify", *words), (2, f"{PROGRAM}: {why}"), words)

    def test_a_reader_that_has_read_enough(self) -> None:
        """A pipe that is closed at its other end is no fault, and the exit status is that of the proof."""
        self.write()
        reads, writes = os.pipe()
        os.close(reads)
        try:
            self.assertEqual(self.ends(writes, "verify", "."), (0, ""))
        finally:
            os.close(writes)

    @unittest.skipUnless(Path("/dev/full").exists(), "/dev/full is Linux's")
    def test_a_complaint_that_nobody_can_read(self) -> None:
        """The exit status says it then, and is the one that it would be."""
        with Path("/dev/full").open("w") as full:
            ended = subprocess.run(
                [sys.executable, "-m", "aster_collect", "verify", "--upwards"],
                stdout=full, stderr=full, env=environment(), timeout=60, check=False,
            )  # fmt: skip
        self.assertEqual(ended.returncode, 2)


if __name__ == "__main__":
    unittest.main()
