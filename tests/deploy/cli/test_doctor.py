import asyncio
import json
import time
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from deploy.cli import checks
from deploy.cli.commands.doctor import doctor
from deploy.local.embedded_broker import EmbeddedBroker
from deploy.setup.environments import all_environments
from pipeline.catalog import MODELS
from worker.settings import WorkerSettings

WIDE = {"COLUMNS": "200"}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("STEMCORD_REDIS_URL", "STEMCORD_STORE_URL", "STEMCORD_PRESET", "STEMCORD_DEVICE", "DISCORD_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STEMCORD_HOME", str(tmp_path))
    return tmp_path


def examine(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(doctor)
    return CliRunner().invoke(app, list(arguments), env=WIDE)


def by_name(result: Result) -> dict[str, dict[str, str]]:
    return {check["name"]: check for check in json.loads(result.stdout)["checks"]}


def test_a_machine_that_is_set_up_misses_nothing() -> None:
    result = examine("--json")
    found = by_name(result)
    assert result.exit_code == 0, result.stdout
    assert json.loads(result.stdout)["ok"] is True
    for name in ("python", "ffmpeg", "broker", "store", "torch"):
        assert found[name]["status"] == "ok", found[name]
    for model in MODELS.values():
        if model.files:
            assert found[f"model {model.name}"]["detail"].endswith("sha256 right")
    assert found["whisper converted"]["status"] == "warning"
    assert found["discord"]["status"] == "warning"
    assert "model htdemucs_ft" not in found


def test_the_table_shows_what_mends_a_warning() -> None:
    result = examine()
    assert result.exit_code == 0
    assert "→ stemcord models fetch whisper-base" in result.stdout
    assert "Nothing is missing." in result.stdout


def test_a_broker_that_is_away_is_missing_and_keeps_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEMCORD_REDIS_URL", "redis://user:secret@127.0.0.1:1/0")
    result = examine("--json")
    assert result.exit_code == 1
    assert by_name(result)["broker"]["status"] == "missing"
    assert "127.0.0.1:1" in by_name(result)["broker"]["detail"]
    assert "secret" not in result.stdout


async def test_a_broker_that_answers_is_fine(home: Path) -> None:
    async with EmbeddedBroker(home) as url:
        finding = await asyncio.to_thread(checks.check_broker, WorkerSettings(redis_url=url))
    assert finding.status == "ok"
    assert "0 workers" in finding.detail


@pytest.mark.parametrize(
    ("skew", "status", "said"),
    [(0.0, "ok", "within"), (25.0, "warning", "25 s ahead"), (-7.0, "warning", "7 s behind")],
)
async def test_clocks_are_compared_with_the_brokers(home: Path, skew: float, status: str, said: str) -> None:
    async with EmbeddedBroker(home) as url:
        settings = WorkerSettings(redis_url=url)
        finding = await asyncio.to_thread(checks.check_clock, settings, lambda: time.time() + skew)
    assert finding.status == status
    assert said in finding.detail


def test_a_store_that_cannot_be_written_is_missing() -> None:
    finding = checks.check_store(WorkerSettings(store_url="file:///proc/stemcord/store"))
    assert finding.status == "missing"
    assert "STEMCORD_STORE_URL" in finding.hint


def test_looking_at_the_store_leaves_nothing_behind(home: Path) -> None:
    assert checks.check_store(WorkerSettings()).status == "ok"
    assert list(home.iterdir()) == []


def test_a_store_elsewhere_is_written_to() -> None:
    assert checks.check_store(WorkerSettings(store_url="memory://")).status == "ok"
    refused = checks.check_store(WorkerSettings(store_url="nonsense://bucket"))
    assert refused.status == "missing"


def test_a_setting_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEMCORD_PRESET", "enormous")
    result = examine("--json")
    assert result.exit_code == 1
    assert by_name(result)["settings"]["mend"] == "unset STEMCORD_PRESET"


def test_the_studio_preset_names_what_a_hub_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEMCORD_PRESET", "studio")
    found = by_name(examine("--json"))
    assert found["model htdemucs_ft"]["status"] == "warning"
    assert found["model htdemucs_ft"]["mend"] == "stemcord models fetch htdemucs_ft"


def test_a_card_that_is_asked_for_and_not_there_is_missing() -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA card")
    assert checks.check_device(WorkerSettings(device="cuda")).status == "missing"


def test_another_python_is_missing() -> None:
    assert checks.check_interpreter((3, 13, 1)).status == "missing"


def test_environments_that_are_not_there(tmp_path: Path) -> None:
    root = tmp_path / "checkout"
    requirements = root / "deploy" / "requirements"
    environment = all_environments(root)[0]
    assert checks.check_environment(environment).status == "warning"
    requirements.mkdir(parents=True)
    environment.lock.touch()
    finding = checks.check_environment(environment)
    assert (finding.status, finding.hint) == ("missing", "make env")


def test_the_token_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "very-secret")
    finding = checks.check_token()
    assert finding.status == "ok"
    assert "very-secret" not in str(finding)
