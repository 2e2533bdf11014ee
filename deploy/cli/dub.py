"""Accept a dub as a sound file, a zip, a folder of files, or a manifest beside its files."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import ValidationError
from pipeline.mix.dub.manifest import pack
from pipeline.mix.dub.params import ZIP_SUFFIX


def is_several(dub: Path) -> bool:
    """Tell whether a dub is a folder of files, or a manifest beside them."""
    return dub.is_dir() or dub.suffix.lower() == ".json"


@contextmanager
def packed_dub(dub: Path | None, scratch: Path) -> Iterator[Path | None]:
    """Give the dub as one file for the store; files of a folder are checked by their names and packed.

    Args:
        dub: The dub, as a person named it.
        scratch: Folder for temporary files.

    Raises:
        ValidationError: The dub does not exist, or its files cannot be used.
    """
    if dub is None or not is_several(dub):
        yield dub
        return
    if not dub.exists():
        raise ValidationError(f"There is no file {dub}.", hint="Check the path.")
    with tempfile.TemporaryDirectory(prefix="dub-", dir=scratch) as folder:
        bundle = Path(folder) / f"dub{ZIP_SUFFIX}"
        pack(dub, bundle)
        yield bundle
