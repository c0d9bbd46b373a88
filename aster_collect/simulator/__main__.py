"""`python -m aster_collect.simulator`."""

import sys

from ..commands.simulate import main

if __name__ == "__main__":
    sys.exit(main())
