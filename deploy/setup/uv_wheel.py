"""Fetch uv from the package index where this Python has no pip, as on a bare Debian."""

import hashlib
import io
import json
import os
import platform
import re
import shutil
import sys
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path

from deploy.setup.errors import SetupError

INDEX = "https://pypi.org/simple"
TIMEOUT_S = 60.0
"""Seconds without an answer."""
MAX_PAGE_BYTES = 16 * 1024 * 1024
MAX_WHEEL_BYTES = 64 * 1024 * 1024
WHEELS = {
    ("Linux", "x86_64"): (
        "uv-0.13.9-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19",
    ),
    ("Linux", "aarch64"): (
        "uv-0.13.9-py3-none-manylinux_2_28_aarch64.whl",
        "ecb6028d79dc96fbeafffe5c8af62a7099487ebc05a701e76714eebcffd06375",
    ),
    ("Darwin", "x86_64"): (
        "uv-0.13.9-py3-none-macosx_10_12_x86_64.whl",
        "c16ed11e013557536b3e60065f1b912f6407bd6518e041b961e23ef9e6b4fbf5",
    ),
    ("Darwin", "arm64"): (
        "uv-0.13.9-py3-none-macosx_11_0_arm64.whl",
        "66c512266d633bef48384a1f53003f41f2a8e7b36fe6e7fbfd3e0fd52d96fa63",
    ),
}
"""Name and sha256 of the wheel for each system and processor, as the index gives them."""
_BINARY = re.compile(r"uv-[0-9.]+\.data/scripts/uv")
_NO_UV_HINT = "Check the network, or install uv or pip yourself, then run `make env` again."


def fetch_wheel(target: Path, index: str | None = None) -> None:
    """Write uv's executable to a path.

    Args:
        target: Where it goes.
        index: Address of a package index; None: `PIP_INDEX_URL`, or else PyPI.

    Raises:
        SetupError: There is no wheel for this machine, or it cannot be had, or it is another than the known one.
    """
    wheel = WHEELS.get((platform.system(), platform.machine()))
    if wheel is None:
        raise SetupError(
            f"There is no known uv for {platform.system()} on {platform.machine()}.",
            hint="Install uv yourself, then run `make env` again.",
        )
    name, digest = wheel
    page = (index or os.environ.get("PIP_INDEX_URL") or INDEX).rstrip("/") + "/uv/"
    sys.stderr.write(f"      this Python has no pip: {name}, 18 MB, from {urllib.parse.urlsplit(page).hostname}\n")
    try:
        content = _read(_find(page, name), MAX_WHEEL_BYTES)
    except (OSError, ValueError, urllib.error.URLError) as error:
        raise SetupError(f"uv could not be fetched ({type(error).__name__}: {error}).", hint=_NO_UV_HINT) from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise SetupError("The uv that the package index gave is not the known one.", hint=_NO_UV_HINT)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (member,) = (known for known in archive.namelist() if _BINARY.fullmatch(known))
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as packed, target.open("wb") as binary:
            shutil.copyfileobj(packed, binary)
    target.chmod(0o755)


def _find(page: str, name: str) -> str:
    """Return the address of a file of an index (PEP 503 and PEP 691)."""
    text = _read(page, MAX_PAGE_BYTES).decode()
    if text.lstrip().startswith("{"):
        addresses = [file["url"] for file in json.loads(text)["files"] if file["filename"] == name]
    else:
        addresses = [found for found in re.findall(r'href="([^"#]+)', text) if found.rpartition("/")[2] == name]
    if not addresses:
        raise ValueError(f"{urllib.parse.urlsplit(page).hostname} has no {name}")
    return urllib.parse.urljoin(page, addresses[0])


def _read(address: str, limit: int) -> bytes:
    if urllib.parse.urlsplit(address).scheme not in ("https", "http"):
        raise ValueError("an address that is not http")
    request = urllib.request.Request(  # noqa: S310 - the scheme was checked
        address, headers={"Accept": "application/vnd.pypi.simple.v1+json, text/html;q=0.5, */*;q=0.1"}
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
        content = bytes(answer.read(limit + 1))
    if len(content) > limit:
        raise ValueError("more than was expected")
    return content
