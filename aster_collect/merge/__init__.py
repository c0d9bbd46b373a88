"""Several folders of one market into one: each row that any of them has, once, and what none has in the ledger.

lacking  the ledger of the result: what every folder lacks
alike    rows that say the same, and which of them is kept
columns  which columns the files of a kind have
feed     one folder's history of a kind: its lines, each checked before it is taken
keyed    rows whose ids rise, or whose times do: by these
aligned  rows without ids: by time, and by what they say
linked   the full book: whichever row continues the chain
ledger   one folder's ledger
lanes    which of these ways a kind goes
opening  what a file of a full book begins with
sink     where rows go: files, closed by their rows' own time
inputs   what the folders must have in common
place    where the result goes, as a whole
merge    all symbols and kinds of the folders
"""

from .merge import Merged, merge_folders

__all__ = ["Merged", "merge_folders"]
