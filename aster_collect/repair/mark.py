"""The mark of what is being put back: it comes and goes whole."""

import json
from pathlib import Path

from ..files.aside import aside
from ..files.repairing import REPAIRING_NAME, Repairing


def begin(folder: Path, mark: Repairing) -> None:
    """Leave it, on the disk; raises `OSError`."""
    with aside(folder / REPAIRING_NAME) as beside:
        beside.write_text(json.dumps(mark._asdict()) + "\n", "utf-8")


def end(folder: Path) -> None:
    """Take it away; raises `OSError`."""
    (folder / REPAIRING_NAME).unlink(missing_ok=True)
