"""Download and unpacking of the archives in which PaddleSpeech publishes its networks."""

import shutil
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

from pipeline.errors import ModelError
from pipeline.models.loader import Models
from pipeline.models.unpack import extract

CHECKSUM_FILE = ".md5"
"""In an unpacked folder; holds the md5 of its archive."""


def ensure_unpacked(models: Models, name: str, report: Callable[[float, str], None] | None = None) -> Path:
    """Return the unpacked folder of a model, downloading and unpacking its archive first if need be.

    Raises:
        ModelError: The archive cannot be had or unpacked.
    """
    (file,) = models.entry(name).hub
    folder = models.home / "models" / f"{name}-{file.md5[:12]}"
    if _is_whole(folder, file.md5):
        return folder
    archive = models.fetched(name, report)[file.name]
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder.parent))
    try:
        with tarfile.open(archive) as packed:
            extract(packed, draft)
        (draft / CHECKSUM_FILE).write_text(file.md5, encoding="ascii")
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)
    except (OSError, tarfile.TarError) as error:
        raise ModelError(
            f"The weights of {name} could not be unpacked.",
            hint=f"Check the free space and the rights of {folder.parent}.",
            detail=f"{archive}: {error}",
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def _is_whole(folder: Path, md5: str) -> bool:
    mark = folder / CHECKSUM_FILE
    return mark.is_file() and mark.read_text(encoding="ascii") == md5
