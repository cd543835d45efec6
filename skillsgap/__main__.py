"""``python -m skillsgap <verb>``: everything a target of make does."""

import sys

from skillsgap.run.cli import main

if __name__ == "__main__":
    sys.exit(main())
