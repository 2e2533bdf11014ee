"""The requirement files as they are kept: whole, pinned, and free of any machine's particulars."""

import re
import tomllib
from pathlib import Path

import pytest

from deploy.setup.environments import ROOT, Environment, all_environments
from deploy.setup.requirements_lock import write_lock
from pipeline.catalog import MODELS

PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==[^\s+@/]+( ; .+?)?(?P<hashes>( --hash=sha256:[0-9a-f]{64})*)")
HASHED = re.compile(r"[A-Za-z0-9._-]+==[^\s+@/]+ --hash=sha256:[0-9a-f]{64}")
ENVIRONMENTS = pytest.mark.parametrize("environment", all_environments(), ids=lambda each: each.name)


def lines_of(path: Path) -> list[str]:
    whole = re.sub(r" \\\n +", " ", path.read_text())
    return [line for line in whole.splitlines() if line and not line.startswith("#")]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\[=<>!~; ]", name)[0]).lower()


@ENVIRONMENTS
def test_a_lock_names_exact_public_versions_with_their_bytes_and_no_place(environment: Environment) -> None:
    matches = [PIN.fullmatch(line) for line in lines_of(environment.lock)]
    assert all(matches)
    without = {match["name"] for match in matches if match and not match["hashes"]}
    assert without <= {"torch", "torchaudio"}, "their build is chosen for the machine"


@ENVIRONMENTS
def test_a_lock_holds_all_that_its_extras_ask_for(environment: Environment) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"]]
    for extra in (*environment.extras, "test"):
        wanted += project["optional-dependencies"][extra]
    locked = {normal(line) for line in lines_of(environment.lock)}
    assert {normal(name) for name in wanted} - {"stemcord"} <= locked


@ENVIRONMENTS
def test_weights_are_pinned_by_their_bytes_and_kept_out_of_the_lock(environment: Environment) -> None:
    weights = lines_of(environment.weights)
    assert all(HASHED.fullmatch(line) for line in weights)
    assert not {normal(line) for line in weights} & {normal(line) for line in lines_of(environment.lock)}


def test_every_packaged_model_of_the_catalogue_is_among_the_weights() -> None:
    for environment in all_environments():
        pinned = {line.split()[0] for line in lines_of(environment.weights)}
        asked = {
            pin
            for model in MODELS.values()
            if model.environment == environment.name
            for pin in model.distribution.split()
            # Our own weights come with Stemcord itself.
            if pin != "stemcord"
        }
        assert asked == pinned


def test_only_pins_are_kept_of_what_was_compiled(tmp_path: Path) -> None:
    compiled = (
        "--find-links /somewhere\n"
        "audio-separator==0.47.1\n"
        "nvidia-cudnn-cu13==9.20.0.48\n"
        "cuda-toolkit==13.0.3.0\n"
        "torch==2.13.0+cpu \\\n"
        f"    --hash=sha256:{'a' * 64}\n"
        "torchaudio==2.11.0\n"
        "triton==3.7.1 \\\n"
        f"    --hash=sha256:{'b' * 64}\n"
        "colorama==0.4.6 ; sys_platform == 'win32' \\\n"
        f"    --hash=sha256:{'c' * 64} \\\n"
        f"    --hash=sha256:{'d' * 64}\n"
    )
    path = tmp_path / "media.txt"
    write_lock(path, compiled, folder=".venv", extras=("bot", "worker"))
    assert lines_of(path) == [
        "audio-separator==0.47.1",
        "torch==2.13.0",
        "torchaudio==2.11.0",
        f"colorama==0.4.6 ; sys_platform == 'win32' --hash=sha256:{'c' * 64} --hash=sha256:{'d' * 64}",
    ]
