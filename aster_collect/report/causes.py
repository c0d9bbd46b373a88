"""The look of each cause of a gap: of one of five colours and one of four patterns, so that no two are the same.

Vermilion, blue, pink, green and black are of the palette of Okabe and Ito, which colour-blind people can tell apart.
"""

from typing import NamedTuple

from ..exchange.ledger import CAUSES

COLOURS = 5
_OVER = (
    "",
    '<path d="M-2 2 2-2M0 8 8 0M6 10 10 6" class="o"/>',
    '<path d="M0 2H8" class="o"/>',
    '<circle cx="4" cy="4" r="1.7" class="d"/>',
)


class Look(NamedTuple):
    """How a cause is shown: which colour, and which pattern over it."""

    colour: int
    pattern: int


LOOKS = {cause: Look(at % COLOURS, at // COLOURS % len(_OVER)) for at, cause in enumerate(CAUSES)}
_NAMES = {cause: f"g{at}" for at, cause in enumerate(CAUSES)}


def name(cause: str) -> str:
    """Return what a cause's pattern is called in the page."""
    return _NAMES[cause]


STYLE = "".join(f".{name(cause)}{{fill:url(#{name(cause)})}}" for cause in CAUSES)
PATTERNS = "".join(
    f'<pattern id="{name(cause)}" width="8" height="8" patternUnits="userSpaceOnUse">'
    f'<rect width="8" height="8" class="c{look.colour}"/>{_OVER[look.pattern]}</pattern>'
    for cause, look in LOOKS.items()
)
