"""What is remembered of proven files is what reading them would find, and nothing is remembered of any other."""

import contextlib
import gzip
import io
import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from aster_collect import cli
from aster_collect.errors import StoreError
from aster_collect.exchange.events import Gap
from aster_collect.verify import check_folder
from aster_collect.verify.memory import _BODY, _END, MEMORY_NAME, Proven, Remembered, _head, read_memory, rules, text_of
from tests import rows
from tests.support import rounds
from tests.unit.files.rotating import HOUR_MS, KINDS, MIDNIGHT_MS, S, number_of, row
from tests.unit.verify.book_market import Market
from tests.unit.verify.test_promised import Listed, hour
from tests.unit.verify.test_verify import BOOK, PRICES, Lines

TRADES = rows.file_name(rows.TRADES, S)


class Remembering(Listed):
    """Looks at a folder twice: with what is remembered, as a file keeps it, and with nothing."""

    memory: Path

    def look(self, **asked: Any) -> dict[str, Any]:
        """Return what both find, or the test fails; what the first did not read is counted in `known`."""
        remembered = read_memory(self.memory)
        found = check_folder(self.folder, remembered=remembered, **asked)
        self.memory.write_text(text_of(remembered), "ascii")
        self.assertEqual(read_memory(self.memory), {key: files for key, files in remembered.items() if files})
        anew = check_folder(self.folder, **asked)
        self.assertEqual(list(found.text(by_days=True)), list(anew.text(by_days=True)))
        self.assertEqual(found.json(by_days=True), anew.json(by_days=True))
        return anew.json(by_days=True)

    def known(self) -> dict[str, list[str]]:
        return {key: [one.name for one in files] for key, files in read_memory(self.memory).items()}

    def with_more_rows(self, name: str) -> Remembered:
        """Return what is remembered, with a thousand more rows of a file than it has."""

        def more(one: Proven) -> Proven:
            return one._replace(sum=one.sum._replace(days={**one.sum.days, 1: (1000, 0)}))

        known = read_memory(self.memory)
        return {key: [more(one) if one.name == name else one for one in files] for key, files in known.items()}

    def is_read(self, name: str, **asked: Any) -> bool:
        """Return whether a closed file is read at the next look."""
        before = check_folder(self.folder, **asked).json()["rows"]
        found = check_folder(self.folder, remembered=self.with_more_rows(name), **asked).json()["rows"]
        return bool(found == before)


class Worlds(Remembering):
    def test_any_world(self) -> None:
        """Rows, late rows of the ledger, closed files deleted, compressed, altered or set aside, kills and restarts."""
        for seed, chance in rounds(8):
            with self.subTest(seed=seed):
                self.fresh()
                self.memory = self.folder.parent / MEMORY_NAME
                self.play(chance)
                self.crash()

    def play(self, chance: random.Random) -> None:
        self.rotate = chance.choice(("hour", "hour", "day"))
        time_ms, number = MIDNIGHT_MS, dict.fromkeys(KINDS, 0)
        for _ in range(chance.randrange(2, 5)):
            store = self.listed()
            for kind in KINDS:
                last = store.last_row(kind, S)
                number[kind] = max(number[kind], number_of(kind, last) if last else 0)
            for _ in range(chance.randrange(1, 5)):
                for _ in range(chance.randrange(1, 6)):
                    time_ms += chance.choice((1, 1000, HOUR_MS // 7, HOUR_MS, 5 * HOUR_MS))
                    for kind in KINDS:
                        count = chance.randrange(5)
                        first = number[kind] + chance.choice((1, 1, 1, 1, 3))
                        lines = [row(kind, one, time_ms) for one in range(first, first + count)]
                        store.append(kind, S, lines)
                        number[kind] = first + count - 1 if lines else number[kind]
                if chance.random() < 0.3:
                    store.set_aside(chance.choice(KINDS), S, "x")
                for _ in range(chance.randrange(3)):
                    self.tell(store, chance, time_ms, number[rows.TRADES])
                with contextlib.suppress(StoreError):
                    store.flush()
                store.list_files()
                self.harm(chance)
                self.look()
            store.stop() if chance.random() < 0.5 else self.crash()
            self.stores.clear()
            self.look()
            self.look()

    def tell(self, store: Any, chance: random.Random, time_ms: int, number: int) -> None:
        """Add a row to the ledger, often of long ago."""
        kind = chance.choice(KINDS)
        start_ms = MIDNIGHT_MS + chance.randrange(max(1, time_ms - MIDNIGHT_MS))
        end_ms = start_ms + chance.choice((0, 500, 9000, 3 * HOUR_MS))
        if kind == rows.TRADES:
            first = chance.randrange(number + 2)
            gap = Gap(kind, start_ms, end_ms, first, first + chance.randrange(3), "gave-up")
        else:
            gap = Gap(kind, start_ms, end_ms, None, None, chance.choice(("reconnect", "restart", "late", "clock")))
        store.backlog.gap(S, gap)

    def harm(self, chance: random.Random) -> None:
        """Compress, delete or alter a closed file."""
        closed = sorted(self.folder.glob("*_*.2026-*.csv"))
        if not closed or chance.random() < 0.5:
            return
        path = chance.choice(closed)
        what = chance.random()
        if what < 0.6:
            Path(f"{path}.gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
        elif what < 0.8:
            closed[0].unlink()
        else:
            data = path.read_bytes()
            at = chance.randrange(len(data))
            path.write_bytes(data[:at] + b"7" + data[at + 1 :])

    def test_any_full_book(self) -> None:
        """What it proves of order books and quotes is remembered with them."""
        for seed, chance in rounds(8):
            with self.subTest(seed=seed):
                self.fresh()
                self.folder.mkdir(parents=True)
                self.memory = self.folder.parent / MEMORY_NAME
                market = Market(chance)
                market.play(5)
                for _ in range(chance.randrange(2, 6)):
                    for _ in range(chance.choice((5, 40))):
                        chance.choices((market.batch, market.hole, market.rotate), (20, 1, 1))[0]()
                    if chance.random() < 0.7:
                        market.rotate()
                        market.batch()
                    self.put(market)
                    self.look()
                    closed = [market.name(number) for number in range(len(market.depth) - 1)]
                    self.assertEqual(self.known().get(f"{S}/depth", []), closed)
                self.look()
                for name in closed:
                    self.assertFalse(self.is_read(name))

    def put(self, market: Market) -> None:
        """Write a market's files, with order books and quotes closed where its full book is; what is there stays."""
        files = market.files()
        ends = [int(lines[-1].split(",")[2]) for lines in market.depth[:-1]]
        for name, at in ((BOOK, 1), (PRICES, 4)):
            header, *lines = files.pop(name)
            for number in range(len(market.depth)):
                is_last = number == len(ends)
                some = [line for line in lines if is_last or int(line.split(",")[at]) <= ends[number]]
                lines = lines[len(some) :]
                day = market.name(number).removeprefix("depth_BTCUSDT")
                files[name.replace(".csv", "") + day] = [header, *some]
        for name, content in files.items():
            self.keep(name, content)
        for path in self.folder.glob("*_*"):
            if path.name not in files:
                path.unlink()

    def keep(self, name: str, lines: Lines) -> None:
        path, data = self.folder / name, "".join(f"{line}\n" for line in lines).encode()
        if not path.exists() or path.read_bytes() != data:
            path.write_bytes(data)


class Files(Remembering):
    def setUp(self) -> None:
        super().setUp()
        self.memory = self.folder.parent / MEMORY_NAME
        self.write()
        self.look()

    def test_a_closed_file_that_has_not_changed(self) -> None:
        """It is not read again, whatever the growing file and others do."""
        self.assertEqual(self.known()[f"{S}/trades"], [hour(TRADES, number) for number in range(4)])
        for number in range(4):
            self.assertFalse(self.is_read(hour(TRADES, number)))
        with (self.folder / TRADES).open("a") as file:
            file.write(row(rows.TRADES, 300, MIDNIGHT_MS + 5 * HOUR_MS) + "\n")
        self.look()
        self.assertFalse(self.is_read(hour(TRADES, 3)))

    def test_a_file_that_was_touched(self) -> None:
        """It is read again, and so are those behind it that rest on it."""
        path = self.folder / hour(TRADES, 2)
        os.utime(path)
        self.assertTrue(self.is_read(hour(TRADES, 2)))
        self.assertTrue(self.is_read(hour(TRADES, 3)))
        self.assertFalse(self.is_read(hour(TRADES, 1)))
        self.look()
        status = path.stat()
        path.write_bytes(path.read_bytes().replace(b",0.5\n", b",0.6\n", 1))
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        self.assertEqual(self.look()["reasons"][0]["file"], path.name)

    def test_a_file_that_is_broken(self) -> None:
        """It is not remembered, and what is behind it is not either."""
        path = self.folder / hour(TRADES, 2)
        path.write_bytes(path.read_bytes().replace(b"buy", b"bye", 1))
        for _ in range(2):
            self.assertEqual(self.look()["holds"], False)
            self.assertEqual(self.known()[f"{S}/trades"], [hour(TRADES, 0), hour(TRADES, 1)])

    def test_other_rules(self) -> None:
        """What other rules have proven is read again, and so it is where the memory is damaged."""
        text = self.memory.read_text("ascii")
        self.assertTrue(read_memory(self.memory))
        self.assertEqual(set(json.loads(text)), {"rules", "sha256", "histories"})
        damaged = (text[: len(text) // 2], "[]", "{}", "", "[" * 100_000, text.replace('"sum"', '"sun"'), f"{text} ")
        for other in (text.replace(rules(), "0" * 64), *damaged):
            self.memory.write_text(other, "ascii")
            self.assertEqual(read_memory(self.memory), {})
        self.look()

    def test_what_another_program_wrote(self) -> None:
        """What bears the right hash, and is no memory, is read as none."""
        for body in (b"[]", b"{{", b'{"X/trades": 3}', b'{"X/trades": [{}]}', b'{"X/trades": [null]}'):
            self.memory.write_bytes(_head(body) + _BODY + body + _END)
            self.assertEqual(read_memory(self.memory), {})

    def test_days_that_are_over(self) -> None:
        """Looking at the newest files alone forgets nothing of the others, and a moment within a file is no end."""
        whole = self.known()
        for at_ms in (2 * HOUR_MS, 2 * HOUR_MS + 1, 9 * HOUR_MS, 0):
            self.look(since_ms=MIDNIGHT_MS + at_ms)
            self.assertEqual(self.known(), whole)
        self.assertFalse(self.is_read(hour(TRADES, 3), since_ms=MIDNIGHT_MS + 2 * HOUR_MS))

    def test_the_oldest_is_deleted(self) -> None:
        """The others need not be read for that."""
        (self.folder / hour(TRADES, 0)).unlink()
        self.look()
        self.assertFalse(self.is_read(hour(TRADES, 1)))

    def test_several_processes(self) -> None:
        """They find what one does, of one symbol and of several, and remember the same."""
        for name in ("ETHUSDT", "币安人生USDT"):
            for path in sorted(self.folder.glob(f"*{S}*")):
                shutil.copy(path, self.folder / path.name.replace(S, name))
        (self.folder / hour(TRADES, 1).replace(S, "ETHUSDT")).write_bytes(b"none")
        for jobs in (2, 5):
            one: Remembered = {}
            other: Remembered = {}
            found = check_folder(self.folder, remembered=one)
            told = check_folder(self.folder, remembered=other, jobs=jobs, least_bytes=0)
            self.assertEqual(list(told.text(by_days=True)), list(found.text(by_days=True)))
            self.assertEqual((told.json(), other), (found.json(), one))

    def test_how_far_it_is(self) -> None:
        """All rows and bytes are told, whichever process reads them, and whether they are read or remembered."""
        self.memory.unlink()
        remembered: Remembered = {}
        size = sum(path.stat().st_size for path in self.folder.glob("*_*"))
        for jobs in (1, 3, 1):
            told: list[tuple[int, int]] = []

            @contextlib.contextmanager
            def begin(total: int, told: list[tuple[int, int]] = told) -> Iterator[Callable[[int, int], None]]:
                self.assertEqual(total, size)
                yield lambda count, done: told.append((count, done))

            report = check_folder(self.folder, remembered=remembered, jobs=jobs, least_bytes=0, begin=begin)
            rows = report.json()["rows"]
            self.assertEqual((sum(some for some, _ in told), sum(some for _, some in told)), (rows, size))
            self.assertGreater(len(told), 3)

    def run_main(self, *options: str) -> tuple[int, dict[str, Any], str]:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = cli.main(["verify", str(self.folder), "--json", *options])
        return status, json.loads(out.getvalue()), err.getvalue()

    def test_where_it_is_remembered(self) -> None:
        """It is in the data folder, or where it is said; a folder that can't be written is a word, and no failure."""
        self.memory = self.folder / MEMORY_NAME
        status, found, err = self.run_main()
        self.assertEqual((status, err, found["holds"]), (0, "", True))
        self.assertTrue(self.known())
        self.memory.write_text(text_of(self.with_more_rows(hour(TRADES, 1))), "ascii")
        self.assertEqual(self.run_main()[1]["rows"], found["rows"] + 1000)
        self.assertEqual(self.run_main("--all")[1]["rows"], found["rows"])
        self.assertEqual(self.run_main()[1]["rows"], found["rows"])
        cache = self.folder.parent / "cache" / "here"
        self.memory.unlink()
        self.run_main("--cache", str(cache))
        self.assertEqual((self.memory.exists(), (cache / MEMORY_NAME).exists()), (False, True))
        self.memory.mkdir()
        status, _, err = self.run_main()
        self.assertEqual((status, err.count("\n")), (0, 1))
        self.assertIn("verify.json not written: Is a directory; the next run reads all files again", err)
