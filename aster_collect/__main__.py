"""`python -m aster_collect`."""

import sys

from .cli import main

sys.exit(main())
