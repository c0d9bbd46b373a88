"""Any true files of several recorders become one folder: each row once, and in the ledger what none of them has."""

import gzip
import tempfile
import unittest
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from aster_collect.files.period import PERIODS_MS
from aster_collect.merge import Merged, merge_folders
from aster_collect.verify import check_folder
from tests.histories import history, lacked
from tests.support import read_gaps, rounds
from tests.unit.merge.truth import Recorder, S, Truth

ROTATIONS = ("", *PERIODS_MS)


def merge(folders: Sequence[Path], out: Path, rotate: str = "") -> Merged:
    return merge_folders(folders, out, rotate, lambda _: nullcontext(lambda rows, bytes_: None))


def content(folder: Path) -> dict[str, bytes]:
    """Return all files of a folder, unpacked."""
    return {
        path.name.removesuffix(".gz"): gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for path in sorted(folder.iterdir())
    }


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self) -> None:
        self.base = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.count = 0

    def place(self) -> Path:
        """Return where a folder can be."""
        self.count += 1
        return self.base / str(self.count)

    def assert_verified(self, folder: Path) -> None:
        report = check_folder(folder)
        self.assertEqual(report.reasons, {})


class Several(Case):
    def test_any_recorders(self) -> None:
        """Whatever each of them lost, the result is all that any has, and verify holds on it."""
        for seed, chance in rounds(40):
            with self.subTest(seed=seed):
                truth = Truth(chance, chance.choice((5, 60, 300)) if seed % 20 else 2000)
                self.recorders = [Recorder(truth, chance) for _ in range(chance.choice((2, 2, 3)))]
                folders = [one.write(self.place()) for one in self.recorders]
                before = [content(folder) for folder in folders]
                rotate, out, tuo = chance.choice(ROTATIONS), self.place(), self.place()
                self.assertEqual(merge(folders, out, rotate).differ, 0)
                self.assert_verified(out)
                self.assert_rows(truth, out)
                self.assert_book(truth, out)
                self.assert_ledger(truth, out)
                self.assertEqual([content(folder) for folder in folders], before)
                merge(folders[::-1], tuo, rotate)
                self.assertEqual(content(tuo), content(out))

    def assert_rows(self, truth: Truth, out: Path) -> None:
        """Fail unless each event that any has is there once, in order, with the earliest time of receipt."""
        for kind, events in truth.events.items():
            expected = []
            for event in events:
                having = [one for one in self.recorders if event in one.has[kind]]
                if having:
                    stamps = [one.stamps[kind][event.number] for one in having]
                    stamp = "," + min(filter(None, stamps), default="") if truth.options.receive_time else ""
                    expected.append(event.body + stamp)
            self.assertEqual(history(out, kind, S), expected, kind)

    def assert_book(self, truth: Truth, out: Path) -> None:
        """Fail unless the rebuilt book is the true one at each row, and no change that any has is left out."""
        true = {change.id: change.book for change in truth.changes}
        sides: list[dict[str, str]] = [{}, {}]
        ids, spans = set(), []
        for row in history(out, "depth", S):
            _, previous, update_id, *levels = row.split(",")
            for side, text in zip(sides, levels, strict=False):
                if not previous:
                    side.clear()
                for level in filter(None, text.split(";")):
                    price, quantity = level.split(" ")
                    side[price] = quantity
                    if quantity == "0.0":
                        del side[price]
            ids.add(int(update_id))
            spans.append((int(previous or update_id), int(update_id)))
            expected = [
                {f"{price}.50": f"{quantity}.0" for price, quantity in side.items()} for side in true[int(update_id)]
            ]
            self.assertEqual(sides, expected)
        left_out = {one for recorder in self.recorders for _, one in recorder.links} - ids
        # What others cut into larger pieces can be all that joins the row before.
        self.assertEqual({one for one in left_out if not any(first < one < last for first, last in spans)}, set())
        if not any(recorder.own_cuts for recorder in self.recorders):
            self.assertEqual(left_out, set())

    def assert_ledger(self, truth: Truth, out: Path) -> None:
        """Fail unless the ledger has what all lack, to the millisecond, and nothing else."""
        gaps = read_gaps(out, S)
        present = {event.number for one in self.recorders for event in one.has["trades"]}
        extent = range(min(present, default=0), max(present, default=0))
        listed = [number for gap in gaps if gap.first_id for number in range(gap.first_id, (gap.last_id or 0) + 1)]
        self.assertEqual(sorted(listed), [number for number in extent if number not in present])
        for kind in ("prices", "orderbook", "mark", "liquidations", "depth"):
            having = [one for one in self.recorders if one.files[kind]]
            extents = [(one.files[kind][0][0], one.files[kind][-1][0]) for one in having]
            listed = [[gap[1:3] for gap in one.gaps if gap[0] == kind] for one in having]
            told = [(gap.from_ms, gap.to_ms) for gap in gaps if gap.stream == kind]
            self.assertEqual(lacked(extents, listed, told), [], kind)
            self.assertEqual(len(set(told)), len(told), kind)


class Itself(Case):
    def test_a_folder_with_itself(self) -> None:
        """Nothing changes: the same files, and the same rows of the ledger, in the order of time."""
        for seed, chance in rounds(20):
            with self.subTest(seed=seed):
                recorder = Recorder(Truth(chance, chance.choice((5, 60, 300))), chance)
                recorder.rotate_ms = recorder.rotate_ms if any(recorder.files.values()) else 0
                folder, out = recorder.write(self.place()), self.place()
                merge([folder, folder], out)
                ours, theirs = content(folder), content(out)
                self.assertEqual(theirs.pop(".market"), b"futures\n")
                theirs.pop("files.jsonl")
                ledgers = [sorted(each.pop(f"gaps_{S}.csv").splitlines()) for each in (ours, theirs)]
                self.assertEqual(*ledgers)
                self.assertEqual(theirs, ours)


if __name__ == "__main__":
    unittest.main()
