"""How wide a text is on a terminal, and as much of it as fits. Pure."""

from unicodedata import east_asian_width


def columns(text: str) -> int:
    """Return how many columns of a terminal a text takes; wide characters take two."""
    if text.isascii():
        return len(text)
    return sum(2 if east_asian_width(one) in "WF" else 1 for one in text)


def fit(text: str, width: int) -> str:
    """Return as much of a text as `width` columns hold."""
    if columns(text) <= width:
        return text
    taken = 0
    for at, one in enumerate(text):
        taken += columns(one)
        if taken > width:
            return text[:at]
    return text
