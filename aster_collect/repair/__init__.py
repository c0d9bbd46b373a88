"""Fetch what the ledger says is missing, where the exchange still has it, and put it where it belongs.

fetch   pages of trades, asked for in turn within the weight
place   which file each trade belongs to
insert  a file, copied with rows put in between
left    what is left of the ledger's rows
rewrite the files, each written aside and renamed
mend    all of that, so that an end at any moment leaves a folder that holds
"""
