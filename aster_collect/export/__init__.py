"""Data folders as files of other forms, for the tools of research.

asked    what is asked for
folders  the data folders, and what of each is asked for
lake     what a Parquet file of a day holds, and whether it is still true
parquet  the lake: a Parquet file a kind, symbol and day
"""
