"""What could not be read, kept verbatim in `rejects.jsonl`, up to a bound."""

import json
import logging

from .appender import Appender, Divider
from .tail import last_line_end

log = logging.getLogger(__name__)

REJECTS_NAME = "rejects.jsonl"
REJECTS_BYTES = 10 << 20


class Rejects:
    """The file of rejects: one JSON object a line."""

    def __init__(self, appender: Appender) -> None:
        """Open the file; raises `OSError`."""
        self.count = 0
        self.appender = appender
        self._full_said = False
        self._open()

    def add(self, source: str, received_ns: int, reason: str, data: bytes) -> None:
        """Keep an entry; its data is `json.loads(line)["data"].encode("utf-8", "surrogateescape")`."""
        self.count += 1
        entry = {
            "time": f"{received_ns // 10**9}.{received_ns % 10**9:09d}",
            "source": source,
            "reason": reason,
            "data": data.decode("utf-8", "surrogateescape"),
        }
        line = (json.dumps(entry) + "\n").encode("ascii")
        if self.appender.size + self.appender.pending.size + len(line) <= REJECTS_BYTES:
            self.appender.pending.append(line)
        elif not self._full_said:
            self._full_said = True
            log.warning("rejects full file=%s limit_mib=%d further=counted_only", REJECTS_NAME, REJECTS_BYTES >> 20)

    def gone(self) -> bool:
        """Return whether somebody deleted the file."""
        return self.appender.descriptor < 0 or self.appender.changed() == "deleted"

    def start_over(self) -> None:
        """Begin another file under the name."""
        self.appender.start_over(b"")
        self._full_said = False

    def reopen(self) -> None:
        """At the next flush, once all is written, go on in the file that is under the name by then."""
        self.appender.pending.add_divider(Divider("reopen"))

    def flush(self, *, sync: bool) -> None:
        """Write what is pending; raises `OSError`, and nothing is lost by it."""
        self.appender.flush(sync=sync)
        while self.appender.pending.divider is not None:
            if not self.appender.is_at_path():
                self.appender.sync()
                self.appender.close()
                self._open()
            self.appender.pending.pass_divider()
            self.appender.flush(sync=sync)

    def _open(self) -> None:
        """Open the file, and cut what a crash left of a line."""
        self.appender.open()
        end = last_line_end(self.appender.descriptor)
        if end < self.appender.size:
            self.appender.cut(end)
        self._full_said = False
