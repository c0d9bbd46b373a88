"""Whatever happens to a whole run, the manifest tells of no loss that is none."""

import logging
import tempfile
import unittest
from pathlib import Path
from random import Random
from typing import Any

from aster_collect.files.compress import compress
from aster_collect.files.listed import MANIFEST_NAME, read_manifest
from aster_collect.files.rotate import closed_part
from aster_collect.run.listing import Listing
from aster_collect.verify import NotAFolder, check_folder
from tests.support import rounds
from tests.unit.order.test_matrix import OTHERS
from tests.unit.order.world import Setup
from tests.unit.run.recorded import RecordedWorld
from tests.unit.run.test_replay import KNOWN, hang_up, logrotate, other_options

WORLDS = 8
FAULTS_A_WORLD = 15


class ListedWorld(RecordedWorld):
    """A world whose runs list their files; some compress them too."""

    listing: Listing | None = None

    def __init__(self, chance: Random, *words: Any, **options: Any) -> None:
        self.alarms: list[tuple[str, int, str]] = []
        self.packs = chance.random() < 0.5
        super().__init__(chance, *words, **options)

    def _start(self) -> None:
        self.leave()
        super()._start()
        self.listing = Listing(self.settings.data_dir, sync=False, pass_on=self._pack)
        self.listing.begin()
        self.listing.catch_up()

    def leave(self) -> None:
        """End what was listing: in order where all is written, or as a kill does, at any of its steps."""
        if self.listing is None or self._store is None:
            return
        if self.files.chance.random() < 0.7:
            self.listing.take(self._store.folder.take_renamed())
            for _ in range(self.files.chance.choice((1, 3, 100))):
                self.listing.step()
        if self.files.chance.random() < 0.5:
            is_whole = not self._store.backlog.unwritten().rows
            self.listing.finish(self._store.folder.take_renamed(), is_whole=is_whole)
        self.look()

    def look(self) -> None:
        """Note of what verify would tell by the manifest."""
        try:
            reasons = check_folder(self.settings.data_dir).reasons
        except NotAFolder:
            return
        told = [(name, line, why) for name, found in reasons.items() for line, why in found]
        self.alarms += [one for one in told if MANIFEST_NAME in one[2] or one[0] == MANIFEST_NAME]

    def _pack(self, path: Path) -> None:
        if self.packs and closed_part(path.name):
            compress(path)


class Worlds(unittest.TestCase):
    def test_any_faults(self) -> None:
        """Kills in a flush, full disks, set clocks, new ids, other columns, files moved away: none is a loss by it."""
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)
        known = [*KNOWN.values(), *[logrotate] * 2, hang_up, *[other_options] * 4]
        listed = 0
        for seed, chance in rounds(WORLDS):
            kinds = Setup().kinds + tuple(kind for kind in OTHERS if chance.random() < 0.4)
            setup = Setup(kinds, chance.choice((1, 2)), every_symbol=chance.random() < 0.3)
            folder = Path(self.enterContext(tempfile.TemporaryDirectory())) / "data"
            world = ListedWorld(chance, setup, folder, rotate=chance.choice(("none", "hour", "hour")))
            happens = [chance.choice(known) for _ in range(FAULTS_A_WORLD)]
            world.play((chance.uniform(2, 8), fault.__name__, fault) for fault in happens)
            world.leave()
            world.end()
            story = "\n".join(["", f"seed {seed}, {world.settings}", *world.faults])
            self.assertEqual(world.alarms, [], story)
            said = read_manifest(folder)
            listed += len(said.files) if said else 0
        self.assertGreater(listed, WORLDS, "hardly a file was closed or set aside")


if __name__ == "__main__":
    unittest.main()
