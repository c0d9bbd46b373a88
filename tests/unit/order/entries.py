"""Entries as tests of the record have them, and their lines."""

from aster_collect.exchange.events import Batch, Message
from aster_collect.order.entries import Entry, Moment
from aster_collect.order.record import lines_of
from aster_collect.order.record_reader import Line

AT = Moment(29106.568232019, 1_795_538_532_400_074_767)
QUOTE = b'{"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","s":"BTCUSDT"}}'
CHINESE = '{"stream":"币安人生usdt@aggTrade","data":{}}'.encode()


def batch(*frames: bytes, junk: bytes = b"\x81\x7e\n") -> Batch:
    """Return one read of a connection, in which something lies between the frames."""
    data, bounds = bytearray(), []
    for frame in frames:
        data += junk
        bounds += [len(data), len(data) + len(frame)]
        data += frame
    return Batch(3, 1_795_538_532_300_000_001, 29106.468, bytes(data), bounds)


def texts(*entries: Entry) -> list[Line]:
    """Return the lines of entries, as a reader of files has them."""
    lines = b"".join(lines_of(AT, entry).text for entry in entries).split(b"\n")[:-1]
    return [(int(line[:19]), line[20:]) for line in lines]


def frames_of(read: Message) -> list[bytes]:
    assert isinstance(read, Batch)
    each = iter(read.bounds)
    return [read.data[start:stop] for start, stop in zip(each, each, strict=True)]
