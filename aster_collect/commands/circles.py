"""How often the interpreter looks for circles among objects, while a run or a replay keeps many that have none."""

import gc

GARBAGE = 100_000  # objects made and not freed, until circles are looked for


def look_rarely() -> None:
    """Look for circles less often: events at rest make none, and to look among them costs a tenth of the time."""
    gc.freeze()
    gc.set_threshold(GARBAGE)
