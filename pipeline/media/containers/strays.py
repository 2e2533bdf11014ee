"""Time stamps that lie far off between two that do not."""

from pathlib import Path

from pipeline.media.containers.container import open_container
from pipeline.media.containers.packet_clock import read_ends


def read_strays(path: Path, sound_index: int) -> tuple[float, ...]:
    """Read a clip to its end and return the stray stamps of a sound track, in seconds."""
    with open_container(path) as container:
        return read_ends(container, sound_index).strays
