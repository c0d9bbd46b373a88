"""A file of changes begins with all that they change, whatever it is that lets it begin."""

import unittest

from aster_collect.exchange.streams.depth import KIND, SNAPSHOT, Diff
from aster_collect.exchange.streams.kind import Event, Options
from aster_collect.files.store import Store
from tests.support import Disk
from tests.unit.files.rotating import MIDNIGHT_MS, Case, S


def opening(change: Event) -> Diff:
    """Return a book that tells before which change it stands."""
    return Diff(change[2], change[1], SNAPSHOT, f"1 {change[0]}", "")


class Openings(Case):
    def begin(self, **options: object) -> Store:
        """Return a store that is closed at the end."""
        store = Store(self.folder, [KIND], Options(), **options)  # type: ignore[arg-type]
        self.addCleanup(store.close)
        store.open(S)
        return store

    def put(self, store: Store, *rows: tuple[int, int]) -> None:
        """Append changes by their id, each behind the one before it, and when from midnight on they were made."""
        events = [Diff(number, MIDNIGHT_MS + at_ms, number - 1, "", "") for number, at_ms in rows]
        store.backlog.append(KIND, S, events, None, opening)

    def told(self, name: str) -> list[str]:
        """Return which row each row of a file names, its id, and its bids."""
        lines = (self.folder / name).read_text("utf-8").split("\n")[1:-1]
        return [" ".join(line.split(",")[1:4]) for line in lines]

    def test_a_day_ends(self) -> None:
        """The next one's file begins with the book, at the time of its first row; a row in one batch or in the next."""
        store = self.begin(rotate="day")
        self.put(store, (1, -2), (2, -1), (3, 5), (4, 6))
        store.flush()
        self.assertEqual(self.told(f"depth_{S}.2026-11-21.csv"), ["0 1 ", "1 2 "])
        self.assertEqual(self.told(f"depth_{S}.csv"), [" 2 1 3", "2 3 ", "3 4 "])

    def test_a_file_is_moved_away(self) -> None:
        """Who asked to go on under the old name gets a file that stands by itself."""
        store = self.begin()
        self.put(store, (1, 1))
        store.flush()
        (self.folder / f"depth_{S}.csv").rename(self.folder / "moved.csv")
        store.reopen()
        self.put(store, (2, 2), (3, 3))
        store.flush()
        self.assertEqual((self.told("moved.csv"), self.told(f"depth_{S}.csv")), (["0 1 "], [" 1 1 2", "1 2 ", "2 3 "]))

    def test_memory_is_full(self) -> None:
        """Behind rows that were lost the book stands as it is by then, and the ledger has the stretch."""
        store = self.begin(pending_limit=1, write=(disk := Disk()))
        disk.room = 0
        self.put(store, (1, 1))
        self.put(store, (2, 2))
        disk.room = None
        store.flush()
        self.put(store, (3, 3))
        store.flush()
        self.assertEqual(self.told(f"depth_{S}.csv"), ["0 1 ", " 2 1 3", "2 3 "])
        self.assertEqual(
            (self.folder / f"gaps_{S}.csv").read_text("utf-8").split("\n")[1:-1],
            ["depth,1795305600.002,1795305600.002,,,overflow", "depth,1795305600.002,1795305600.003,,,overflow"],
        )

    def test_another_program_cuts_the_file(self) -> None:
        """What waited can't stand without what was cut: it is missing too, and the next row begins with the book."""
        store = self.begin()
        self.put(store, (1, 1), (2, 2))
        store.flush()
        path = self.folder / f"depth_{S}.csv"
        path.write_text("\n".join(path.read_text("utf-8").split("\n")[:2]) + "\n", "utf-8")
        self.put(store, (3, 1003))
        store.flush()
        self.put(store, (4, 2004))
        store.flush()
        self.assertEqual(self.told(f"depth_{S}.csv"), ["0 1 ", " 3 1 4", "3 4 "])
        self.assertEqual(
            (self.folder / f"gaps_{S}.csv").read_text("utf-8").split("\n")[1:-1],
            ["depth,1795305599.001,1795305602.003,,,destroyed", "depth,1795305602.003,1795305602.004,,,destroyed"],
        )

    def test_another_program_writes_to_the_file(self) -> None:
        """It is set aside whole, and the next one begins with the book, behind a stretch in the ledger."""
        store = self.begin()
        self.put(store, (1, 1), (2, 2))
        store.flush()
        with (self.folder / f"depth_{S}.csv").open("a", encoding="utf-8") as file:
            file.write("garbage\n")
        self.put(store, (3, 1003))
        store.flush()
        self.put(store, (4, 2004))
        store.flush()
        self.assertEqual(self.told(f"depth_{S}.csv"), [" 3 1 4", "3 4 "])
        self.assertEqual(
            (self.folder / f"gaps_{S}.csv").read_text("utf-8").split("\n")[1:-1],
            ["depth,1795305599.002,1795305602.003,,,destroyed", "depth,1795305602.003,1795305602.004,,,destroyed"],
        )


if __name__ == "__main__":
    unittest.main()
