"""Data classes of the catalogue: models and their files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pipeline.types import StemName

Environment = Literal["media", "asr"]
"""Which of the two Python environments an engine lives in."""
SHA256_HEX_DIGITS = 64
"""Hexadecimal digits of a whole sha256."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageFile:
    """A file of a model inside an installed package, with its digest."""

    name: str
    package: str
    """Import name of the package that ships the file; found without importing it."""
    path: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HubFile:
    """A file of a model that hubs publish, downloaded once by `pipeline.models.download.client`."""

    name: str
    """Path below `<home>/checkpoints`, with slashes."""
    addresses: tuple[str, ...]
    """Where the same bytes are kept, tried in this order; https."""
    sha256: str
    """Whole, or its first digits (eight or more) where no more is published; empty where only an md5 is."""
    size: int
    """Bytes; 0 where it is not published."""
    md5: str = ""
    """The maker's, where no sha256 is published: other bytes to the same md5 can be made by the maker alone."""

    @property
    def pinned(self) -> bool:
        """Whether the catalogue knows the complete sha256, so that no other bytes can pass."""
        return len(self.sha256) == SHA256_HEX_DIGITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model: its files, origin, licence and purpose."""

    name: str
    engine: str
    environment: Environment
    licence: str
    source: str
    """A page for people; for a model that asks for consent, the page where it is given."""
    good_for: str
    distribution: str = ""
    """What to install, as pip names it; empty for a model of a hub."""
    files: tuple[PackageFile, ...] = ()
    """What comes with packages."""
    hub: tuple[HubFile, ...] = ()
    """What is fetched, on first use or by `stemcord models fetch`."""
    settings: Mapping[str, str | int | float] = field(default_factory=dict[str, str | int | float], hash=False)
    """What its engine must know of the network and its files do not tell."""
    stems: tuple[StemName, ...] = ()
    sample_rate: int = 0

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in (*self.files, *self.hub))
