"""Unpack archives of weights safely."""

import tarfile
from pathlib import Path


def extract(packed: tarfile.TarFile, folder: Path) -> None:
    """Extract regular files and folders that lie inside the folder.

    Raises:
        tarfile.TarError: The archive holds anything else.
    """
    if hasattr(tarfile, "data_filter"):
        packed.extractall(folder, filter="data")
        return
    # CPython before 3.11.4, which Debian 12 has, knows no filters.
    for member in packed:
        inside = (folder / member.name).resolve().is_relative_to(folder.resolve())
        if not inside or not (member.isreg() or member.isdir()):
            raise tarfile.ExtractError(f"{member.name} has no place in the archive")
        packed.extract(member, folder, set_attrs=False)
