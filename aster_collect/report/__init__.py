"""A data folder as one page for people: what of it was collected, what is missing, and what it looks like.

histogram  how often each value came, in bins of a fixed share of it, and quantiles of that
axis       the page's time, cut into points, bars and lines of a table
rows       the columns of some rows
reading    the files of a history as such rows, by the points of the axis
series     rows as what a chart shows of them, in memory that the axis bounds: Quotes, Last, Sides, Near, Delays
recipes    which columns make which of these
folder     a folder's symbols, one after the other, as all of that
causes     the look of each cause of a gap
numbers    numbers, times and scales as people read them
svg        elements, paths and shades
figures    a chart with its labels and its table
drawings   what of each series is a figure
waits      what of delays is one
summary    a history in a line of the table
strips     the coverage of each history
style      the page's CSS
page       all of it as HTML

Pure but for `reading` and `folder`.
"""
