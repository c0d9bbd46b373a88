import sys
from aster_collect.cli import main
sys.exit(main())
