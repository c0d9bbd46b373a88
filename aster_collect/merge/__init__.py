"""Several folders of one market into one: each row that any of them has, once, and what none has in the ledger.

lacking the ledger of the result: what every folder lacks. Pure
alike   rows of several folders that must be the same, and which of them is kept. Pure
feed    one folder's history of a kind: its lines, each checked before it is taken
keyed   rows whose ids rise, or whose times do: by these
aligned rows without ids: by time and content
linked  the full book: whichever row continues the chain
sink    where rows go: files, closed by their rows' own time
merge   all symbols and kinds of the folders, written beside, and put in place as a whole
"""

from .merge import Merged, merge_folders

__all__ = ["Merged", "merge_folders"]
