"""The archives in which PaddleSpeech publishes its networks: checked, unpacked once, and kept.

PaddleSpeech states only an md5 for them (`paddlespeech/resource/pretrained_models.py`). It shows
that a download is whole; it is no proof of who made it.
"""

import hashlib
import shutil
import tarfile
import tempfile
from pathlib import Path

from pipeline.errors import ModelDigestError, ModelError, ModelMissingError
from pipeline.models import Models

MARK = ".md5"
"""File in an unpacked folder that holds the md5 of its archive."""


def ensure_unpacked(models: Models, name: str) -> Path:
    """The folder of a model whose archive lies in `<home>/checkpoints`; raises a `ModelError`."""
    settings = models.entry(name).settings
    address, md5 = str(settings["address"]), str(settings["md5"])
    archive = models.home / "checkpoints" / address.rpartition("/")[2]
    folder = models.home / "models" / f"{name}-{md5[:12]}"
    if _is_whole(folder, md5):
        return folder
    if not archive.is_file():
        raise ModelMissingError(
            f"The weights of {name} are not here.", mend=f"Download {address} into {archive.parent}."
        )
    _check(archive, md5)
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder.parent))
    try:
        with tarfile.open(archive) as packed:
            packed.extractall(draft, filter="data")
        (draft / MARK).write_text(md5, encoding="ascii")
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)
    except (OSError, tarfile.TarError) as error:
        raise ModelError(
            f"The weights of {name} could not be unpacked.",
            mend=f"Check the free space and the rights of {folder.parent}.",
            detail=f"{archive}: {error}",
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def _is_whole(folder: Path, md5: str) -> bool:
    mark = folder / MARK
    return mark.is_file() and mark.read_text(encoding="ascii") == md5


def _check(archive: Path, md5: str) -> None:
    with archive.open("rb") as stream:
        found = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found != md5:
        raise ModelDigestError(
            f"{archive.name} is not the archive that PaddleSpeech publishes.",
            mend=f"Delete {archive} and download it again.",
            detail=f"md5 {found}, expected {md5}",
        )
