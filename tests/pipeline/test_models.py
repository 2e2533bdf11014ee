import hashlib
from pathlib import Path

import pytest

from pipeline.catalog import MODELS, PRESETS, WeightFile
from pipeline.errors import ModelDigestError, ModelMissingError
from pipeline.models import Models, find_file, model_digest, verify_file


def test_every_preset_names_models_of_the_catalogue() -> None:
    for preset in PRESETS.values():
        names = {
            *preset.separation.values(),
            preset.music_separation,
            preset.segmentation,
            preset.embedding,
            preset.recognition,
        }
        assert names <= MODELS.keys()


def test_every_model_says_its_licence_and_source() -> None:
    for model in MODELS.values():
        assert model.licence
        assert model.source.startswith("https://")
        assert not model.files or model.distribution


@pytest.mark.parametrize("name", ["deepfilternet3", "segmentation-3.0", "campplus-zh-en"])
def test_installed_weights_are_the_ones_of_the_catalogue(name: str, tmp_path: Path) -> None:
    files = Models(tmp_path, "cpu").files(name)
    for file in MODELS[name].files:
        assert files[file.name].stat().st_size == file.size


def test_other_bytes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"other")
    file = WeightFile(name="w", package="p", path="w", sha256=hashlib.sha256(b"right").hexdigest(), size=5)
    with pytest.raises(ModelDigestError, match="p are not the ones"):
        verify_file(path, file)


def test_a_package_that_is_not_there_is_found_missing() -> None:
    assert find_file(WeightFile(name="w", package="no_such_package", path="w", sha256="", size=0)) is None


def test_an_unknown_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match="nosuch"):
        Models(tmp_path, "cpu").entry("nosuch")


def test_a_model_is_loaded_once(tmp_path: Path) -> None:
    models, loads = Models(tmp_path, "cpu"), []
    for _ in range(2):
        models.loaded("key", lambda: loads.append(1))
    assert loads == [1]
    models.unload()


def test_digests_tell_models_apart() -> None:
    assert len({model_digest(name) for name in MODELS}) == len(MODELS)


def test_weights_that_are_not_installed_are_asked_for(tmp_path: Path) -> None:
    """Recognition's weights belong to the other environment, so they are missing in this one."""
    with pytest.raises(ModelMissingError, match="whisper-base are not installed") as caught:
        Models(tmp_path, "cpu").files("whisper-base")
    assert "make env" in caught.value.mend
