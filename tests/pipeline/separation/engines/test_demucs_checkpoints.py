"""Demucs checkpoints: fetched from a hub that runs here, verified, loaded; a person's own in their place."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.catalog import MODELS, Model
from pipeline.errors import DemucsError, ModelDigestError, ModelMissingError
from pipeline.models.checkpoints import own_checkpoints
from pipeline.models.loader import Models, own_model_digest
from pipeline.separation.engines.demucs.checkpoints import has_checkpoint, load_local, load_model
from pipeline.separation.engines.demucs.engine import Demucs
from tests.pipeline.models.hub_server import running
from tests.pipeline.separation.measure import save_network

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def catalogue(monkeypatch: pytest.MonkeyPatch):
    """Replaces the catalogue that engines see."""
    monkeypatch.setenv("HF_TOKEN", "token")

    def replace_with(entry: Model) -> None:
        monkeypatch.setattr("pipeline.models.loader.MODELS", {entry.name: entry})

    return replace_with


def test_a_published_model_is_fetched_verified_and_loaded(tmp_path, catalogue):
    paths = [save_network(tmp_path / "hub", signature, seed=seed) for seed, signature in enumerate(("one", "two"))]
    with running({path.name: path.read_bytes() for path in paths}) as hub:
        catalogue(hub.model("pair", engine="demucs"))
        models = Models(tmp_path, "cpu")
        pair: Any = load_model(models, "pair")
        assert pair.digest == "", "the catalogue's digest is that of the files"
        assert len(pair.network.models) == 2
        assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == [path.name for path in paths]
        load_model(models, "pair")
        assert len(hub.asked) == 2
    place = tmp_path / "checkpoints" / paths[1].name
    place.write_bytes(paths[0].read_bytes())
    with pytest.raises(ModelDigestError, match=paths[1].name):
        load_model(models, "pair")


def test_a_hub_cannot_make_code_run(tmp_path, catalogue):
    """The bytes are those of the catalogue, and still only numbers and Demucs's own classes are let in."""
    trap = tmp_path / "trap.th"
    torch.save({"klass": _Trap(tmp_path / "mark")}, trap)
    with running({"trap.th": trap.read_bytes()}) as hub:
        catalogue(hub.model("trap", engine="demucs"))
        with pytest.raises(DemucsError, match="safely"):
            load_model(Models(tmp_path, "cpu"), "trap")
    assert not (tmp_path / "mark").exists()


class _Trap:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return exec, (f"open({str(self.mark)!r}, 'w')",)


def test_without_a_hub_the_error_says_what_to_do(tmp_path, catalogue):
    file = replace(MODELS["htdemucs"].hub[0], addresses=("http://127.0.0.1:9/a.th",))
    catalogue(replace(MODELS["htdemucs"], hub=(file,)))
    with pytest.raises(ModelMissingError, match="no hub that keeps them can be reached") as caught:
        Demucs.open(Models(tmp_path, "cpu"), "htdemucs")
    assert "stemcord models fetch htdemucs" in caught.value.hint
    assert "--preset pocket" in caught.value.hint


def test_a_file_with_a_name_of_the_catalogue_must_be_the_catalogues(tmp_path):
    name = MODELS["htdemucs"].hub[0].name
    save_network(tmp_path, "any").rename(tmp_path / name)
    with pytest.raises(ModelDigestError, match=name):
        load_local(tmp_path, "955717e8")


def test_published_files_make_a_model_wherever_they_lie(tmp_path):
    for file in MODELS["htdemucs_ft"].hub:
        assert not has_checkpoint(tmp_path, "htdemucs_ft")
        (tmp_path / file.name).touch()
    assert has_checkpoint(tmp_path, "htdemucs_ft")


def test_an_own_checkpoint_that_is_exchanged_is_loaded_anew(tmp_path):
    """The engine stays warm between two jobs; what it keeps must be what is there."""
    folder = tmp_path / "checkpoints"
    bag = folder / "htdemucs.yaml"
    save_network(folder, "one", seed=1)
    save_network(folder, "two", seed=2)
    models = Models(tmp_path, "cpu")
    bag.write_text("models: [one]")
    first = Demucs.open(models, "htdemucs")
    assert Demucs.open(models, "htdemucs").weights_digest == first.weights_digest
    bag.write_text("models: [two]")
    assert Demucs.open(models, "htdemucs").weights_digest != first.weights_digest


def test_own_files_are_told_by_their_bytes(tmp_path):
    folder = tmp_path / "checkpoints"
    assert own_model_digest(tmp_path, "htdemucs") == ""
    network = save_network(folder, "one", seed=1)
    (folder / "other-12345678.th").touch()
    assert own_model_digest(tmp_path, "htdemucs") == ""
    bag = folder / "htdemucs.yaml"
    bag.write_text("models: [one]")
    assert own_checkpoints(tmp_path, MODELS["htdemucs"]) == [bag, network]
    seen = {own_model_digest(tmp_path, "htdemucs")}
    bag.write_text("models: [one]\nweights: [[1, 1, 1, 1]]")
    seen.add(own_model_digest(tmp_path, "htdemucs"))
    content = bytearray(network.read_bytes())
    content[len(content) // 2] ^= 1
    network.write_bytes(content)
    seen.add(own_model_digest(tmp_path, "htdemucs"))
    assert len(seen - {""}) == 3
    assert own_model_digest(tmp_path, "nonesuch") == ""


@pytest.mark.parametrize("text", ["[", "models: 5", "models: [../one]", "\x00", "{}"])
def test_a_bag_that_cannot_be_used_is_told_apart_and_refused(tmp_path, text):
    bag = tmp_path / "checkpoints" / "htdemucs.yaml"
    bag.parent.mkdir()
    bag.write_text(text)
    assert own_checkpoints(tmp_path, MODELS["htdemucs"]) == [bag]
    with pytest.raises(DemucsError):
        load_model(Models(tmp_path, "cpu"), "htdemucs")


def test_a_uvr_model_is_own_only_where_the_catalogue_lists_no_files(tmp_path):
    folder = tmp_path / "checkpoints" / "uvr"
    folder.mkdir(parents=True)
    for ending in ("ckpt", "yaml", "ckpt.sha256", "ckpt.part"):
        (folder / f"tiny.{ending}").write_bytes(random.randbytes(8))
    entry = replace(MODELS["vocals_mel_band_roformer"], name="tiny")
    assert own_checkpoints(tmp_path, entry) == []
    found = own_checkpoints(tmp_path, replace(entry, hub=()))
    assert [path.name for path in found] == ["tiny.ckpt", "tiny.yaml"]
