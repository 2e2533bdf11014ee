"""Compares locked packages with advisories in the format of OSV (https://ossf.github.io/osv-schema/).

The advisories are a file that the operator gives: PyPI's export of OSV (`PyPI/all.zip`), a folder of such JSON files or
one of them. Nothing is asked over the network.
"""

import re
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

_PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(\[[^\]]*\])?==(?P<version>[^\s;]+)")


class AdvisoryError(Exception):
    """The advisories cannot be read."""


@dataclass(frozen=True, slots=True)
class Pin:
    """A locked package."""

    name: str
    version: str


class _Package(msgspec.Struct):
    ecosystem: str = ""
    name: str = ""


class _Range(msgspec.Struct):
    type: str = ""
    events: list[dict[str, str]] = []


class _Affected(msgspec.Struct):
    package: _Package = msgspec.field(default_factory=_Package)
    ranges: list[_Range] = []
    versions: list[str] = []


class Advisory(msgspec.Struct):
    """What is known about some packages."""

    id: str
    summary: str = ""
    withdrawn: str = ""
    affected: list[_Affected] = []


def read_pins(lock: Path) -> list[Pin]:
    """Read the packages of a lock file."""
    matches = (_PIN.match(line) for line in lock.read_text().splitlines())
    return [Pin(canonicalize_name(match["name"]), match["version"]) for match in matches if match]


def read_advisories(file: Path, names: Collection[str]) -> tuple[dict[str, list[Advisory]], int]:
    """Read the advisories about packages.

    Args:
        file: A zip or a folder of JSON files, or one of them.
        names: Canonical names of the packages.

    Returns:
        The advisories by package, and how many were read in all.

    Raises:
        AdvisoryError: There are none, or one cannot be read.
    """
    found: dict[str, list[Advisory]] = {}
    count = 0
    for name, content in _documents(file):
        try:
            advisory = msgspec.json.decode(content, type=Advisory)
        except msgspec.MsgspecError as error:
            raise AdvisoryError(f"{name} is no advisory of OSV: {error}") from error
        count += 1
        for package in {canonicalize_name(one.package.name) for one in advisory.affected} & {*names}:
            if not advisory.withdrawn:
                found.setdefault(package, []).append(advisory)
    if not count:
        raise AdvisoryError(f"{file} holds no advisories.")
    return found, count


def find_known(pin: Pin, advisories: Mapping[str, Sequence[Advisory]]) -> list[Advisory]:
    """Return the advisories that a package is affected by."""
    return [
        advisory
        for advisory in advisories.get(pin.name, ())
        if any(_affects(affected, pin) for affected in advisory.affected)
    ]


def _documents(file: Path) -> Iterator[tuple[str, bytes]]:
    try:
        if file.is_dir():
            yield from ((str(path), path.read_bytes()) for path in sorted(file.rglob("*.json")))
        elif zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as packed:
                yield from ((name, packed.read(name)) for name in packed.namelist() if name.endswith(".json"))
        else:
            yield str(file), file.read_bytes()
    except (OSError, zipfile.BadZipFile) as error:
        raise AdvisoryError(f"{file} cannot be read: {error}") from error


def _affects(affected: _Affected, pin: Pin) -> bool:
    if affected.package.ecosystem != "PyPI" or canonicalize_name(affected.package.name) != pin.name:
        return False
    # A local build (`+cpu`) is one of the public version.
    public = pin.version.partition("+")[0]
    return public in affected.versions or any(
        _in_range(Version(public), each.events) for each in affected.ranges if each.type == "ECOSYSTEM"
    )


def _in_range(version: Version, events: Sequence[Mapping[str, str]]) -> bool:
    """Follow the events of a range in the order of their versions, as the schema says."""
    inside = False
    for kind, text in sorted((pair for event in events for pair in event.items()), key=_order):
        at = _version(text)
        if kind == "introduced" and version >= at:
            inside = True
        elif (kind == "fixed" and version >= at) or (kind == "last_affected" and version > at):
            inside = False
    return inside


def _order(event: tuple[str, str]) -> Version:
    return _version(event[1])


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion as error:
        raise AdvisoryError(f"{text} is no version of a Python package") from error
