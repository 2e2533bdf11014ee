"""Speaker embeddings: spans of one length go through the network together, in any order, and give the same."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from pipeline.models.loader import Models
from pipeline.speech.speakers.embedding_model import MAX_BATCH, SAMPLE_RATE, embed_spans, load_speaker_encoder

DATA = Path(__file__).parents[3] / "data"
MODEL = "campplus-zh-en"


def first_and_length(stretches: NDArray[np.float32], /) -> NDArray[np.float32]:
    return np.stack([[samples[0], len(samples)] for samples in stretches]).astype(np.float32)


def test_embeddings_come_in_the_order_of_the_spans() -> None:
    samples = np.arange(3 * SAMPLE_RATE, dtype=np.float32)
    spans = [(1.0, 1.5), (0.5, 1.5), (0.25, 0.75), (2.75, 4.0)]
    found = embed_spans(spans, samples, first_and_length)
    assert [tuple(vector) for vector in found] == [(16000, 7920), (8000, 15920), (4000, 7920), (44000, 3920)]


def test_batches_are_bounded_and_told() -> None:
    sizes: list[int] = []
    told: list[float] = []

    def encode(stretches: NDArray[np.float32], /) -> NDArray[np.float32]:
        sizes.append(len(stretches))
        return first_and_length(stretches)

    embed_spans([(0.0, 1.0)] * (2 * MAX_BATCH + 1), np.zeros(SAMPLE_RATE, np.float32), encode, told.append)
    assert sizes == [MAX_BATCH, MAX_BATCH, 1]
    assert told == pytest.approx([0.0, MAX_BATCH * 0.995, 2 * MAX_BATCH * 0.995])


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the network as it is exported at its first use, which takes seconds."""
    home = tmp_path_factory.mktemp("exported")
    load_speaker_encoder(Models(home, "cpu"), MODEL)
    return home


@pytest.mark.integration
def test_the_exported_network_gives_what_its_torch_code_gives(exported: Path, tmp_path: Path) -> None:
    """A damaged export is made anew."""
    shutil.copytree(exported, tmp_path, dirs_exist_ok=True)
    import torch

    from pipeline.speech.compat.torchaudio import install

    install()
    from pipeline.speech.speakers.campplus import compute_features, load_network

    models = Models(tmp_path, "cpu")
    sound, rate = soundfile.read(DATA / "sample.speech.flac", dtype="float32")
    sound = sound[:: rate // SAMPLE_RATE]
    stretches = np.stack([sound[:24_000], sound[30_000:54_000]]).astype(np.float32)
    network = load_network(models.files(MODEL))
    with torch.inference_mode():
        expected = network(torch.stack([compute_features(torch.from_numpy(row)) for row in stretches])).numpy()
    assert load_speaker_encoder(models, MODEL)(stretches) == pytest.approx(expected, abs=1e-3)
    (file,) = (tmp_path / "models").glob("*.onnx")
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    short = load_speaker_encoder(Models(tmp_path, "cpu"), MODEL)(stretches[:1, :8_000])
    assert file.read_bytes() == whole
    assert short.shape == (1, 192)


@pytest.mark.integration
def test_an_export_whose_digest_cannot_be_read_is_made_anew(exported: Path, tmp_path: Path) -> None:
    shutil.copytree(exported, tmp_path, dirs_exist_ok=True)
    (digest,) = (tmp_path / "models").glob("*.sha256")
    whole = digest.read_bytes()
    digest.write_bytes(b"\xff")
    load_speaker_encoder(Models(tmp_path, "cpu"), MODEL)
    assert digest.read_bytes() == whole
