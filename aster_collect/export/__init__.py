"""Data folders as files of other forms, for the tools of research.

asked    what is asked for
parquet  the lake: a Parquet file a kind, symbol and day
"""
