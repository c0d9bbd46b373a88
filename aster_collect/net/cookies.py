"""A handshake whose answer sets no cookie."""

import io
import re

from .dial import Bounded

SET_COOKIE = re.compile(rb"^set-cookie:[^\n]*\n", re.IGNORECASE | re.MULTILINE)


class WithoutCookies(Bounded):
    """A socket whose first answer sets no cookie: nothing here needs one, and the library chokes on odd names."""

    _head: io.BytesIO | None = None

    def recv(self, size: int) -> bytes:
        """Return what has come, as `Bounded` does."""
        if self._head is None:
            self._head = io.BytesIO(SET_COOKIE.sub(b"", self._read_head()))
        return self._head.read(size) or super().recv(size)

    def _read_head(self) -> bytes:
        head = bytearray()
        while not head.endswith(b"\n\r\n"):
            byte = super().recv(1)  # not one more: the frames come next
            if not byte:
                break
            head += byte
        return bytes(head)
