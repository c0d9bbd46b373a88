"""`python -m aster_collect.verify`: another door to `verify`."""

import sys

from ..cli import main

if __name__ == "__main__":
    sys.exit(main(["verify", *sys.argv[1:]]))
