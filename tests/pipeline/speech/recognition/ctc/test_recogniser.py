"""PaddleSpeech's own networks, with random weights in the form in which they are published."""

import hashlib
import sys
import tarfile
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import msgspec
import numpy as np
import pytest
import yaml

from pipeline import catalog
from pipeline.audio import io as audio_io
from pipeline.errors import ModelDigestError, ModelError, ModelMissingError, TranscriptionError
from pipeline.graph.stage import StageContext
from pipeline.models.loader import Models, model_digest
from pipeline.speech.contracts import TranscribeInputs, TranscribeOutput, TranscribeParams
from pipeline.speech.recognition.ctc import network as ctc_network
from pipeline.speech.recognition.ctc.weights import ensure_unpacked
from pipeline.speech.recognition.stage import transcribe_stage
from pipeline.types import Diarization, Recognition, SpeakerSegment

NAME = "conformer_wenetspeech"
SIGNS = ["<blank>", "<unk>", *"今天气很好我们去海边看船", "<sos/eos>"]
SETTINGS = {
    "input_dim": 80,
    "output_dim": len(SIGNS),
    "vocab_filepath": "data/lang_char/vocab.txt",
    "unit_type": "char",
    "cmvn_file": None,
    "preprocess_config": "conf/preprocess.yaml",
    "encoder": "conformer",
    "encoder_conf": {
        "output_size": 32,
        "attention_heads": 2,
        "linear_units": 32,
        "num_blocks": 1,
        "input_layer": "conv2d",
        "cnn_module_kernel": 15,
        "pos_enc_layer_type": "rel_pos",
        "selfattention_layer_type": "rel_selfattn",
    },
    "decoder": "transformer",
    "decoder_conf": {"attention_heads": 2, "linear_units": 32, "num_blocks": 1},
    "model_conf": {"ctc_weight": 0.3, "length_normalized_loss": False},
}
BANKS = {"process": [{"type": "fbank_kaldi", "fs": 16000, "n_mels": 80, "n_shift": 160, "win_length": 400}]}


def pack(home: Path, monkeypatch: pytest.MonkeyPatch, *, weights: Path | None = None) -> Models:
    """A home with an archive of a small model, and a catalogue that knows its md5."""
    source = home / "source"
    (source / "conf").mkdir(parents=True)
    (source / "data/lang_char").mkdir(parents=True)
    (source / "exp/conformer/checkpoints").mkdir(parents=True)
    (source / "model.yaml").write_text(yaml.safe_dump(SETTINGS))
    (source / "conf/preprocess.yaml").write_text(yaml.safe_dump(BANKS))
    (source / "data/lang_char/vocab.txt").write_text("\n".join(SIGNS), encoding="utf-8")
    if weights is not None:
        weights.rename(source / "exp/conformer/checkpoints/wenetspeech.pdparams")
    entry = catalog.MODELS[NAME]
    archive = home / "checkpoints" / entry.hub[0].name
    archive.parent.mkdir()
    with tarfile.open(archive, "w:gz") as packed:
        for path in sorted(source.iterdir()):
            packed.add(path, arcname=path.name)
    md5 = hashlib.md5(archive.read_bytes(), usedforsecurity=False).hexdigest()
    known = MappingProxyType({**catalog.MODELS, NAME: replace(entry, hub=(replace(entry.hub[0], md5=md5),))})
    monkeypatch.setattr("pipeline.models.loader.MODELS", known)
    return Models(home, "cpu")


def transcribe(folder: Path, models: Models, language: str | None = None) -> TranscribeOutput[Path]:
    samples = (0.1 * np.random.default_rng(0).standard_normal(16_000 * 4)).astype(np.float32)
    audio_io.write(folder / "speech.flac", samples[:, None], 16_000, subtype="PCM_16")
    whole = (SpeakerSegment(start=0.5, end=3.5, speaker="S1"),)
    found = Diarization(speakers=("S1",), segments=whole, exclusive=whole)
    (folder / "diarization.json").write_bytes(msgspec.json.encode(found))
    (folder / "out").mkdir()
    return transcribe_stage(
        StageContext(out=folder / "out", report=lambda fraction, message="": None, models=models),
        TranscribeInputs(speech=folder / "speech.flac", diarization=folder / "diarization.json"),
        TranscribeParams(model=NAME, weights=model_digest(NAME), language=language),
    )


def test_an_archive_that_cannot_be_had_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = pack(tmp_path, monkeypatch)
    next((tmp_path / "checkpoints").iterdir()).unlink()
    # As in the recogniser's own environment, which has no client for hubs.
    monkeypatch.setitem(sys.modules, "pipeline.models.download.client", None)
    with pytest.raises(ModelMissingError, match=f"The weights of {NAME} are not here") as caught:
        ensure_unpacked(models, NAME)
    assert caught.value.hint == f"Run `stemcord models fetch {NAME}`."


def test_an_archive_is_unpacked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = pack(tmp_path, monkeypatch)
    folder = ensure_unpacked(models, NAME)
    assert (folder / "model.yaml").is_file()
    next((tmp_path / "checkpoints").iterdir()).unlink()
    assert ensure_unpacked(models, NAME) == folder


def test_a_damaged_archive_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = pack(tmp_path, monkeypatch)
    archive = next((tmp_path / "checkpoints").iterdir())
    archive.write_bytes(archive.read_bytes()[:-20])
    with pytest.raises(ModelDigestError, match="not the one that is known by that name") as caught:
        ensure_unpacked(models, NAME)
    assert "stemcord models fetch" in caught.value.hint
    assert not (tmp_path / "models").exists()


@pytest.mark.asr
def test_a_published_network_writes_down_what_it_hears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = pack(tmp_path, monkeypatch, weights=save_random(tmp_path / "random.pdparams"))
    monkeypatch.setattr(
        "pipeline.speech.recognition.ctc.recogniser.MIN_MEAN_PROBABILITY", 0.0
    )  # random weights are sure of nothing
    output = transcribe(tmp_path, models)
    found = msgspec.json.decode(output.recognition.read_bytes(), type=Recognition)
    assert found.language == output.language == "zh"
    assert len(found.words) > 3
    assert {word.text for word in found.words} <= set(SIGNS)
    starts = [word.start for word in found.words]
    assert starts == sorted(starts)
    assert all(0.2 <= word.start < word.end <= 4.0 for word in found.words)
    (used,) = output.models
    assert (used.engine, used.model) == ("paddlespeech-ctc", NAME)


@pytest.mark.asr
def test_a_language_that_a_network_lacks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = pack(tmp_path, monkeypatch, weights=save_random(tmp_path / "random.pdparams"))
    with pytest.raises(TranscriptionError, match="knows Chinese, and German was asked for"):
        transcribe(tmp_path, models, language="de")


@pytest.mark.asr
def test_an_archive_of_something_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match="not what PaddleSpeech publishes"):
        transcribe(tmp_path, pack(tmp_path, monkeypatch))


@pytest.mark.parametrize("step", [{"type": "os:system", "command": "touch ran"}, {"type": "cmvn"}, {"type": []}, "x"])
def test_settings_that_would_run_code_are_refused(tmp_path: Path, step: object) -> None:
    (tmp_path / "model.yaml").write_text(
        yaml.safe_dump({**SETTINGS, "preprocess_config": {"process": [*BANKS["process"], step]}})
    )
    with pytest.raises(ModelError, match="not what PaddleSpeech publishes"):
        ctc_network._read_settings(tmp_path)


def save_random(path: Path) -> Path:
    """Weights of the small network as PaddleSpeech saves them."""
    library, (u2, _) = ctc_network.load_paddlespeech(), ctc_network._load_modules()
    library.paddle.seed(3)
    model = u2.U2Model.from_config({**SETTINGS, "model_conf": dict(SETTINGS["model_conf"])})  # type: ignore[arg-type]
    library.paddle.save(model.state_dict(), str(path))
    return path
