"""`python -m aster_collect.verify`."""

import sys

from ..commands.verify import main

if __name__ == "__main__":
    sys.exit(main())
