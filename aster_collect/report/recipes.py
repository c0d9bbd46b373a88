"""Which columns make which series, and how those are drawn: asked of a file's columns, never of its kind."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from ..exchange.cells import RECEIVE_TIME
from ..exchange.shape import Form
from . import drawings, waits
from .axis import Axis, Cut
from .drawings import Draw
from .rows import Rows
from .series import Books, Delays, Last, Quotes, Sides, Tops


class Series(Protocol):
    """What a chart shows of a history."""

    def take(self, at: int, rows: Rows) -> None:
        """Add rows of a step."""

    def end(self) -> None:
        """Note that there are no more."""


class Recipe(NamedTuple):
    """A chart, or some of a kind: what makes its series of files that have the columns, and what draws those."""

    make: Callable[[Form], Series | None]
    cut: Callable[[Axis], Cut]
    draw: Draw


def _points(axis: Axis) -> Cut:
    return axis.points


def _bars(axis: Axis) -> Cut:
    return axis.bars


def _with(*columns: str, make: Callable[[], Series]) -> Callable[[Form], Series | None]:
    """Return what makes a series of files that have all of the columns."""

    def made(form: Form) -> Series | None:
        return make() if {*columns} <= {column.name for column in form.columns} else None

    return made


def _depth(form: Form) -> Series | None:
    """Return what tells the depth of a file that shows the top of the book, more than its best level, or all of it."""
    names = {column.name for column in form.columns}
    if {"previous_update_id", "bids", "asks"} <= names:
        return Books()
    return Tops() if form.top and len(form.top[0]) > 2 else None


_MARKS, _FUNDING, _INTEREST = ("mark_price", "index_price"), "funding_rate", "open_interest"

RECIPES = (
    Recipe(_with("bid", "ask", "mid", make=Quotes), _points, drawings.quotes),
    Recipe(_with("id", "side", "price", "quantity", make=lambda: Sides("price", "quantity")), _bars, drawings.sides),
    Recipe(_with(RECEIVE_TIME.name, make=Delays), _points, waits.delays),
    Recipe(_depth, _points, drawings.depth),
    Recipe(_with(*_MARKS, make=lambda: Last(*_MARKS)), _points, drawings.marks),
    Recipe(_with(_FUNDING, make=lambda: Last(_FUNDING)), _points, drawings.funding),
    Recipe(_with(_INTEREST, make=lambda: Last(_INTEREST)), _points, drawings.interest),
    Recipe(
        _with("side", "average_price", "filled", make=lambda: Sides("average_price", "filled")), _bars, drawings.sides
    ),
)
