"""What starts the collector and looks after it is right: crontab, systemd, supervisord, logrotate."""

import configparser
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from collections.abc import Callable
from datetime import date
from fnmatch import fnmatch
from pathlib import Path

from aster_collect.commands import collect
from aster_collect.commands.statuses import IMPOSSIBLE, LOCKED
from aster_collect.exchange.ledger import LEDGER
from aster_collect.exchange.streams import KINDS
from aster_collect.files.rotate import closed_part
from aster_collect.run.roster import FILES_BESIDE
from aster_collect.run.supervisor import DRAIN_S, FEEDS_END_S
from aster_collect.settings import LIST_MARKETS
from aster_collect.simulator import Simulator
from tests import beside
from tests.support import DEADLINE_S, LOOK_S, PRICES, ROOT, TRADES, last_ms, now_ms

DEPLOY = ROOT / "deploy"
PROGRAM = ["/opt/aster-collect/.venv/bin/python", "-m", "aster_collect"]
DATA = "/var/lib/aster-collect"
PATIENCE_S = DRAIN_S + FEEDS_END_S + 5  # a collector that is stopped may take nearly so long
MANY_SYMBOLS = 1000
OF_SYMBOLS = [kind for kind in KINDS.values() if not kind.whole_folder]
JOB = re.compile(r"((?:\S+ ){4}\S+) (.*)")

# What stands in for the python of the clone: this one, against the exchange of the test.
PYTHON = """\
#!/bin/sh
[ "$2 $3" = "aster_collect health" ] || set -- "$@" --ws-url {ws_url} --rest-url {rest_url} --flush-interval 0.2 {more}
exec {python} -B "$@"
"""


def read(name: str) -> configparser.ConfigParser:
    """Return a file of sections and `key=value` lines; of a key that comes twice the last one counts."""
    parser = configparser.ConfigParser(delimiters=("=",), comment_prefixes=("#", ";"), strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(DEPLOY / name, "utf-8")
    return parser


def jobs() -> list[tuple[str, str]]:
    """Return the times and the command of each of the crontab's lines."""
    lines = (DEPLOY / "crontab").read_text("utf-8").splitlines()
    return [match.groups() for line in lines if line[:1] != "#" and (match := JOB.fullmatch(line))]


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Block until a condition holds."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {DEADLINE_S:g} s for: {what}")
        time.sleep(LOOK_S)


class ACrontab(unittest.TestCase):
    """Its lines are run as they stand, by the shell, in a home with a clone."""

    def setUp(self) -> None:
        self.home = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="aster-test-")))
        self.exchange = self.enterContext(Simulator(LIST_MARKETS, 1000.0))
        self.clone = self.home / "aster-collect"
        (self.clone / ".venv" / "bin").mkdir(parents=True)
        (self.clone / "aster_collect").symlink_to(ROOT / "aster_collect")
        self.put_python("")
        self.owner, self.window, self.health = (command for _, command in jobs())

    def put_python(self, more: str) -> None:
        """Make the clone's python, which hands these options on to the collector."""
        urls = {"ws_url": self.exchange.ws_url, "rest_url": self.exchange.rest_url}
        python = self.clone / ".venv" / "bin" / "python"
        python.write_text(PYTHON.format(python=shlex.quote(sys.executable), more=more, **urls), "utf-8")
        python.chmod(0o755)

    def start(self, command: str) -> subprocess.Popen[str]:
        """Start a command as cron does: by /bin/sh, in the home, with next to no environment."""
        process = subprocess.Popen(
            ["/bin/sh", "-c", command],
            cwd=self.home,
            env={"HOME": str(self.home), "PATH": os.environ["PATH"], "SHELL": "/bin/sh"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.addCleanup(self.end, process)
        return process

    def end(self, process: subprocess.Popen[str]) -> None:
        """End what is left of a command."""
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=DEADLINE_S)

    def owner_pid(self) -> int:
        """Return the process id of the folder's owner, 0 before there is one."""
        lock = self.clone / "ASTER_data" / ".lock"
        return int(lock.read_text() or 0) if lock.exists() else 0

    def wait_for_rows(self, since_ms: int = 0) -> None:
        for kind in (PRICES, TRADES):
            path = self.clone / "ASTER_data" / f"{kind}_BTCUSDT.csv"
            wait_for(lambda path=path: last_ms(path) >= since_ms, f"a row in {path.name}")

    def run_through(self, command: str) -> tuple[int, str]:
        """Run a command to its end, and return its status and what cron would mail."""
        process = self.start(command)
        said, _ = process.communicate(timeout=DEADLINE_S)
        return process.returncode, said

    def test_the_line_of_every_minute_run_three_times_starts_one_collector(self) -> None:
        """Of three at once one collects and two end with 3, silently; one that was killed is started again."""
        three = [self.start(self.owner) for _ in range(3)]
        wait_for(lambda: sum(one.poll() is None for one in three) == 1, "two that end")
        self.assertEqual(sorted(one.returncode for one in three if one.returncode is not None), [LOCKED, LOCKED])
        self.wait_for_rows()
        first = self.owner_pid()
        self.assertEqual((self.clone / "collector.log").read_text("utf-8"), "", "each minute a line of no news")
        self.assertEqual(self.run_through(self.owner), (LOCKED, ""))

        os.kill(first, signal.SIGKILL)
        wait_for(lambda: all(one.poll() is not None for one in three), "the end of the one that was killed")
        again = self.start(self.owner)
        self.wait_for_rows(now_ms())
        os.kill(self.owner_pid(), signal.SIGTERM)
        self.assertEqual(again.wait(DEADLINE_S), 0)

    def test_a_bounded_window_beside_the_one_that_goes_on(self) -> None:
        """The line with --duration ends by itself with 0, and has files of its own."""
        self.assertIn(" --duration ", self.window)
        running = self.start(self.owner)
        self.wait_for_rows()
        self.put_python("--duration 5")  # the last one counts
        self.assertEqual(self.run_through(self.window), (0, ""))
        self.assertGreater(last_ms(self.clone / "ASTER_data" / "window" / "prices_BTCUSDT.csv"), 0)
        os.kill(self.owner_pid(), signal.SIGTERM)
        self.assertEqual(running.wait(DEADLINE_S), 0)

    def test_cron_mails_what_is_wrong_and_nothing_else(self) -> None:
        """The health line says why where nothing is collected, and is silent where all is well."""
        status, said = self.run_through(self.health)
        self.assertEqual((status, said.count("\n")), (0, 1))
        self.assertIn("status.json missing", said)
        running = self.start(self.owner)
        self.wait_for_rows()
        wait_for(
            lambda: self.run_through(self.health) == (0, ""), "silence"
        )  # as soon as status.json says that data came
        os.kill(self.owner_pid(), signal.SIGTERM)
        self.assertEqual(running.wait(DEADLINE_S), 0)

    def test_a_percent_sign_ends_a_line_of_a_crontab(self) -> None:
        """Every line is five times and a command, without the sign that cron takes for a newline."""
        lines = [line for line in (DEPLOY / "crontab").read_text("utf-8").splitlines() if line[:1] != "#"]
        self.assertEqual(len(jobs()), len(lines))
        for times, command in jobs():
            self.assertRegex(times, r"^[-0-9*/,]+( [-0-9*/,]+){4}$")
            self.assertNotIn("%", command)


class AUnit(unittest.TestCase):
    def setUp(self) -> None:
        self.unit = read("aster-collect.service")
        self.service = self.unit["Service"]

    def test_it_starts_the_program_in_the_folder_that_it_may_write(self) -> None:
        """The command is one that the program takes, and its data folder is the only one that is not read-only."""
        command = shlex.split(self.service["ExecStart"])
        self.assertEqual(command[: len(PROGRAM)], PROGRAM)
        self.assertEqual(command.pop(), "$ASTER_ARGS")
        given = collect.grammar().read([*command[len(PROGRAM) :], "BTCUSDT", "--rotate", "day"])
        self.assertEqual(str(given.data_dir), DATA)
        self.assertEqual(self.service["ReadWritePaths"], DATA)
        self.assertEqual(f"/var/lib/{self.service['StateDirectory']}", DATA)
        self.assertEqual(self.service["WorkingDirectory"], PROGRAM[0].removesuffix("/.venv/bin/python"))
        self.assertEqual(self.unit["Install"]["WantedBy"], "multi-user.target")

    def test_what_can_not_be_mended_is_not_started_again(self) -> None:
        """Failures are, without end, but not an impossible request, nor a folder that another one owns."""
        self.assertEqual(self.service["Restart"], "on-failure")
        self.assertEqual(set(map(int, self.service["RestartPreventExitStatus"].split())), {IMPOSSIBLE, LOCKED})
        self.assertEqual(self.unit["Unit"]["StartLimitIntervalSec"], "0")
        self.assertGreaterEqual(int(self.service["RestartSec"]), 5)

    def test_the_last_rows_are_not_killed(self) -> None:
        """It is stopped by the signal that drains, and waited for longer than that may take."""
        self.assertEqual(self.service["KillSignal"], "SIGTERM")
        self.assertGreater(int(self.service["TimeoutStopSec"]), PATIENCE_S)

    def test_a_reload_reopens_the_files(self) -> None:
        """What `systemctl reload` does is SIGHUP to the program."""
        self.assertEqual(shlex.split(self.service["ExecReload"]), ["/bin/kill", "-HUP", "$MAINPID"])

    def test_a_break_in_finds_little(self) -> None:
        """The service has no rights but to write its folder and to speak to the exchange."""
        for key in (
            "LockPersonality", "MemoryDenyWriteExecute", "NoNewPrivileges", "PrivateDevices", "PrivateTmp",
            "ProtectClock", "ProtectControlGroups", "ProtectHome", "ProtectHostname", "ProtectKernelLogs",
            "ProtectKernelModules", "ProtectKernelTunables", "RestrictNamespaces", "RestrictRealtime",
            "RestrictSUIDSGID",
        ):  # fmt: skip
            self.assertEqual(self.service[key], "yes", key)
        self.assertEqual(self.service["ProtectSystem"], "strict")
        self.assertEqual(self.service["CapabilityBoundingSet"], "")
        self.assertEqual(self.service["RestrictAddressFamilies"].split(), ["AF_INET", "AF_INET6", "AF_UNIX"])
        self.assertNotIn(self.service["User"], ("", "root"))

    def test_the_whole_exchange_has_open_files_enough(self) -> None:
        """The limit holds the files of far more symbols than the exchange has."""
        self.assertGreaterEqual(int(self.service["LimitNOFILE"]), (len(KINDS) + 1) * MANY_SYMBOLS + FILES_BESIDE)


class ASupervisor(unittest.TestCase):
    def setUp(self) -> None:
        self.program = read("supervisord.conf")["program:aster-collect"]

    def test_it_starts_the_program(self) -> None:
        """The command is one that the program takes."""
        command = shlex.split(self.program["command"])
        self.assertEqual(command[: len(PROGRAM)], PROGRAM)
        self.assertEqual(str(collect.grammar().read(command[len(PROGRAM) :]).data_dir), DATA)
        self.assertEqual(self.program["directory"], PROGRAM[0].removesuffix("/.venv/bin/python"))
        self.assertNotIn(self.program["user"], ("", "root"))

    def test_what_can_not_be_mended_is_not_started_again(self) -> None:
        """Failures are, but no expected end; and an end is expected however soon it comes."""
        self.assertEqual(self.program["autorestart"], "unexpected")
        self.assertEqual(set(map(int, self.program["exitcodes"].split(","))), {0, IMPOSSIBLE, LOCKED})
        self.assertEqual(self.program["startsecs"], "0")

    def test_the_last_rows_are_not_killed(self) -> None:
        """It is stopped by the signal that drains, and waited for longer than that may take."""
        self.assertEqual(self.program["stopsignal"], "TERM")
        self.assertGreater(int(self.program["stopwaitsecs"]), PATIENCE_S)


class ALogrotate(unittest.TestCase):
    def setUp(self) -> None:
        text = re.sub(r"^#.*\n", "", (DEPLOY / "logrotate").read_text("utf-8"), flags=re.MULTILINE)
        globs, _, body = text.partition("{")
        self.globs = globs.split()
        self.words = [line.strip() for line in body.partition("}")[0].splitlines() if line.strip()]

    def matched(self, name: str) -> bool:
        return any(fnmatch(f"{DATA}/{name}", glob) for glob in self.globs)

    def test_every_growing_file_and_no_other_is_rotated(self) -> None:
        """A symbol's files are, its ledger and what is of all symbols are not, and no file is rotated again."""
        for kind in OF_SYMBOLS:
            name = kind.file_name("BTCUSDT")
            self.assertTrue(self.matched(name), name)
            self.assertFalse(self.matched(self.rotated(name)))
            self.assertFalse(self.matched(self.rotated(name) + ".gz"))
        of_all = [kind.file_name("") for kind in KINDS.values() if kind not in OF_SYMBOLS]
        for name in (LEDGER.file_name("BTCUSDT"), *of_all, "status.json", "rejects.jsonl"):
            self.assertFalse(self.matched(name), name)

    def rotated(self, name: str) -> str:
        """Return the name that logrotate gives to a file: its form of the date before the extension."""
        options = dict(word.partition(" ")[::2] for word in self.words)
        stem = name.removesuffix(options["extension"])
        return stem + date(2026, 11, 22).strftime(options["dateformat"]) + options["extension"]

    def test_a_restart_knows_what_was_rotated(self) -> None:
        """The names are those of --rotate, so that trades go on behind the last one."""
        for kind in OF_SYMBOLS:
            part = closed_part(self.rotated(kind.file_name("BTCUSDT")))
            assert part is not None
            self.assertEqual((part.kind, part.symbol, part.period), (kind.name, "BTCUSDT", "2026-11-22"))

    def test_rows_that_are_written_after_the_renaming(self) -> None:
        """The collector is told, and a file is compressed a round later, when nobody writes to it any more."""
        self.assertIn("delaycompress", self.words)
        self.assertIn("nocreate", self.words)
        self.assertIn("rotate -1", self.words)
        self.assertNotIn("copytruncate", self.words)
        self.assertEqual(self.words[self.words.index("postrotate") + 1], "systemctl reload aster-collect")


load_tests = beside.load_tests

if __name__ == "__main__":
    unittest.main()
