"""`python -m molgraph` is `molgraph`."""

import sys

from molgraph.cli import main

sys.exit(main())
