"""What a million frames cost: the whole program against a flood of real shapes, and a floor in the same run.

    python -m tests.benchmark            everything, medians of 3 runs (about 8 minutes)
    python -m tests.benchmark --quick    2 symbols and the floor, one run (under a minute); fails if a row is missing

Not collected by unittest. Ratios count: machines differ, and so does one machine from minute to minute.
"""

import argparse
import bisect
import csv
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from aster_collect.exchange.form import Form
from aster_collect.exchange.ledger import LEDGER
from aster_collect.exchange.streams import DEFAULT, KINDS
from aster_collect.exchange.streams.kind import Options
from aster_collect.exchange.subscribe import Scope, plan_groups
from aster_collect.exchange.venues import FUTURES
from tests.flood import BLOCK_FRAMES, FIRST_TRADE, HISTORY, HISTORY_MS, cut, fill, make_block
from tests.fullbook import measure

TLS = (str(Path(__file__).parent / "tls" / "cert.pem"), str(Path(__file__).parent / "tls" / "key.pem"))
TWO = ["BTCUSDT", "ETHUSDT"]
OPTIONS = Options(levels=20)
START_UP_S = 1.0  # left out of the CPU share at a pace
MANY = [f"S{number:03d}USDT" for number in range(200)]


class Run(NamedTuple):
    """One run of the whole program: per million frames, and as measured."""

    frames: int
    cpu_s: float
    wall_s: float
    peak_mb: float
    growth_mb: float
    start_s: float
    share: float
    expected: int
    written: int
    waits_ms: list[float]
    stamps_ms: list[float]

    @property
    def cpu_a_million(self) -> float:
        """CPU seconds, user and system, a million frames."""
        return self.cpu_s / self.frames * 1e6


def run(
    symbols: list[str], frames: int, *, rate: float = 0.0, tls: bool = False, waits: bool = False, record: bool = False,
    old_bytes: int = 0,
) -> Run:  # fmt: skip
    """Let the whole program collect so many frames, and count what it wrote; `old_bytes` is the size of old files."""
    scope = Scope(FUTURES, tuple(KINDS[name] for name in DEFAULT), OPTIONS)
    connections = len(plan_groups("ws://127.0.0.1:65535", scope, symbols))
    with tempfile.TemporaryDirectory() as folder:
        each = frames // connections
        expected = -(-each // min(each, BLOCK_FRAMES)) * min(each, BLOCK_FRAMES) * connections  # whole blocks
        facts = {"frames": each, "rate": rate / connections, "tls": TLS if tls else None, "log": waits}
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.flood", json.dumps(facts)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert server.stdin and server.stdout
        port = int(server.stdout.readline())
        data, log = Path(folder) / "data", Path(folder) / "log"
        make_old(data, symbols, old_bytes)
        secure = "s" if tls else ""
        module = ["tests.benchmark", "--collect", str(Path(folder) / "waits")] if waits else ["aster_collect"]
        command = [
            sys.executable, "-m", *module, *symbols, "--order-book-levels", "20", "--data-dir", str(data),
            "--ws-url", f"ws{secure}://127.0.0.1:{port}", "--rest-url", f"http{secure}://127.0.0.1:{port}",
            *(["--receive-time"] if waits else []), *(["--record"] if record else []), "--stall-timeout", "600",
        ]  # fmt: skip
        with log.open("w") as out:
            environment = {**os.environ, "SSL_CERT_FILE": TLS[0]}
            start_s = time.time()
            collector = subprocess.Popen(command, stderr=out, stdout=out, env=environment)
        if rate:
            time.sleep(START_UP_S)
        sizes: list[tuple[int, float]] = []
        first_s, first_cpu_s = time.time(), cpu_of(collector.pid)
        while collector.poll() is None:
            server.stdin.write("?\n")
            server.stdin.flush()
            done, sent, _ = server.stdout.readline().split()
            sizes.append((int(sent), resident(collector.pid)))
            if int(done) == connections:
                break
            time.sleep(0.05)
        if collector.poll() is not None:
            raise SystemExit(f"the collector ended early:\n{log.read_text()[-3000:]}")
        share = (cpu_of(collector.pid) - first_cpu_s) / (time.time() - first_s)
        settle(collector.pid)
        ended_s = time.time()
        peak_mb = peak_of(collector.pid)
        collector.send_signal(signal.SIGTERM)
        _, status, usage = os.wait4(collector.pid, 0)
        collector.returncode = os.waitstatus_to_exitcode(status)
        server.stdin.write("end\n")
        server.stdin.flush()
        told = json.loads(server.stdout.read())
        server.wait()
        if collector.returncode:
            raise SystemExit(f"the collector failed:\n{log.read_text()[-3000:]}")
        written = 0 if old_bytes else count_written(data)
        return Run(
            frames=expected,
            cpu_s=usage.ru_utime + usage.ru_stime,
            wall_s=ended_s - told["began_s"],
            peak_mb=peak_mb,
            growth_mb=growth_of(sizes),
            start_s=told["began_s"] - start_s,
            share=share,
            expected=expected,
            written=written,
            waits_ms=json.loads((Path(folder) / "waits").read_text()) if waits else [],
            stamps_ms=stamp_delays(data, told["sends"]) if waits else [],
        )


def make_old(data: Path, symbols: list[str], size: int) -> None:
    """Make files of an earlier run, each of so many bytes: a header, a hole, and a last row."""
    if not size:
        return
    data.mkdir()
    last = {
        "prices": "1760000000.000,61800.10,61800.30,61800.20",
        "orderbook": "1760000000.000,1," + ",".join(["1.0"] * 80),
        "trades": f"{FIRST_TRADE - 1},{HISTORY_MS + FIRST_TRADE - 1},sell,61800.30,0.006",
    }
    for symbol in symbols:
        (data / LEDGER.file_name(symbol)).write_bytes(Form(LEDGER, OPTIONS).header)
        for kind, row in last.items():
            with (data / KINDS[kind].file_name(symbol)).open("w") as file:
                file.write(Form(KINDS[kind], OPTIONS).header.decode())
                file.seek(size)
                file.write("\n" + row + "\n")


def settle(pid: int) -> None:
    """Wait until the program has read all that was sent: until it has spent hardly any CPU time for a while."""
    last = -1.0
    while (spent := cpu_of(pid)) - last > 0.02:
        last = spent
        time.sleep(0.15)


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of a running process (Linux)."""
    cells = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(cells[11]) + int(cells[12])) / os.sysconf("SC_CLK_TCK")


def growth_of(sizes: list[tuple[int, float]]) -> float:
    """Return by how much the mean resident size is larger in the last half million frames than in the second."""
    last = sizes[-1][0]
    early = [size for sent, size in sizes if 500_000 < sent <= 1_000_000] or [0.0]
    late = [size for sent, size in sizes if sent > last - 500_000]
    return statistics.mean(late) - statistics.mean(early)


def resident(pid: int) -> float:
    """Return the resident size in MB (Linux)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def peak_of(pid: int) -> float:
    """Return the largest resident size so far in MB (Linux); what `wait4` says would include ours, before the exec."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def count_written(data: Path) -> int:
    """Return how many rows of what was sent are in the files."""
    written = sum(count_rows(path) for path in data.glob("*.csv") if not path.name.startswith("gaps_"))
    return written - sum(history(path) for path in data.glob("trades_*.csv"))


def count_rows(path: Path) -> int:
    """Return how many rows a file has behind its header."""
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b"")) - 1


def history(path: Path) -> int:
    """Return how many trades of before the first sent one a file begins with."""
    with path.open() as file:
        return sum(int(line.split(",", 1)[0]) < FIRST_TRADE for line in islice(file, 1, HISTORY + 6))


def stamp_delays(data: Path, sends: list[list[int]]) -> list[float]:
    """Return by how many milliseconds receive stamps lie behind the sending, for the books, which carry an id."""
    sent_ns = dict(sends)
    firsts = sorted(sent_ns)
    delays = []
    for path in data.glob("orderbook_*.csv"):
        with path.open() as file:
            for row in csv.DictReader(file):
                first = firsts[bisect.bisect_right(firsts, int(row["lastUpdateId"])) - 1]
                delays.append((int(row["receive_time_ns"]) - sent_ns[first]) / 1e6)
    return delays


def floor(symbols: list[str], frames: int) -> float:
    """Return the CPU seconds a million frames of `json.loads` and `csv.writer` alone, one by one, on one thread."""
    block = make_block(symbols, 20_000, seed=len(symbols))
    ids = [FIRST_TRADE] * len(symbols)
    messages: list[bytes] = []
    repeat = 0
    while len(messages) < frames:
        frames_of_block = cut(fill(block, repeat, ids, int(time.time() * 1000), 0.005))
        messages.extend(frame[2:] if frame[1] < 126 else frame[4:] for frame in frames_of_block)
        repeat += 1
    with tempfile.TemporaryFile("w", newline="") as file:
        writer = csv.writer(file)
        start_s = time.process_time()
        for message in messages:
            event = json.loads(message)["data"]
            if event["e"] == "bookTicker":
                writer.writerow((event["T"], event["b"], event["a"]))
            elif event["e"] == "aggTrade":
                writer.writerow((event["a"], event["T"], "sell" if event["m"] else "buy", event["p"], event["q"]))
            else:
                cells = [cell for side in (event["b"], event["a"]) for level in side for cell in level]
                writer.writerow((event["T"], event["u"], *cells))
        return (time.process_time() - start_s) / len(messages) * 1e6


def percentiles(values: list[float]) -> str:
    """Return the 50th, 99th and 100th percentile."""
    ordered = sorted(values) or [float("nan")]
    return " / ".join(f"{ordered[min(len(ordered) - 1, int(len(ordered) * share))]:.1f}" for share in (0.5, 0.99, 1.0))


def full_speed(
    name: str, symbols: list[str], frames: int, runs: int, floor_s: float, *, tls: bool = False, record: bool = False
) -> bool:
    """Measure and print one mix at full speed; return whether every row was written."""
    done = [run(symbols, frames, tls=tls, record=record) for _ in range(runs)]
    cpu = statistics.median(one.cpu_a_million for one in done)
    speed = statistics.median(one.frames / one.wall_s for one in done)
    peak = statistics.median(one.peak_mb for one in done)
    whole = all(one.written == one.expected for one in done)
    print(
        f"{name:28} {speed:9,.0f} frames/s  {cpu:5.2f} CPU s/million  {cpu / floor_s:4.2f} of floor  {peak:5.0f} MB"
        f"  rows {done[-1].written:,} of {done[-1].expected:,}{'' if whole else '  MISSING'}",
        flush=True,
    )
    return whole


def paced(symbols: list[str], rate: float, seconds: float, *, tls: bool = False) -> None:
    """Measure and print the CPU share and the delays at a pace."""
    frames = int(rate * seconds)
    plain = run(symbols, frames, rate=rate, tls=tls)
    timed = run(symbols, frames, rate=rate, tls=tls, waits=True)
    print(
        f"{rate:9,.0f} frames/s{' TLS' if tls else '    '}  {100 * plain.share:5.2f} % CPU  "
        f"received to decoded {percentiles(timed.waits_ms)} ms  readable to stamped {percentiles(timed.stamps_ms)} ms",
        flush=True,
    )


def record_cost(symbols: list[str], rate: float, seconds: float, runs: int) -> None:
    """Measure and print by how much --record raises the CPU share at a pace."""
    frames = int(rate * seconds)
    shares = [(run(symbols, frames, rate=rate).share, run(symbols, frames, rate=rate, record=True).share)
              for _ in range(runs)]  # fmt: skip
    without, with_it = (statistics.median(one) for one in zip(*shares, strict=True))
    print(
        f"{rate:9,.0f} frames/s  {100 * without:5.2f} % CPU, with --record {100 * with_it:5.2f} %: "
        f"{100 * (with_it / without - 1):+.0f} %",
        flush=True,
    )


def full_book(frames: int, runs: int) -> bool:
    """Measure and print what changes of the full book cost, from frame to row; return whether each is a row."""
    costs = [measure(frames) for _ in range(runs)]
    ours_s, json_s = (statistics.median(one[at] for one in costs) for at in (0, 1))
    print(f"full book, 10 levels each    {ours_s:5.2f} CPU s/million  {ours_s / json_s:4.2f} of json.loads", flush=True)
    return all(one.rows == frames + 1 for one in costs)


def growth(symbols: list[str], frames: int) -> None:
    """Measure and print by how much memory grows after the first million frames."""
    done = run(symbols, frames)
    print(f"{frames:,} frames: resident size grew {done.growth_mb:+.1f} MB after the first million", flush=True)


def start_up(symbols: list[str], size: int) -> None:
    """Measure and print how much longer the start takes with large files in place."""
    fresh = statistics.median(run(symbols, 2000).start_s for _ in range(3))
    old = statistics.median(run(symbols, 2000, old_bytes=size).start_s for _ in range(3))
    print(f"start to first subscription: {fresh:.2f} s, with files of {size >> 30} GB {old - fresh:+.2f} s", flush=True)


def collect(waits_path: str, argv: list[str]) -> int:
    """Run the program, and note for every batch how long it waited between its stamp and its decoding."""
    from aster_collect import cli
    from aster_collect.exchange.events import Batch
    from aster_collect.run.loop import Loop

    waits: list[float] = []
    take = Loop.take

    def timed(self: Loop, message: object) -> None:
        take(self, message)  # type: ignore[arg-type]
        if isinstance(message, Batch):
            waits.extend([(time.time_ns() - message.received_ns) / 1e6] * (len(message.bounds) // 2))

    Loop.take = timed  # type: ignore[method-assign]
    status = cli.main(argv)
    Path(waits_path).write_text(json.dumps(waits))
    return status


def main() -> int:
    """Run the benchmark; exit status 1 if a row is missing."""
    if sys.argv[1:2] == ["--collect"]:
        return collect(sys.argv[2], sys.argv[3:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one short run of 2 symbols")
    parser.add_argument("--frames", type=int, default=2_000_000, help="frames a run (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each (default: %(default)s)")
    words = parser.parse_args()
    frames, runs = (600_000, 1) if words.quick else (words.frames, words.runs)
    base = statistics.median(floor(TWO, 200_000) for _ in range(runs))
    print(f"floor: json.loads and csv.writer alone: {base:.2f} CPU s/million", flush=True)
    whole = full_speed("2 symbols", TWO, frames, runs, base)
    whole &= full_speed("2 symbols, --record", TWO, frames, runs, base, record=True)
    whole &= full_book(40_000, runs)
    if words.quick:
        return 0 if whole else 1
    whole &= full_speed("200 symbols, 4 connections", MANY, frames, runs, base)
    whole &= full_speed("2 symbols, TLS", TWO, frames, runs, base, tls=True)
    record_cost(TWO, 8000, 20, runs)
    growth(TWO, 10_000_000)
    start_up(TWO, 2 << 30)
    for tls in (False, True):
        for rate, seconds in ((10, 20), (1000, 20), (8000, 20), (30_000, 10)):
            paced(TWO, rate, seconds, tls=tls)
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main())
