"""A store whose folder has its manifest kept, as a run keeps it, step by step."""

from pathlib import Path
from typing import Any

from aster_collect.errors import StoreError
from aster_collect.files.listed import Manifest, read_manifest
from aster_collect.run.listing import Listing
from tests.rowstore import RowStore
from tests.unit.files.rotating import S

FAR_NS = 4_000_000_000 * 10**9  # no file is of a day ahead of it


class ListedStore(RowStore):
    """Lists files as the thread does, whenever `list_files` is called; `close` is a crash, `stop` an end in order."""

    def __init__(self, folder: Path, **options: Any) -> None:
        keep_days = options.pop("keep_days", None)
        super().__init__(folder, **options)
        self.listing = Listing(folder, sync=False, keep_days=keep_days, wall_ns=lambda: FAR_NS)
        self.listing.begin()
        self.open(S)
        self.listing.catch_up()

    def list_files(self) -> None:
        """List what was closed or set aside, and what the manifest lacks."""
        self.listing.take(self.folder.take_renamed())
        while self.listing.step() or self.listing._lacking is not None:
            pass

    def stop(self) -> None:
        """Write all, and end in order."""
        try:
            self.flush()
        except StoreError:
            self.listing.finish(self.folder.take_renamed(), is_whole=False)
        else:
            self.listing.finish(self.folder.take_renamed(), is_whole=True)
        self.close()


def manifest(folder: Path) -> Manifest:
    """Return what a folder's manifest says."""
    said = read_manifest(folder)
    assert said is not None
    return said
