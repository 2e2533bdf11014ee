"""Samples that lie behind the end of the sound, since the header of a recording names too small a size."""

from pathlib import Path
from typing import Final

_CHUNKED: Final = ("wav", "aiff", "caf", "w64")
"""Containers of chunks, by libav's short names; only an au is read to the end of the file whatever it declares."""
_TAGS: Final = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN")
"""What programs put behind the last chunk."""
_W64_GUID_END: Final = bytes.fromhex("f3acd3118cd100c04f8edb8a")
_BLOCK_BYTES: Final = 1 << 20


def count_loose_bytes(path: Path, container: str, end: int) -> int:
    """Count the bytes behind the last sample that are neither chunks, nor tags, nor zeros.

    Args:
        path: The clip.
        container: By libav's short name.
        end: Where the last sample ends.
    """
    size = path.stat().st_size
    if container not in _CHUNKED or not 0 < end < size:
        return 0
    with path.open("rb") as file:
        file.seek(end)
        head = file.read(32)
        if _is_known(container, head, size - end) or _is_known(container, head[1:], size - end - 1):
            return 0
        file.seek(end)
        while block := file.read(_BLOCK_BYTES):
            if any(block):
                return size - end
    return 0


def _is_known(container: str, head: bytes, rest: int) -> bool:
    """Tell whether a chunk or a tag begins here; chunks of an odd size are filled up with a byte."""
    if head.startswith(_TAGS):
        return True
    if container == "w64":
        # A chunk is as long as it says, or up to seven bytes more.
        return head[4:16] == _W64_GUID_END
    name, byteorder = head[:4], "little" if container == "wav" else "big"
    length = int.from_bytes(head[4 : 12 if container == "caf" else 8], byteorder)
    return len(name) == 4 and all(0x20 <= letter < 0x7F for letter in name) and length <= rest
