"""How frames of the exchange stand in a record: each on a line, as it came, or escaped where it can't. Pure."""

import json
from collections.abc import Sequence

OURS = b'{"aster"'  # how a line begins that is not the exchange's
_OF_A_STREAM = b'{"stream":"'


def on_lines(head: bytes, frames: Sequence[bytes], stamp: bytes) -> bytes:
    """Return a head, which is a line, and behind it the lines of frames, each behind its stamp."""
    return _together(head, frames, stamp) or head + b"".join([b"%b%b\n" % (stamp, _alone(frame)) for frame in frames])


def text_of(data: bytes) -> str:
    """Return bytes as a text that JSON can hold, whatever they are."""
    return data.decode("utf-8", "surrogateescape")


def bytes_of(text: str) -> bytes:
    """Return the bytes that such a text holds."""
    return text.encode("utf-8", "surrogateescape")


def _together(head: bytes, frames: Sequence[bytes], stamp: bytes) -> bytes:
    """Return the lines of frames all of which can stand as they came; nothing where one can't, or is not of a stream.

    To look at them as one text costs a third of looking at each.
    """
    if b"\n" in (joined := b"".join(frames)) or not (joined.endswith(b"}") and (joined.isascii() or _is_text(joined))):
        return b""
    between = b"\n" + stamp
    text = b"%b%b%b\n" % (head, stamp, between.join(frames))
    return text if text.count(b"}" + between + _OF_A_STREAM) == len(frames) else b""


def _alone(frame: bytes) -> bytes:
    return frame if _can_stand(frame) else _escaped(frame)


def _can_stand(frame: bytes) -> bool:
    """Return whether a frame can be a line as it came."""
    return (
        frame[:1] == b"{"
        and frame[-1:] == b"}"
        and b"\n" not in frame
        and not frame.startswith(OURS)
        and (frame.isascii() or _is_text(frame))
    )


def _is_text(frame: bytes) -> bool:
    try:
        str(frame, "utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _escaped(frame: bytes) -> bytes:
    return json.dumps({"aster": "frame", "data": text_of(frame)}, separators=(",", ":")).encode("ascii")
