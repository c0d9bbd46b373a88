"""A data folder as its user reads it: which files, which rows, and what is missing of them.

archive  the folder: its symbols, kinds, files and rows
rows     lines of a file as tuples with the names of its columns
gaps     the ledger as disjoint stretches of time and ranges of ids
moment   times as users give them
book     the full book, rebuilt from rows
"""

from ..files.histories import NotAFolder
from .archive import Archive
from .gaps import Gaps, Ids, NoLedger, Stretch
from .moment import Moment
from .rows import DamagedFile, Row, Rows

__all__ = ["Archive", "DamagedFile", "Gaps", "Ids", "Moment", "NoLedger", "NotAFolder", "Row", "Rows", "Stretch"]
