"""`health` reads next to nothing and loads next to nothing, and its exit status is what a supervisor reads."""

import json
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from aster_collect import settings
from aster_collect.commands import health
from aster_collect.files.replace import replace_file
from aster_collect.watch.status import status_json
from tests.unit.commands.calls import Folder, call, caught, environment
from tests.unit.watch.snapshots import SECOND, snapshot
from tests.unit.watch.test_health import NOW_S, OLD_NS, link

PROGRAM = "aster-collect health"


class TheCall(Folder):
    def test_a_bad_call(self) -> None:
        """Each bad call ends with status 2 and one line that says what is allowed."""
        for age in ("0", "nan", "inf", "-5", "1e9", "soon", ""):
            told = f"--max-age: {age!r} given, 0.1 to 604800 seconds allowed"
            self.assert_refused(call("health", "--max-age", age), told, program=PROGRAM)
            self.assert_refused(call("health", f"--max-age={age}"), told, program=PROGRAM)
        for words, told in (
            (["--max-age"], "--max-age: '' given, "),
            (["--max", "5"], "--max: no such option; did you mean --max-age?"),
            (["--what"], "--what: no such option"),
            (["-x"], "-x: no such option"),
            (["a", "b"], "'b' given, no further word allowed"),
            ([""], "DIR: '' given, a folder's name allowed"),
            (["a\0b"], "DIR: 'a\\x00b' given, a folder's name allowed"),
        ):
            self.assert_refused(call("health", *words), told, program=PROGRAM)

    def test_help_is_documentation(self) -> None:
        """--help states each exit status and default, whatever else is given."""
        ended = call("health", "--max-age", "soon", "--help")
        self.assertEqual((ended.status, ended.err), (0, ""))
        for part in ("usage: ", "(default: ASTER_data)", "(default: 60)", "  0  every", "  1  something", "  2  a bad"):
            self.assertIn(part, ended.out)

    def test_the_default_folder_is_the_collectors(self) -> None:
        """Without DIR it looks where the collector writes by default."""
        self.assertEqual(health.DATA_DIR, str(settings.DATA_DIR))
        self.assertEqual(health.Arguments().read([]), (health.DATA_DIR, 60.0))
        self.assertEqual(health.Arguments().read(["--max-age=7", "there"]), ("there", 7.0))

    def test_an_error_of_two_lines(self) -> None:
        """What the file says is one line of the output, whatever is in it."""
        said = json.loads(status_json(snapshot(connections=[link(1)], failing_since_ns=OLD_NS)))
        Path("status.json").write_text(json.dumps(said | {"last_error": "one\nhealthy: two \udcff"}), "utf-8")
        ended = caught(lambda: health.run((".", 60.0), now=lambda: NOW_S))
        self.assertEqual((ended.status, ended.out.count("\n"), ended.err), (1, 1, ""))


class TheProgram(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.environment = environment()

    def run_program(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "aster_collect", "health", *words],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=30,
        )  # fmt: skip

    def write(self, age_s: float) -> None:
        """Write a status of now whose one connection is so long silent."""
        now_ns = time.time_ns()
        links = [link(1, last_frame_ns=now_ns - int(age_s * SECOND))]
        data = self.folder / "ASTER_data"
        data.mkdir(exist_ok=True)
        replace_file(data / "status.json", status_json(snapshot(now_ns=now_ns, connections=links)))

    def test_a_supervisor_reads_the_exit_status(self) -> None:
        """In the folder above ASTER_data the bare command tells 1, 0 and 2 by its exit status."""
        self.assertEqual(self.run_program().returncode, 1)
        self.write(0.5)
        ended = self.run_program()
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        self.write(75.0)
        ended = self.run_program("ASTER_data")
        self.assertEqual((ended.returncode, ended.stdout), (1, "connection 1 silent for 75 s, open\n"))
        ended = self.run_program("--max-age", "never")
        self.assertEqual((ended.returncode, ended.stdout), (2, ""))

    def test_it_imports_next_to_nothing(self) -> None:
        """Neither the WebSocket library nor another command is loaded, nor what is slow without byte code."""
        code = "import sys; from aster_collect import cli; cli.main(['health']); print(*sys.modules)"
        ended = subprocess.run(
            [sys.executable, "-c", code],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=30, check=True,
        )  # fmt: skip
        names = set(ended.stdout.split())
        self.assertIn("json", names)
        own = {"cli", "errors", "wording", "commands", "watch", "watch.health"}
        own |= {f"commands.{name}" for name in ("command", "console", "health", "refusals", "statuses")}
        found = {name.removeprefix("aster_collect.") for name in names if name.startswith("aster_collect.")}
        self.assertEqual(found, own)
        slow = {"websocket", "ssl", "socket", "logging", "argparse", "typing", "dataclasses", "pathlib", "difflib"}
        self.assertFalse(names & slow)

    def test_nothing_is_written(self) -> None:
        """It leaves the folder as it was, and needs no right to write there."""
        self.write(0.5)
        before = sorted(self.folder.rglob("*"))
        self.folder.chmod(0o555)
        (self.folder / "ASTER_data").chmod(0o555)
        self.addCleanup(self.folder.chmod, 0o755)
        self.addCleanup((self.folder / "ASTER_data").chmod, 0o755)
        self.assertEqual(self.run_program().returncode, 0)
        self.assertEqual(sorted(self.folder.rglob("*")), before)

    @unittest.skipUnless(Path("/dev/full").exists(), "/dev/full is Linux's")
    def test_nobody_listens(self) -> None:
        """An output that can't be written does not change the exit status."""
        self.write(0.5)
        with Path("/dev/full").open("w") as full:
            command = [sys.executable, "-m", "aster_collect", "health"]
            ended = subprocess.run(command, cwd=self.folder, env=self.environment, stdout=full, timeout=30)
        self.assertEqual(ended.returncode, 0)


if __name__ == "__main__":
    unittest.main()
