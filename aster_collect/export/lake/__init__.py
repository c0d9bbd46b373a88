"""The lake: what a Parquet file of a day holds, and whether it is still what the data folder holds.

place    where a day's file lies
columns  the columns of a kind as those of Parquet, and cells as their values
survey   which days a data file has rows of
kept     what the lake's files say of what they were made of
day      a day's file is written
"""
