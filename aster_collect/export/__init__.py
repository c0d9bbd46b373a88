"""Data folders as files of other forms, for the tools of research.

asked    what is asked for
folders  the data folders, and what of each is asked for
lake     what a Parquet file of a day holds, and whether it is still true
parquet  the lake: a Parquet file a kind, symbol and day
found    what there is of forms that put kinds of a symbol together
target   which of its rows are read, and what came of them
stamps   local times of rows that did not come live
changes  the rows of the full book, each joined to the one before it
days     gzipped files of lines, one a day
tardis   the CSV files of tardis.dev
tops     the rows of the order book as changes
events   arrays of hftbacktest's events, in order
shown    the book as a backtest may see it, never over a hole
hftbacktest  its files, one a day
"""
