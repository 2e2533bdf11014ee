"""Translate pip's configuration for uv.

uv reads neither pip.conf nor PIP_* variables, yet a machine that is configured for pip (a mirror, a folder of wheels, a
company's certificate) should work. Values travel in environment variables, not in arguments, as an index address
may hold a password.
"""

import ast
import math
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

PIP_TIMEOUT_S = 60.0
"""Seconds for `pip config list`."""
_SECTIONS = ("global", "install", ":env:")
"""Where pip looks, the last one wins."""
_NAMES = {"default-timeout": "timeout", "pypi-url": "index-url"}
_TRUE = {"1", "true", "yes", "on"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSources:
    """Where packages come from, as settings of uv."""

    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    arguments: tuple[str, ...] = ()
    chosen: bool = False
    """True when somebody chose where packages come from: a folder of wheels, a mirror, no index at all."""


def read_pip_settings(python: str) -> dict[str, str]:
    """Return the settings that `pip install` would use, by option name; empty when this Python has no pip."""
    try:
        listing = subprocess.run(
            [python, "-m", "pip", "--disable-pip-version-check", "config", "list"],
            capture_output=True,
            text=True,
            timeout=PIP_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return parse_pip_settings(listing.stdout) if listing.returncode == 0 else {}


def parse_pip_settings(listing: str) -> dict[str, str]:
    """Parse the lines of `pip config list` (`section.name='value'`) into one value for each option."""
    found: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
    for line in listing.splitlines():
        key, separator, literal = line.partition("=")
        section, _, name = key.strip().rpartition(".")
        if not separator or section not in found:
            continue
        name = name.replace("_", "-").lower()
        found[section][_NAMES.get(name, name)] = _read_literal(literal)
    return {name: value for section in _SECTIONS for name, value in found[section].items()}


def to_uv_sources(settings: Mapping[str, str], environment: Mapping[str, str]) -> PackageSources:
    """Translate pip's settings; what `environment` sets for uv itself takes precedence."""
    links = settings.get("find-links", "").split()
    extra = settings.get("extra-index-url", "").split()
    index = settings.get("index-url", "").strip()
    offline = settings.get("no-index", "").lower() in _TRUE
    wanted = {
        "UV_FIND_LINKS": ",".join(links),
        "UV_INDEX": "" if "UV_EXTRA_INDEX_URL" in environment else " ".join(extra),
        "UV_DEFAULT_INDEX": "" if "UV_INDEX_URL" in environment else index,
        # pip takes the best version of all indexes; uv would stop at the first that has the name.
        "UV_INDEX_STRATEGY": "unsafe-best-match" if extra else "",
        "SSL_CERT_FILE": settings.get("cert", ""),
        "SSL_CLIENT_CERT": settings.get("client-cert", ""),
        "UV_HTTP_TIMEOUT": _read_seconds(settings.get("timeout", "")),
        "UV_INSECURE_HOST": " ".join(settings.get("trusted-host", "").split()),
        "ALL_PROXY": settings.get("proxy", ""),
        "HTTPS_PROXY": settings.get("proxy", ""),
        "HTTP_PROXY": settings.get("proxy", ""),
    }
    configured = {"UV_FIND_LINKS", "UV_DEFAULT_INDEX", "UV_INDEX_URL"} & environment.keys()
    return PackageSources(
        environment={name: value for name, value in wanted.items() if value and name not in environment},
        arguments=("--no-index",) if offline else (),
        chosen=bool(links or index or offline or configured),
    )


def choose_torch_backend(sources: PackageSources, environment: Mapping[str, str]) -> str | None:
    """Return the build of torch that uv should install; None leaves the choice to the package sources.

    Without it, a machine that has no graphics card would download several GB of CUDA libraries.
    STEMCORD_TORCH_BACKEND decides (`cpu`, `cu130`, …; `off` for None); then a configured folder of wheels or mirror;
    then uv, which looks at the machine.
    """
    asked = environment.get("STEMCORD_TORCH_BACKEND", "").strip()
    if asked:
        return None if asked == "off" else asked
    if sources.chosen or "UV_TORCH_BACKEND" in environment:
        return None
    return "auto"


def _read_literal(text: str) -> str:
    try:
        return str(ast.literal_eval(text.strip()))
    except (ValueError, SyntaxError):
        return text.strip()


def _read_seconds(text: str) -> str:
    try:
        return str(max(1, math.ceil(float(text))))
    except (ValueError, OverflowError):
        return ""
