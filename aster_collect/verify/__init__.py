"""Prove, from the files of a data folder alone, that what the collector promises holds.

    ledger    what the gap ledger says is missing
    times     what must hold of times, from row to row and from file to file, and beside the ledger
    ids       what must hold of ids, from row to row
    chain     what must hold of the full book, from row to row
    cross     other kinds' rows against the full book at the same update id
    order     the rows of one history against all of that, and what must hold within one
    reading   the files of one history, block by block
    found     what was found in rows, file by file; days is how much of it is covered
    promised  the files against the manifest
    memory    what is remembered of proven files; past is which of a history's need not be read
    symbol    all files of one symbol; work shares symbols among processes
    check     a folder
    report    what was found, as a table for people and as JSON for machines

Of the collector it imports the table of streams, which says what the kinds are and what their files hold, and the
reader of a data folder; nothing that writes, and nothing beside the standard library.
"""

from ..files.histories import NotAFolder
from .check import check_folder
from .report import History, Report

__all__ = ["History", "NotAFolder", "Report", "check_folder"]
