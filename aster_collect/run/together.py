"""Whether lines of a record belong together: one folder has one run at a time, and each hour says which goes on."""

import time
from collections.abc import Iterable, Iterator

from ..errors import ConfigError
from ..order.entries import Again, Entry, Moment, Run


def of_one_folder(entries: Iterable[tuple[Moment, Entry]]) -> Iterator[tuple[Moment, Entry]]:
    """Yield entries as they are; raises `ConfigError` where they go on with another run than that of those before."""
    run: Run | None = None
    for moment, entry in entries:
        if type(entry) is Run:
            run = entry
        elif type(entry) is Again and isinstance(entry.entry, Run):
            if run is not None and run.began_ns != entry.entry.began_ns:
                raise ConfigError(
                    f"RAW: from {_time(moment.ns)} on of a run that began at {_time(entry.entry.began_ns)}, and before "
                    f"that of one that began at {_time(run.began_ns)}; give all files of one folder, none left out"
                )
            run = entry.entry
        yield moment, entry


def _time(unix_ns: int) -> str:
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(unix_ns // 10**9))}.{unix_ns // 10**6 % 1000:03d}Z"
