from aster_collect.cli import main

raise SystemExit(main())
