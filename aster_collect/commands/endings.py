"""What reading a data folder and writing files can end with, as one line and an exit status."""

import contextlib
from collections.abc import Iterator

from ..archive import DamagedFile, NoLedger
from ..errors import ConfigError, DataError, StoreError
from ..files.histories import NotAFolder


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Turn what a tool meets into what a command ends with: no folder, a damaged file, a disk that is full."""
    try:
        yield
    except NotAFolder as error:
        raise ConfigError(str(error)) from error
    except (DamagedFile, NoLedger) as error:
        raise DataError(str(error)) from error
    except OSError as error:
        raise StoreError(
            f"{error.filename or 'a file'}: {error.strerror or error}; nothing half-written stays"
        ) from error
