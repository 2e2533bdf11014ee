"""Converting once, checking ever after."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import ModelError
from pipeline.models.loader import Models
from pipeline.speech.recognition.whisper.weights import compute_mel_filters, ensure_converted, load_converted, main
from tests.pipeline.speech.recognition.whisper.ctranslate_file import encode, make_variables


class TinyModels(Models):
    """Gives a tiny model under the name of the real one and counts how often it is asked for."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, "cpu")
        self.asked = 0
        folder = home / "package"
        folder.mkdir()
        data = encode(make_variables())
        (folder / "1").write_bytes(data[:1000])
        (folder / "2").write_bytes(data[1000:])
        vocabulary = {"a": 0, "b": 1, "ab": 2}
        tokens = [{"content": "<|endoftext|>", "id": 3}, {"content": "<|startoftranscript|>", "id": 4}]
        (folder / "t").write_text(
            json.dumps({"model": {"vocab": vocabulary, "merges": ["a b"]}, "added_tokens": tokens})
        )
        (folder / "c").write_text(json.dumps({"alignment_heads": [[1, 0], [0, 0]]}))
        self._paths = {"part1": folder / "1", "part2": folder / "2", "tokenizer": folder / "t", "config": folder / "c"}

    def files(self, name: str) -> dict[str, Path]:
        self.asked += 1
        return self._paths


def test_weights_are_converted_once_and_read_back(tmp_path: Path) -> None:
    models = TinyModels(tmp_path)
    folder = ensure_converted(tmp_path, models=models)
    assert folder.parent == tmp_path / "models"
    assert folder.name.startswith("whisper-base-")
    found = load_converted(tmp_path, models=models)
    assert (found.folder, models.asked) == (folder, 1)
    assert found.manifest.alignment_heads == ((1, 0), (0, 0))
    assert found.manifest.dimensions["n_audio_layer"] == 2
    weights = found.weights()
    expected = make_variables()["encoder/layer_0/ffn/linear_0/weight"].astype(np.float32).T
    np.testing.assert_array_equal(weights["encoder.blocks.0.mlp.0.weight"], expected)
    assert {array.dtype for array in weights.values()} == {np.dtype(np.float32)}
    vocabulary = json.loads((folder / "assets/multilingual/vocab.json").read_text())
    assert vocabulary == {"a": 0, "b": 1, "ab": 2, "<|endoftext|>": 3}
    assert (folder / "assets/multilingual/merges.txt").read_text() == "#version: 0.2\na b\n"


@pytest.mark.parametrize("name", ["weights.npz", "manifest.json", "assets/mel_filters.npz"])
def test_a_damaged_folder_is_made_again(tmp_path: Path, name: str) -> None:
    models = TinyModels(tmp_path)
    path = ensure_converted(tmp_path, models=models) / name
    whole = path.read_bytes()
    path.write_bytes(whole[:-3] + b"???")
    ensure_converted(tmp_path, models=models)
    assert models.asked == 2
    assert path.read_bytes()[-3:] != b"???"


def test_several_at_once_convert_once(tmp_path: Path) -> None:
    models = TinyModels(tmp_path)
    threads = [threading.Thread(target=ensure_converted, args=(tmp_path,), kwargs={"models": models}) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert models.asked == 1


def test_a_failed_conversion_leaves_nothing_that_looks_whole(tmp_path: Path) -> None:
    models = TinyModels(tmp_path)
    models.files("whisper-base")["config"].write_text("{}")
    with pytest.raises(KeyError):
        ensure_converted(tmp_path, models=models)
    assert [path.suffix for path in (tmp_path / "models").iterdir()] == [".lock"]


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    models = TinyModels(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="could not be prepared"):
        ensure_converted(tmp_path / "file", models=models)


def test_mel_filters_have_unit_area_and_follow_slaney() -> None:
    filters = compute_mel_filters()
    assert filters.shape == (80, 201)
    assert filters.dtype == np.float32
    # Sums over bins of 40 Hz; the lowest triangles are narrower than a bin and miss some of their area.
    np.testing.assert_allclose(filters[10:].sum(axis=1) * 40, 1.0, atol=0.12)
    # Values of OpenAI's mel_filters.npz.
    assert filters[0, 1] == pytest.approx(0.02486259, abs=1e-7)
    assert filters[79].argmax() == 192


def test_the_command_wants_one_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "Usage" in capsys.readouterr().err
