"""OpenAI's own files of Whisper, read without torch and put into PaddleSpeech's form."""

import base64
import gzip
import hashlib
import pickle
import zipfile
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import torch

from pipeline import catalog
from pipeline.errors import ModelError
from pipeline.models.loader import Models
from pipeline.speech.recognition.whisper.ctranslate import convert_variables
from pipeline.speech.recognition.whisper.openai import _LINEAR, read_heads, read_openai
from pipeline.speech.recognition.whisper.weights import load_converted
from tests.pipeline.speech.recognition.whisper.ctranslate_file import make_variables

NAME = "whisper-tiny"
HEADS = base64.b85encode(gzip.compress(np.array([[False], [True]]).tobytes())).decode()


def save(path: Path) -> dict[str, np.ndarray]:
    """A small Whisper as OpenAI publishes it; gives what PaddleSpeech shall have of it."""
    expected, dimensions = convert_variables(make_variables())
    state = OrderedDict(
        (name, torch.from_numpy(array.T.copy() if _LINEAR.search(name) else array.copy()))
        for name, array in expected.items()
    )
    # OpenAI's files hold views too: a layer whose numbers lie in another order.
    key = "encoder.conv1.weight"
    state[key] = state[key].permute(2, 1, 0).contiguous().permute(2, 1, 0)
    torch.save({"dims": dict(dimensions), "model_state_dict": state}, path)
    return expected


def test_weights_come_out_as_paddlespeech_wants_them(tmp_path: Path) -> None:
    expected = save(tmp_path / "tiny.pt")
    weights, dimensions = read_openai(tmp_path / "tiny.pt")
    assert weights.keys() == expected.keys()
    for name, array in weights.items():
        np.testing.assert_array_equal(array, expected[name])
        assert array.dtype == np.float16
    assert (dimensions["n_audio_layer"], dimensions["n_vocab"], dimensions["n_text_head"]) == (2, 11, 1)
    assert read_heads(HEADS, dimensions) == ((1, 0),)


@pytest.mark.parametrize("name", [name for name, model in catalog.MODELS.items() if "heads" in model.settings])
def test_the_heads_of_the_catalogue_are_those_of_whisper(name: str) -> None:
    layers, heads = {"tiny": (4, 6), "small": (12, 12), "medium": (24, 16), "large-v2": (32, 20)}[
        name.removeprefix("whisper-")
    ]
    dimensions = convert_variables(make_variables())[1]
    dimensions.update(n_text_layer=layers, n_text_head=heads)
    found = read_heads(str(catalog.MODELS[name].settings["heads"]), dimensions)
    assert found
    # Attention follows the sound in the later half of the layers.
    assert min(layer for layer, _ in found) >= layers // 3
    with pytest.raises(ModelError, match="do not fit"):
        read_heads(HEADS, dimensions)


class Evil:
    """Runs a command when it is unpickled."""

    def __reduce__(self):
        return print, ("run",)


def test_a_file_that_wants_to_run_code_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"dims": Evil(), "model_state_dict": {}}, tmp_path / "evil.pt")
    with pytest.raises(ModelError, match=r"evil\.pt does not hold a Whisper") as caught:
        read_openai(tmp_path / "evil.pt")
    assert caught.value.detail.endswith("asks for __builtin__.print")
    assert capsys.readouterr().out == ""


def test_damaged_files_are_named(tmp_path: Path) -> None:
    save(tmp_path / "tiny.pt")
    (tmp_path / "half.pt").write_bytes((tmp_path / "tiny.pt").read_bytes()[:5000])
    torch.save({"dims": {}, "model_state_dict": {}}, tmp_path / "empty.pt")
    with zipfile.ZipFile(tmp_path / "other.pt", "w") as packed:
        packed.writestr("a/data.pkl", pickle.dumps([1]))
    for name in ("half.pt", "empty.pt", "other.pt"):
        with pytest.raises(ModelError, match=f"{name} does not hold") as caught:
            read_openai(tmp_path / name)
        assert "stemcord models fetch" in caught.value.hint


def test_a_size_of_whisper_is_converted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "checkpoints" / "whisper" / "tiny.pt"
    place.parent.mkdir(parents=True)
    expected = save(place)
    entry = catalog.MODELS[NAME]
    file = replace(entry.hub[0], sha256=hashlib.sha256(place.read_bytes()).hexdigest())
    known = {**catalog.MODELS, NAME: replace(entry, hub=(file,), settings={"heads": HEADS})}
    monkeypatch.setattr("pipeline.models.loader.MODELS", MappingProxyType(known))
    tokenizer = tmp_path / "tokenizer.json"
    tokenizer.write_text('{"model": {"vocab": {"a": 0}, "merges": []}, "added_tokens": [{"content": "<e>", "id": 1}]}')
    monkeypatch.setattr(Models, "files", lambda self, name: {"tokenizer": tokenizer})
    found = load_converted(tmp_path, models=Models(tmp_path, "cpu"), name=NAME)
    assert found.manifest.alignment_heads == ((1, 0),)
    weights = found.weights()
    assert weights.keys() == expected.keys()
    name = "decoder.blocks.1.cross_attn.query.weight"
    np.testing.assert_array_equal(weights[name], expected[name].astype(np.float32))
    place.unlink()
    assert load_converted(tmp_path, models=Models(tmp_path, "cpu"), name=NAME).folder == found.folder
