"""Entry point of `python3 -m deploy.setup`; old interpreters must be able to parse this file."""

import sys

if sys.version_info < (3, 10):  # noqa: UP036 - the system's python3 may be any
    sys.exit("Stemcord needs CPython 3.11. Install it (the command python3.11) and run `make env` again.")

from deploy.setup.command import main

sys.exit(main(sys.argv[1:]))
