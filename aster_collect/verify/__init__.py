"""Prove, from the files of a data folder alone, that what the collector promises holds.

    parts   which files make up one history, opened in an order that is safe while a collector writes
    lines   a file as blocks of whole lines, in constant memory
    rules   what a line must look like: one pattern a kind of file, and the reason when it does not match
    ledger  what the gap ledger says is missing
    times   what must hold of times, from row to row and from file to file, and beside the ledger
    order   what must hold else from row to row and within one: ids, book, mid
    report  what was found, as a table for people and as JSON for machines

Imports nothing of the collector but `rows`, and nothing beside the standard library.
"""

from .check import check_folder
from .parts import NotAFolder
from .report import History, Report

__all__ = ["History", "NotAFolder", "Report", "check_folder"]
