"""What the system lets one process have: files open at once."""

import sys

from ..errors import ConfigError

if sys.platform == "win32":

    def allow_open_files(needed: int) -> None:
        """Do nothing: Windows sets no such limit for descriptors opened this way."""

else:
    import resource

    def allow_open_files(needed: int) -> None:
        """Raise the soft limit of open files to what is needed; `ConfigError` where the hard limit forbids it."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft == resource.RLIM_INFINITY or soft >= needed:
            return
        if hard != resource.RLIM_INFINITY and hard < needed:
            raise ConfigError(
                f"symbols: so many need {needed} open files, {hard} allowed; raise the limit (ulimit -Hn {needed}, "
                f"LimitNOFILE={needed}), or divide the symbols over two folders"
            )
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
