"""`python -m aster_collect.health`: another door to `health`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main(["health", *sys.argv[1:]]))
