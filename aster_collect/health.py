"""`python -m aster_collect.health`."""

import sys

from .commands.health import main

if __name__ == "__main__":
    sys.exit(main())
