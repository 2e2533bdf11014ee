"""`python -m worker.telemetry.health [PORT]`: ends with 0 when the process that shows metrics there is alive.

Its event loop notes the time every few seconds, so one that hangs is not well although its metrics are still shown.
That the broker is away is nothing that starting the process anew would mend.
"""

import os
import re
import sys
import time
import urllib.request
from collections.abc import Sequence
from typing import Final

MAX_AGE_S: Final = 30.0
REQUEST_TIMEOUT_S: Final = 4.0
_ALIVE: Final = re.compile(r"^stemcord_alive_timestamp_seconds (\S+)$", re.MULTILINE)


def main(arguments: Sequence[str]) -> int:
    """Return the exit code; a failure is told on standard error."""
    port = int(arguments[0] if arguments else os.environ.get("STEMCORD_METRICS_PORT") or 0)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=REQUEST_TIMEOUT_S) as answer:
            found = _ALIVE.search(answer.read().decode())
    except OSError as error:
        sys.stderr.write(f"no metrics on port {port}: {error}\n")
        return 1
    age = time.time() - float(found[1]) if found else float("inf")
    if age > MAX_AGE_S:
        sys.stderr.write(f"the process last gave a sign of life {age:.0f} s ago\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
