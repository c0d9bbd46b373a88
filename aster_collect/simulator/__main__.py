"""`python -m aster_collect.simulator`: another door to `simulate`."""

import sys

from ..cli import main

if __name__ == "__main__":
    sys.exit(main(["simulate", *sys.argv[1:]]))
