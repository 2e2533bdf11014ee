import hashlib
import re
from pathlib import Path

import pytest
from demucs.pretrained import REMOTE_ROOT

from pipeline.catalog import MODELS, PRESETS, PackageFile
from pipeline.errors import ModelDigestError, ModelMissingError
from pipeline.languages import LANGUAGES, MIXTURES
from pipeline.models.checkpoints import read_signatures
from pipeline.models.loader import Models, find_file, model_digest, verify_file
from pipeline.types import Preset


def test_every_preset_names_models_of_the_catalogue() -> None:
    for preset in PRESETS.values():
        names = {
            *preset.separation.values(),
            preset.music_separation,
            preset.segmentation,
            preset.embedding,
            preset.recognition,
            *preset.recognition_by_language.values(),
            *([preset.diarization] if preset.diarization else []),
        }
        assert names <= MODELS.keys()
        assert {*preset.recognition_by_language} <= {*LANGUAGES, *MIXTURES}


def test_every_model_says_its_licence_and_source() -> None:
    for model in MODELS.values():
        assert model.licence
        assert model.source.startswith("https://")
        assert not model.files or model.distribution


def test_every_file_of_a_hub_can_be_fetched_and_told_from_others() -> None:
    for file in (file for model in MODELS.values() for file in model.hub):
        assert file.addresses
        assert all(address.startswith("https://") for address in file.addresses)
        assert re.fullmatch("[0-9a-f]{8,64}", file.sha256) or re.fullmatch("[0-9a-f]{32}", file.md5)
        parts = file.name.split("/")
        assert all(re.fullmatch(r"[\w-][\w.-]*", part) for part in parts), "a plain path below the folder"
        named = re.fullmatch(r"[0-9a-f]{8}-([0-9a-f]{8})\.th", parts[-1])
        assert named is None or file.sha256.startswith(named[1]), "Demucs puts the digest into the name"


def test_of_what_a_preset_fetches_the_whole_digest_is_known() -> None:
    entry = PRESETS[Preset.STUDIO]
    for name in {*entry.separation.values(), entry.music_separation, str(entry.diarization), entry.recognition}:
        assert MODELS[name].hub
        assert all(file.pinned for file in MODELS[name].hub)


def test_the_bags_of_demucs_are_the_librarys() -> None:
    for name in ("htdemucs", "htdemucs_ft", "htdemucs_6s"):
        signatures = read_signatures(REMOTE_ROOT / f"{name}.yaml")
        listed = (REMOTE_ROOT / "files.txt").read_text().split()
        assert [file.name.partition("-")[0] for file in MODELS[name].hub] == signatures
        assert {file.name for file in MODELS[name].hub} <= set(listed)


@pytest.mark.parametrize("name", ["deepfilternet3", "segmentation-3.0", "campplus-zh-en"])
def test_installed_weights_are_the_ones_of_the_catalogue(name: str, tmp_path: Path) -> None:
    files = Models(tmp_path, "cpu").files(name)
    for file in MODELS[name].files:
        assert files[file.name].stat().st_size == file.size


def test_other_bytes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"other")
    file = PackageFile(name="w", package="p", path="w", sha256=hashlib.sha256(b"right").hexdigest(), size=5)
    with pytest.raises(ModelDigestError, match="p are not the ones"):
        verify_file(path, file)


def test_a_package_that_is_not_there_is_found_missing() -> None:
    assert find_file(PackageFile(name="w", package="no_such_package", path="w", sha256="", size=0)) is None


def test_an_unknown_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match="nosuch"):
        Models(tmp_path, "cpu").entry("nosuch")


def test_a_model_is_loaded_once(tmp_path: Path) -> None:
    models, loads = Models(tmp_path, "cpu"), []
    for _ in range(2):
        models.loaded("key", lambda: loads.append(1))
    assert loads == [1]


def test_digests_tell_models_apart() -> None:
    assert len({model_digest(name) for name in MODELS}) == len(MODELS)


def test_weights_that_are_not_installed_are_asked_for(tmp_path: Path) -> None:
    """Recognition's weights belong to the other environment, so they are missing in this one."""
    with pytest.raises(ModelMissingError, match="whisper-base are not installed") as caught:
        Models(tmp_path, "cpu").files("whisper-base")
    assert "make env" in caught.value.hint
