"""The files of one history, oldest first, each block of lines checked as it is read."""

from collections.abc import Iterator, Sequence
from operator import itemgetter

from ..exchange.shape import Form, form, reason, shown
from ..exchange.streams.kind import Kind
from ..files.source import Damaged, Source
from .ledger import Flaw, Ledger
from .lines import Lines
from .order import Rows
from .report import Report


class Reading:
    """The files of one history; `blocks` are their good lines, each once and each checked before it is seen."""

    def __init__(self, kind: Kind, sources: Iterator[Source], order: Rows | Ledger, report: Report) -> None:
        self.kind = kind
        self.rows = 0
        self.names: list[str] = []
        self._order = order
        self._report = report
        self.blocks = self._files(sources)

    def finish(self) -> None:
        """Read what is left."""
        for _ in self.blocks:
            pass

    def _files(self, sources: Iterator[Source]) -> Iterator[Lines]:
        for source in sources:
            self.names.append(source.name)
            self._order.begin_file(source.part.length_ms)
            yield from self._file(source)

    def _file(self, source: Source) -> Iterator[Lines]:
        number, shape = 1, None
        try:
            for block in source.blocks():
                data = block.data
                if shape is None and block.whole:
                    header, _, data = data.partition(b"\n")
                    shape = form(self.kind, header)
                    number = 2
                    if shape is None:
                        why = (
                            f"not the header of a {self.kind.name} file, so its rows were not checked: {shown(header)}"
                        )
                        self._report.broken(source.name, 1, why)
                        self._order.lose_track()
                        return
                if not block.whole:
                    self._torn(source, number, data, shape)
                    return
                assert shape is not None
                yield self._lines(source.name, number, data, shape)
                number += data.count(b"\n")
        except Damaged as error:
            self._report.broken(source.name, number, f"damaged, the rest was not read: {error}")
            self._order.lose_track()
        else:
            if shape is None and not source.growing:
                self._report.broken(source.name, 1, "empty, without even a header")

    def _torn(self, source: Source, number: int, data: bytes, shape: Form | None) -> None:
        """Tell of what stands behind the last line end; in a file that grows it is a row under way."""
        why = reason(data, shape)
        if len(data) > source.line_bytes:
            self._report.broken(source.name, number, f"{why}, and more that was not read")
            self._order.lose_track()
        elif not source.growing:
            self._report.broken(source.name, number, why)

    def _lines(self, name: str, number: int, data: bytes, shape: Form) -> Lines:
        """Check whole lines, from a number on; return the good ones."""
        numbers: Sequence[int] = range(number, number + data.count(b"\n"))
        flaws: list[Flaw] = []
        if not shape.pattern.fullmatch(data):
            numbers, data, flaws = _sift(shape, data, number)
        lines = Lines(name, shape, numbers, data[:-1].replace(b"\n", b",").split(b",") if data else [])
        flaws += self._order.take(lines)
        for at, why in sorted(flaws, key=itemgetter(0)):
            self._report.broken(name, at, why)
        self.rows += len(numbers)
        return lines


def _sift(shape: Form, data: bytes, number: int) -> tuple[list[int], bytes, list[Flaw]]:
    """Return the good lines of a block that has bad ones, and what is wrong with those."""
    numbers, good, flaws = [], [], []
    for at, text in enumerate(data[:-1].split(b"\n"), number):
        text += b"\n"
        if shape.pattern.fullmatch(text):
            numbers.append(at)
            good.append(text)
        else:
            flaws.append((at, reason(text, shape)))
    return numbers, b"".join(good), flaws
