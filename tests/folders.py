"""Files of folders in which somebody else is at work."""

import os
from collections.abc import Iterator
from pathlib import Path


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder; other than with `Path.rglob`, a folder may vanish meanwhile."""
    for place, _, names in os.walk(folder):
        yield from (Path(place, name) for name in names)
