"""Every error of the program, named by what the program does about it.

| error          | raised by           | what happens                                                    |
|----------------|---------------------|-----------------------------------------------------------------|
| `ConfigError`  | options, commands   | one line on standard error, exit status 2                       |
| `LockedError`  | store, tools        | one line on standard error, exit status 3                       |
| `DataError`    | tools               | one line on standard error, exit status 1                       |
| `NetworkError` | dial                | a feed or rest makes its own error of it                        |
| `FeedError`    | frames, connection, feed | the connection is closed and opened again after a back-off      |
| `RestError`    | rest                | the request is asked again later, or its hole becomes a gap     |
| `DecodeError`  | decoder, its kinds, pages | the frame goes verbatim to `rejects.jsonl`, the feed goes on    |
| `StoreError`   | store, raw record   | rows stay in memory, the write is tried again after a pause     |
"""


class ConfigError(Exception):
    """A request that can't be met; the text says what was given, what is allowed and what to do."""


class LockedError(Exception):
    """Another collector owns the data folder, or another run writes a file."""


class DataError(Exception):
    """A data file holds what a tool can't take; the text says which file and line, and what to do."""


class NetworkError(Exception):
    """A host could not be reached, or did not answer as it should.

    `reason` is a short word for counting, `wait_s` how long the exchange wants to be left alone.
    """

    def __init__(self, reason: str, detail: str, wait_s: float = 0.0) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.wait_s = wait_s


class FeedError(Exception):
    """A connection is of no more use; `reason` is a short word for counting, the text says the rest.

    `wait_s` is how long the exchange wants to be left alone.
    """

    def __init__(self, reason: str, detail: str = "", wait_s: float = 0.0) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.wait_s = wait_s


class RestError(Exception):
    """A REST request brought no usable answer."""


class DecodeError(Exception):
    """A frame is not what the protocol says."""


class StoreError(Exception):
    """Rows, or lines of the record, could not be written; they are still in memory."""
