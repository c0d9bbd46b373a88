"""The parts of the exact shapes in which the exchange sends its frames, to the last character.

A shape is one compiled pattern: 1 µs instead of 5 for a quote, 5 instead of 30 for a book of 20 levels. What differs in
anything, a new key, another order, a space, goes the general way, by JSON.
"""

TEXT = r'[^"\\\x00-\x1f\x7f-\xff]*+'
DECIMAL = r"[0-9]{1,32}+(?:\.[0-9]{1,32}+)?+"
ID = r"(?:0|[1-9][0-9]{0,17}+)"
MS = r"[1-9][0-9]{12}"
WRAPPED = rf'\{{"stream":"{TEXT}","data":\{{"e":'
LEVEL = rf'\["{DECIMAL}","{DECIMAL}"\]'
SIDE = rf"\[((?:{LEVEL}(?:,{LEVEL})*+)?+)\]"
END = r"\}\}"


def wrapped(channel: str) -> str:
    """Return how a frame begins that comes over one channel, where others bring events of the same name."""
    return rf'\{{"stream":"[^"\\@\x00-\x1f\x7f-\xff]*+@{channel}","data":\{{"e":'
