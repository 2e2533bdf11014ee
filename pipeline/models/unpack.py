"""Archives of weights, unpacked without trust."""

import tarfile
from pathlib import Path


def extract(packed: tarfile.TarFile, folder: Path) -> None:
    """Files and folders alone, none outside of the folder; raises `tarfile.TarError` for anything else."""
    if hasattr(tarfile, "data_filter"):
        packed.extractall(folder, filter="data")
        return
    # CPython before 3.11.4, which Debian 12 has, knows no filters.
    for member in packed:
        inside = (folder / member.name).resolve().is_relative_to(folder.resolve())
        if not inside or not (member.isreg() or member.isdir()):
            raise tarfile.ExtractError(f"{member.name} has no place in the archive")
        packed.extract(member, folder, set_attrs=False)
