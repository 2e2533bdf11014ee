"""`python3 -m deploy.images [IMAGE ...]`, which `make images` runs: builds images with buildah and prints their sizes.

Packages come from where this machine's pip gets them. That reaches the build as a secret, which no image keeps, since
the address of an index may hold a password; local folders of packages are mounted.
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

from deploy.setup.environments import ROOT
from deploy.setup.pip_config import choose_torch_backend, read_pip_settings, to_uv_sources

IMAGES: Final = ("bot", "media", "asr", "init")
SERVICES: Final = ("broker", "database")
"""Of Debian's packages, for machines that reach no registry."""
BASE: Final = "localhost/stemcord-base:bookworm"
PIP_NAMES: Final = ("index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "timeout")
CERTIFICATES: Final = "/run/certificates.crt"
"""Where a build finds the certificates that this machine's pip trusts."""


def main(arguments: Sequence[str]) -> int:
    """Build the images that are named, or all; return the exit code."""
    options = _parse(arguments)
    if options.base == BASE and not _exists(BASE):
        subprocess.run([ROOT / "deploy" / "images" / "make_base.sh", BASE], check=True)
    settings = read_pip_settings(sys.executable)
    with tempfile.TemporaryDirectory() as folder:
        sources = Path(folder) / "sources"
        sources.write_text(write_sources(settings))
        command = _command(options, settings, sources)
        for image in options.images or IMAGES:
            _build([*command, *_torch(settings, "cpu")], image, f"localhost/stemcord-{image}:{options.tag}")
        if options.cuda:
            name = f"localhost/stemcord-media-cuda:{options.tag}"
            _build([*command, *_torch(settings, options.cuda)], "media", name)
    return 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m deploy.images", description="Build Stemcord's container images.")
    known = (*IMAGES, *SERVICES)
    parser.add_argument("images", nargs="*", metavar="IMAGE", help=f"{', '.join(known)}; default: the first four")
    parser.add_argument("--base", default=BASE, help="a Debian 12 with python3, by its digest; default: made here")
    parser.add_argument("--tag", default="latest")
    parser.add_argument("--isolation", default=os.environ.get("BUILDAH_ISOLATION", "oci"), help="oci, rootless, chroot")
    parser.add_argument("--cuda", default="", metavar="BACKEND", help="such as cu130: builds media-cuda too")
    options = parser.parse_args(arguments)
    unknown = set(options.images) - set(known)
    if unknown:
        parser.error(f"there is no image {', '.join(sorted(unknown))}")
    return options


def _command(options: argparse.Namespace, settings: Mapping[str, str], sources: Path) -> list[str]:
    command = [_tool("buildah"), "build", "--isolation", options.isolation, "--network", "host", "--layers"]
    # The form of OCI has no health checks.
    command += ["--format", "docker", "--build-arg", f"BASE={options.base}", "--secret", f"id=sources,src={sources}"]
    command += ["--file", str(ROOT / "deploy" / "images" / "Containerfile")]
    for place in local_folders(settings):
        command += ["--volume", f"{place}:{place}:ro"]
    if certificates := find_certificates(settings):
        command += ["--volume", f"{certificates}:{CERTIFICATES}:ro"]
    return command


def _torch(settings: Mapping[str, str], backend: str) -> list[str]:
    """Return the argument for a build of torch; where pip is sent to a mirror, that decides."""
    chosen = choose_torch_backend(to_uv_sources(settings, os.environ), os.environ)
    return ["--build-arg", f"TORCH_BACKEND={backend if chosen == 'auto' else chosen or ''}"]


def _build(command: Sequence[str], target: str, name: str) -> None:
    subprocess.run([*command, "--target", target, "--tag", name, str(ROOT)], check=True)
    listing = [_tool("podman"), "inspect", name]
    size = json.loads(subprocess.run(listing, check=True, capture_output=True).stdout)[0]["Size"]
    sys.stdout.write(f"{name}: {size / 1e6:.0f} MB\n")


def _exists(name: str) -> bool:
    command = [_tool("buildah"), "inspect", "--type", "image", name]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise SystemExit(f"Images are built with {name}: install it (Debian: apt install buildah podman debootstrap).")
    return path


def write_sources(settings: Mapping[str, str]) -> str:
    """Write pip's settings as variables for pip and uv."""
    variables = {f"PIP_{name.replace('-', '_').upper()}": settings[name] for name in PIP_NAMES if name in settings}
    variables |= to_uv_sources(settings, os.environ).environment
    if find_certificates(settings):
        variables |= {"PIP_CERT": CERTIFICATES, "SSL_CERT_FILE": CERTIFICATES}
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items())


def find_certificates(settings: Mapping[str, str]) -> str:
    """Return the file of certificates that pip trusts; empty for those of the system."""
    path = settings.get("cert", "")
    return path if path and Path(path).is_file() else ""


def local_folders(settings: Mapping[str, str]) -> Iterator[Path]:
    """Give the folders of this machine that pip takes packages from."""
    for name in ("find-links", "index-url", "extra-index-url"):
        for word in settings.get(name, "").split():
            parts = urlsplit(word)
            path = Path(url2pathname(parts.path)) if parts.scheme in ("file", "") else None
            if path is not None and path.is_absolute() and path.is_dir():
                # The files of a folder that is an index lie beside it.
                yield path.parent if parts.scheme == "file" and path.name == "simple" else path


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
