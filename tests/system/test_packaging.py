"""What surrounds the program fits it: the container, the package, the earlier script's name."""

import ast
import configparser
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest
from pathlib import Path

from aster_collect import __version__
from aster_collect.exchange.streams import KINDS
from aster_collect.files.replace import replace_file
from aster_collect.run.roster import FILES_BESIDE
from aster_collect.run.supervisor import DRAIN_S, FEEDS_END_S
from aster_collect.settings import LIST_MARKETS
from aster_collect.simulator import Simulator
from aster_collect.watch.status import status_json
from tests import beside
from tests.unit.watch.snapshots import SECOND, snapshot
from tests.unit.watch.test_health import link

ROOT = Path(__file__).resolve().parents[2]


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions in order, continued lines joined."""
    text = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def service(text: str) -> dict[str, str]:
    """Return the settings of compose's one service; what stands in lines of its own below a name has `name.name`."""
    found: dict[str, str] = {}
    above = ""
    for line in text.partition("  data-collector:\n")[2].splitlines():
        name, _, value = line.strip().partition(": ")
        if line.startswith("    ") and line[4] != " ":
            above = name.removesuffix(":")
            found[above] = value
        else:
            found[f"{above}.{name}"] = value
    return found


class AContainer(unittest.TestCase):
    def setUp(self) -> None:
        self.said = dict(instructions())  # the last one of each word
        self.compose = (ROOT / "docker-compose.yml").read_text("utf-8")
        self.service = service(self.compose)

    def test_docker_stop_reaches_the_program_itself(self) -> None:
        """The entry point is in exec form, so that the program is PID 1 and gets the signal, not a shell."""
        self.assertEqual(json.loads(self.said["ENTRYPOINT"]), ["python", "-m", "aster_collect"])
        self.assertEqual(self.said["STOPSIGNAL"], "SIGTERM")
        self.assertNotIn("CMD", self.said)

    def test_root_is_given_up_for_good(self) -> None:
        """The user is a number, which a supervisor can see not to be root, and no RUN stands behind it."""
        self.assertRegex(self.said["USER"], r"^1000(:1000)?$")
        words = [word for word, _ in instructions()]
        self.assertNotIn("RUN", words[words.index("USER") :])

    def test_read_only_leaves_one_folder_to_write_to(self) -> None:
        """The data folder is a volume below the working directory, and Python writes no byte code."""
        folder = f"{self.said['WORKDIR']}/ASTER_data"
        self.assertEqual(json.loads(self.said["VOLUME"]), [folder])
        self.assertIn("PYTHONDONTWRITEBYTECODE=1", self.said["ENV"])
        self.assertIn("PYTHONUNBUFFERED=1", self.said["ENV"])
        self.assertIn(f"./ASTER_data:{folder}\n", self.compose)

    def test_a_swapped_package_does_not_get_in(self) -> None:
        """The image installs by hash, and every requirement has hashes: of a wheel and of the source."""
        self.assertIn("--require-hashes", self.said["RUN"])
        for name in ("requirements.txt", "requirements-parquet.txt"):
            text = (ROOT / name).read_text("utf-8").replace("\\\n", " ")
            for line in text.splitlines():
                self.assertRegex(line, r"^[a-z-]+==[0-9.]+( +--hash=sha256:[0-9a-f]{64}){2,}$")

    def test_the_image_holds_what_runs(self) -> None:
        """What is copied is let through by .dockerignore, which lets nothing else through."""
        copied = {name for word, rest in instructions() if word == "COPY" for name in rest.split()[:-1]}
        ignore = (ROOT / ".dockerignore").read_text("utf-8").split()
        self.assertEqual(ignore[0], "*")
        self.assertEqual({line[1:] for line in ignore if line.startswith("!")}, copied)
        for name in copied:
            self.assertTrue((ROOT / name).exists(), name)

    def test_the_last_rows_are_not_killed(self) -> None:
        """Compose waits longer than the drain may take."""
        found = re.search(r"stop_grace_period: ([0-9]+)s\n", self.compose)
        assert found is not None
        self.assertGreater(int(found[1]), DRAIN_S + FEEDS_END_S + 5)

    def test_a_machine_that_restarts_collects_again(self) -> None:
        """Compose names the service, restarts it, bounds its logs and takes its arguments from one variable."""
        for line in (
            "  data-collector:",
            "    command: ${ASTER_ARGS:-}",
            "    restart: unless-stopped",
            '    user: "1000:1000"',
        ):
            self.assertIn(line + "\n", self.compose)
        self.assertRegex(self.compose, r"max-size: [0-9]+m\n")

    def test_a_break_in_finds_nothing(self) -> None:
        """Compose gives the container no capability, no new privilege, no file of its own, and part of the machine."""
        self.assertEqual(self.service["read_only"], "true")
        self.assertEqual(self.service["cap_drop"], "[ALL]")
        self.assertEqual(self.service["security_opt"], '["no-new-privileges:true"]')
        self.assertRegex(self.service["mem_limit"], r"^[1-9][0-9]*[mg]$")
        self.assertGreater(int(self.service["pids_limit"]), 0)
        self.assertGreaterEqual(int(self.service["ulimits.nofile"]), (len(KINDS) + 1) * 1000 + FILES_BESIDE)

    def test_compose_asks_for_health_as_the_image_does(self) -> None:
        """Both name the same command and the same times."""
        options, _, command = self.said["HEALTHCHECK"].partition(" CMD ")
        self.assertEqual(json.loads(self.service["healthcheck.test"]), ["CMD", *json.loads(command)])
        for name, value in re.findall(r"--([a-z-]+)=(\w+)", options):
            self.assertEqual(self.service[f"healthcheck.{name.replace('-', '_')}"], value, name)

    def test_a_container_that_went_silent_is_unhealthy(self) -> None:
        """The image's health check, run in its folder, which can't be written to, finds the volume's status.json."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "aster_collect").symlink_to(ROOT / "aster_collect")
            data = folder / Path(json.loads(self.said["VOLUME"])[0]).relative_to(self.said["WORKDIR"])
            data.mkdir()
            for silent_s, expected in ((1, 0), (3600, 1)):
                now_ns = time.time_ns()
                links = [link(1, last_frame_ns=now_ns - silent_s * SECOND)]
                replace_file(data / "status.json", status_json(snapshot(now_ns=now_ns, connections=links)))
                before = sorted(folder.rglob("*"))
                for path in (data, folder):
                    path.chmod(0o555)
                self.assertEqual(self.health(folder), expected)
                for path in (folder, data):
                    path.chmod(0o755)
                self.assertEqual(sorted(folder.rglob("*")), before)

    def health(self, folder: Path) -> int:
        """Return the exit status of the image's health check in a folder."""
        command = json.loads(self.said["HEALTHCHECK"].partition(" CMD ")[2])
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        environment.pop("PYTHONPATH", None)
        self.assertEqual(command[0], "python")
        ended = subprocess.run(
            [sys.executable, *command[1:]], cwd=folder, env=environment, capture_output=True, timeout=60, check=False
        )
        return ended.returncode


class AnInstalledPackage(unittest.TestCase):
    def setUp(self) -> None:
        self.setup = configparser.ConfigParser()
        self.setup.read(ROOT / "setup.cfg", "utf-8")

    def test_the_command_starts_the_program(self) -> None:
        """The console script names a function that is there."""
        scripts = self.setup["options.entry_points"]["console_scripts"].split("\n")
        name, module, function = re.split(r"\s*[=:]\s*", next(filter(None, scripts)))
        self.assertEqual(name, "aster-collect")
        self.assertTrue(callable(getattr(importlib.import_module(module), function)))

    def test_every_file_that_it_names_is_there(self) -> None:
        """The long description and the licence are files of the repository."""
        metadata = self.setup["metadata"]
        for name in (metadata["long_description"].removeprefix("file:").strip(), metadata["license_files"]):
            self.assertTrue((ROOT / name).is_file(), name)

    def test_a_type_checker_takes_its_hints(self) -> None:
        """The package ships the marker of PEP 561, and the classifiers say so."""
        self.assertIn("py.typed", self.setup["options.package_data"]["aster_collect"].split())
        self.assertTrue((ROOT / "aster_collect" / "py.typed").is_file())
        self.assertIn("Typing :: Typed", self.setup["metadata"]["classifiers"].splitlines())

    def test_one_dependency(self) -> None:
        """What the package requires is what requirements.txt pins, and nothing else; so it is with the extra."""
        for listed, name in (
            (self.setup["options"]["install_requires"], "requirements.txt"),
            (self.setup["options.extras_require"]["parquet"], "requirements-parquet.txt"),
        ):
            wanted = re.findall(r"^([a-z-]+)", listed.strip(), re.MULTILINE)
            pinned = re.findall(r"^([a-z-]+)==", (ROOT / name).read_text("utf-8"), re.MULTILINE)
            self.assertEqual(wanted, pinned)

    def test_the_changelog_knows_the_version(self) -> None:
        """The version has an entry in the changelog."""
        self.assertIn(f"\n## [{__version__}]", (ROOT / "CHANGELOG.md").read_text("utf-8"))


class TheSourceDistribution(unittest.TestCase):
    def test_its_tests_can_be_run(self) -> None:
        """What is built has all of the tests and what they read, and some of them pass in it."""
        with tempfile.TemporaryDirectory() as name:
            source, built = Path(name) / "source", Path(name) / "built"
            beside = shutil.ignore_patterns(
                ".*_cache", ".git", ".venv", "*.egg-info", "__pycache__", "ASTER_data", "build"
            )
            shutil.copytree(ROOT, source, ignore=beside)
            built.mkdir()
            build = f"from setuptools import build_meta; build_meta.build_sdist({str(built)!r})"
            subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True, timeout=60)
            (archive,) = built.iterdir()
            with tarfile.open(archive) as files:
                files.extractall(built, filter="data")
            (unpacked,) = (path for path in built.iterdir() if path.is_dir())
            wanted = [path for folder in ("tests", "docs", "deploy", ".ci") for path in (source / folder).rglob("*")]
            wanted += [path for path in source.iterdir() if path.suffix in (".md", ".txt", ".py", ".yml", ".toml")]
            missing = [str(path) for path in wanted if not (unpacked / path.relative_to(source)).exists()]
            self.assertEqual(missing, [])
            environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
            command = [
                sys.executable,
                "-B",
                "-m",
                "unittest",
                "tests.unit.exchange.test_decoder",
                "tests.system.test_packaging.AContainer",
            ]
            ended = subprocess.run(command, cwd=unpacked, env=environment, capture_output=True, text=True, timeout=60)
            self.assertEqual(ended.returncode, 0, ended.stderr)


class TheEarlierScript(unittest.TestCase):
    def test_its_command_is_the_same_program(self) -> None:
        """data_collector.py answers from any folder as `python -m aster_collect` does."""
        script = ROOT / "data_collector.py"
        with tempfile.TemporaryDirectory() as folder:
            for arguments in (["--version"], ["BTCUSDT", "--order-book-levels", "7"]):
                earlier = subprocess.run(
                    [sys.executable, "-B", script, *arguments], cwd=folder, capture_output=True, text=True, timeout=60
                )
                module = subprocess.run(
                    [sys.executable, "-B", "-m", "aster_collect", *arguments],
                    cwd=ROOT,
                    capture_output=True,
                    text=True,
                    timeout=60,
                )
                self.assertEqual(
                    (earlier.returncode, earlier.stdout, earlier.stderr),
                    (module.returncode, module.stdout, module.stderr),
                )
            self.assertEqual(list(Path(folder).iterdir()), [])

    def edited(self, folder: Path, markets: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the script in a folder, beside the package, with another list at its top."""
        (folder / "aster_collect").symlink_to(ROOT / "aster_collect")
        text = (ROOT / "data_collector.py").read_text("utf-8")
        text, count = re.subn(r"^LIST_MARKETS = \[.*\]$", f"LIST_MARKETS = {markets}", text, flags=re.MULTILINE)
        self.assertEqual(count, 1)
        (folder / "data_collector.py").write_text(text, "utf-8")
        command = [sys.executable, "-B", "data_collector.py", *words]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)

    def test_its_list_is_what_it_collects(self) -> None:
        """The edited list at its top is collected where no symbols are given, and nothing of the package's list."""
        with tempfile.TemporaryDirectory() as name, Simulator(["SOLUSDT", "BTCUSDT", "ETHUSDT"]) as exchange:
            urls = ("--ws-url", exchange.ws_url, "--rest-url", exchange.rest_url)
            ended = self.edited(Path(name), '["solusdt", "ETHUSDT"]', *urls, "--duration", "5")
            self.assertEqual(ended.returncode, 0, ended.stderr)
            files = {path.name for path in Path(name, "ASTER_data").glob("prices_*.csv")}
            self.assertEqual(files, {"prices_SOLUSDT.csv", "prices_ETHUSDT.csv"})

    def test_a_list_that_somebody_broke(self) -> None:
        """What is no list of symbols is one line that names it, and nothing is made."""
        with tempfile.TemporaryDirectory() as name:
            ended = self.edited(Path(name), '["BTCUSDT", "eth/usdt"]')
            self.assertEqual((ended.returncode, ended.stdout), (2, ""))
            self.assertRegex(ended.stderr, r"^aster-collect: LIST_MARKETS: 'eth/usdt' given, [^\n]*\n$")
            self.assertEqual({path.name for path in Path(name).iterdir()}, {"aster_collect", "data_collector.py"})

    def test_its_list_is_at_its_top(self) -> None:
        """Under its first words the script has the list, the package's markets to begin with, and then one call."""
        said, markets, call = ast.parse((ROOT / "data_collector.py").read_text("utf-8")).body
        self.assertIsInstance(said, ast.Expr)
        assert isinstance(markets, ast.Assign)
        self.assertEqual(ast.unparse(markets.targets[0]), "LIST_MARKETS")
        self.assertEqual(ast.literal_eval(markets.value), LIST_MARKETS)
        self.assertIsInstance(call, ast.If)


class TheContinuousCheck(unittest.TestCase):
    def test_it_can_be_run(self) -> None:
        """.ci/run is executable, is bash without errors of syntax, and reads the README's command."""
        script = ROOT / ".ci" / "run"
        self.assertTrue(script.stat().st_mode & 0o100)
        subprocess.run(["bash", "-n", script], check=True, timeout=60)
        pattern = re.search(r"-E '(.*?)' README\.md", script.read_text("utf-8"))
        assert pattern is not None
        found = re.findall(pattern[1], (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
        self.assertEqual(len(found), 1)

    def test_every_tool_is_pinned(self) -> None:
        """Tools and test packages have exact versions."""
        for name in ("requirements-dev.txt", "requirements-test.txt"):
            for line in (ROOT / name).read_text("utf-8").splitlines():
                self.assertRegex(line, r"^[A-Za-z0-9_-]+==[0-9.]+$")


load_tests = beside.load_tests
