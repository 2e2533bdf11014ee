"""Model hubs as seen from here: whether one answers at all."""

import urllib.error
import urllib.request
from typing import Final

REACH: Final = 5.0
"""Seconds for an address to answer; libraries would wait for minutes."""


def answers(address: str) -> bool:
    """True when somebody answers at the address, with whatever status."""
    request = urllib.request.Request(address, method="HEAD")  # noqa: S310 - https, from the libraries' constants
    try:
        with urllib.request.urlopen(request, timeout=REACH):  # noqa: S310
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
