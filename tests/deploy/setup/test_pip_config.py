import os
import subprocess
import sys

import pytest

from deploy.setup.interpreters import base_executable
from deploy.setup.pip_config import (
    PackageSources,
    choose_torch_backend,
    parse_pip_settings,
    read_pip_settings,
    to_uv_sources,
)


def test_environment_wins_over_install_section_over_global_section() -> None:
    settings = parse_pip_settings(
        "global.index-url='https://global.example/simple'\n"
        "install.index-url='https://install.example/simple'\n"
        "global.find-links='/global'\n"
        ":env:.find-links='/env'\n"
        ":env:.default-timeout='180'\n"
        "download.find-links='/not-for-install'\n"
        "a line that is no setting\n"
    )
    assert settings == {"index-url": "https://install.example/simple", "find-links": "/env", "timeout": "180"}


def test_underscores_and_capitals_name_the_same_option() -> None:
    assert parse_pip_settings("global.EXTRA_INDEX_URL='https://a.example'") == {"extra-index-url": "https://a.example"}


def test_values_may_hold_several_places_over_several_lines() -> None:
    settings = parse_pip_settings(
        r"global.find-links='\n/wheels\nhttps://wheels.example/'" + "\n"
        r"global.extra-index-url='https://a.example/simple https://b.example/simple'"
    )
    sources = to_uv_sources(settings, {})
    assert sources.environment == {
        "UV_FIND_LINKS": "/wheels,https://wheels.example/",
        "UV_INDEX": "https://a.example/simple https://b.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }


def test_one_index_keeps_uvs_own_strategy() -> None:
    sources = to_uv_sources({"index-url": "https://mirror.example/simple"}, {})
    assert sources.environment == {"UV_DEFAULT_INDEX": "https://mirror.example/simple"}
    assert sources.chosen


def test_certificate_timeout_proxy_and_trusted_hosts_are_handed_on() -> None:
    sources = to_uv_sources(
        {
            "cert": "/ca.pem",
            "timeout": "7.5",
            "proxy": "http://proxy.example:3128",
            "trusted-host": "a.example\nb.example",
        },
        {"HTTPS_PROXY": "http://other.example"},
    )
    assert sources.environment == {
        "SSL_CERT_FILE": "/ca.pem",
        "UV_HTTP_TIMEOUT": "8",
        "UV_INSECURE_HOST": "a.example b.example",
        "ALL_PROXY": "http://proxy.example:3128",
        "HTTP_PROXY": "http://proxy.example:3128",
    }
    assert not sources.chosen


def test_what_uv_was_told_itself_wins() -> None:
    told = {
        "UV_FIND_LINKS": "/mine",
        "UV_INDEX_URL": "https://mine.example",
        "UV_EXTRA_INDEX_URL": "https://more.example",
    }
    settings = {"find-links": "/pips", "index-url": "https://pips.example", "extra-index-url": "https://pips2.example"}
    sources = to_uv_sources(settings, told)
    assert sources.environment == {"UV_INDEX_STRATEGY": "unsafe-best-match"}
    assert sources.chosen


def test_no_index_is_an_argument() -> None:
    sources = to_uv_sources({"no-index": "1", "find-links": "/wheels"}, {})
    assert sources.arguments == ("--no-index",)
    assert sources.environment == {"UV_FIND_LINKS": "/wheels"}
    assert to_uv_sources({"no-index": "false"}, {}).arguments == ()


@pytest.mark.parametrize(
    ("sources", "environment", "backend"),
    [
        (PackageSources(), {}, "auto"),
        (PackageSources(chosen=True), {}, None),
        (PackageSources(chosen=True), {"STEMCORD_TORCH_BACKEND": "cpu"}, "cpu"),
        (PackageSources(), {"STEMCORD_TORCH_BACKEND": "off"}, None),
        (PackageSources(), {"UV_TORCH_BACKEND": "cu130"}, None),
    ],
)
def test_torch_backend(sources: PackageSources, environment: dict[str, str], backend: str | None) -> None:
    assert choose_torch_backend(sources, environment) == backend


def test_the_real_pip_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    python = base_executable()
    if subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode:
        pytest.skip("this interpreter has no pip")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_FIND_LINKS", "/some/wheels https://wheels.example/it's")
    settings = read_pip_settings(python)
    assert settings["find-links"] == "/some/wheels https://wheels.example/it's"


def test_a_python_without_pip_has_no_settings() -> None:
    assert read_pip_settings("/nowhere/python") == {}
    assert "find-links" not in read_pip_settings(os.devnull)
    assert sys.executable
