"""pyannote's community-1 as it is published: its own loading code on random weights, from a hub on this machine."""

import warnings
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

import msgspec
import numpy as np
import pytest

from pipeline import catalog
from pipeline.audio import io as audio_io
from pipeline.errors import DiarizationError, ModelDigestError, ModelMissingError
from pipeline.graph.stage import StageContext
from pipeline.models.download.hub import HubAccess
from pipeline.models.loader import Models
from pipeline.speech.contracts import DiarizeInputs, DiarizeOutput, DiarizeParams
from pipeline.speech.diarization.stage import diarize_stage
from pipeline.types import Diarization
from tests.pipeline.models.hub_server import Hub, running

NAME = "speaker-diarization-community-1"
FOLDER = f"pyannote/{NAME}"
CONFIG = """\
dependencies:
  pyannote.audio: 4.0.0
pipeline:
  name: pyannote.audio.pipelines.SpeakerDiarization
  params:
    clustering: VBxClustering
    segmentation: $model/segmentation
    segmentation_batch_size: 32
    embedding: $model/embedding
    embedding_batch_size: 32
    embedding_exclude_overlap: true
    plda: $model/plda
params:
  clustering:
    threshold: 0.6
    Fa: 0.07
    Fb: 0.8
  segmentation:
    min_duration_off: 0.0
"""
TOKEN = "hf_right"
SAMPLE = Path(__file__).parents[3] / "data" / "sample.speech.flac"


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that spin while they wait for each other are slow beside other busy programs."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of the repository: a real segmentation, a random embedding of the same kind, a random PLDA."""
    home = tmp_path_factory.mktemp("home")
    chance = np.random.default_rng(5)
    spread = chance.normal(0.0, 0.1, (128, 128)) + np.eye(128)
    return {
        f"{FOLDER}/config.yaml": CONFIG.encode(),
        f"{FOLDER}/segmentation/pytorch_model.bin": (
            Models(home, "cpu").files("segmentation-3.0")["checkpoint"].read_bytes()
        ),
        f"{FOLDER}/embedding/pytorch_model.bin": random_embedding(),
        f"{FOLDER}/plda/plda.npz": packed(
            mu=np.zeros(128), tr=spread, psi=np.sort(chance.uniform(0.1, 5.0, 128))[::-1].copy()
        ),
        f"{FOLDER}/plda/xvec_transform.npz": packed(
            mean1=np.zeros(256), mean2=np.zeros(128), lda=chance.normal(0.0, 1.0, (256, 128))
        ),
    }


def packed(**arrays: np.ndarray) -> bytes:
    stream = BytesIO()
    np.savez(stream, **arrays)  # type: ignore[arg-type]
    return stream.getvalue()


def random_embedding() -> bytes:
    """A checkpoint as pyannote.audio writes it, of a network that nobody trained."""
    from pipeline.speech.compat.torchaudio import install

    install()
    import torch

    with warnings.catch_warnings(action="ignore"):
        from pyannote.audio.core.task import Problem, Resolution, Specifications
        from pyannote.audio.models.embedding.wespeaker import WeSpeakerResNet34

    torch.manual_seed(0)
    model = WeSpeakerResNet34()
    stream = BytesIO()
    torch.save(
        {
            "state_dict": model.state_dict(),
            "hyper_parameters": dict(model.hparams),
            "pytorch-lightning_version": "2.5.0",
            "pyannote.audio": {
                "versions": {"torch": "2.8.0", "pyannote.audio": "4.0.0"},
                "architecture": {
                    "module": "pyannote.audio.models.embedding.wespeaker",
                    "class": "WeSpeakerResNet34",
                },
                "specifications": Specifications(
                    problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=5.0, classes=["a"]
                ),
            },
        },
        stream,
    )
    return stream.getvalue()


@pytest.fixture(scope="module")
def shared_hub(published: dict[str, bytes]) -> Iterator[Hub]:
    with running(published) as hub:
        yield hub


@pytest.fixture
def hub(shared_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """The hub that the catalogue names, which wants a token; nobody has one yet."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    shared_hub.token, shared_hub.break_after = TOKEN, []
    shared_hub.asked.clear()
    known = {**catalog.MODELS, NAME: shared_hub.model(NAME, engine="pyannote")}
    monkeypatch.setattr("pipeline.models.loader.MODELS", MappingProxyType(known))
    have_token(shared_hub, monkeypatch, None)
    return shared_hub


def have_token(hub: Hub, monkeypatch: pytest.MonkeyPatch, token: str | None) -> None:
    access = HubAccess(token=token, origins=frozenset({hub.url}))
    monkeypatch.setattr(HubAccess, "find", classmethod(lambda cls: access))


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds in which two people speak."""
    path = tmp_path_factory.mktemp("speech") / "speech.flac"
    rate = audio_io.info(SAMPLE).sample_rate
    heard = audio_io.to_mono(audio_io.read(SAMPLE, start=2 * rate, frames=10 * rate))
    audio_io.write(path, audio_io.resample(heard, rate, 16_000), 16_000, subtype="PCM_16")
    return path


def diarize(
    speech: Path, home: Path, models: Models | None = None, *, pipeline: str = NAME, speakers: int | None = None
) -> tuple[Diarization, DiarizeOutput[Path]]:
    out = home / "out"
    out.mkdir(exist_ok=True)
    context = StageContext(out=out, report=lambda fraction, message="": None, models=models or Models(home, "cpu"))
    params = DiarizeParams(segmentation="unused", embedding="unused", pipeline=pipeline, weights=(), speakers=speakers)
    output = diarize_stage(context, DiarizeInputs(speech=speech), params)
    return msgspec.json.decode(output.diarization.read_bytes(), type=Diarization), output


def test_it_is_fetched_with_the_persons_token_loaded_and_run(
    hub: Hub, speech: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_token(hub, monkeypatch, TOKEN)
    models = Models(tmp_path, "cpu")
    # VBx and k-means are pyannote's own: a number that is asked for is kept to.
    found, output = diarize(speech, tmp_path, models, speakers=2)
    assert found.speakers == ("S1", "S2")
    assert all(first.end <= second.start for first, second in zip(found.exclusive, found.exclusive[1:], strict=False))
    (used,) = output.models
    assert (used.stage, used.model, used.engine) == ("diarize", NAME, "pyannote")
    assert {asked.path.removeprefix(f"/{FOLDER}/") for asked in hub.asked} == {
        *("config.yaml", "segmentation/pytorch_model.bin", "embedding/pytorch_model.bin"),
        *("plda/plda.npz", "plda/xvec_transform.npz"),
    }
    assert {asked.authorization for asked in hub.asked} == {f"Bearer {TOKEN}"}
    # More people than there are voices to tell apart is no failure; and nothing is asked of the hub again.
    have_token(hub, monkeypatch, None)
    hub.asked.clear()
    assert diarize(speech, tmp_path, models, speakers=20)[0].speakers
    assert not hub.asked


@pytest.mark.parametrize(
    ("token", "sentence", "hint"),
    [(None, "only to people it knows", "set it as HF_TOKEN"), ("hf_other", "account of the token", "Log in")],
)
def test_without_the_right_token_a_hint_says_what_to_do(
    token: str | None, sentence: str, hint: str, hub: Hub, speech: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_token(hub, monkeypatch, token)
    with pytest.raises(ModelMissingError, match=sentence) as caught:
        diarize(speech, tmp_path)
    assert hint in caught.value.hint
    assert "https://example.org/conditions" in caught.value.hint
    assert len(hub.asked) == 1, "the other files are not asked for in vain"


def test_what_is_half_here_is_gone_on_with(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    have_token(hub, monkeypatch, TOKEN)
    models = Models(tmp_path, "cpu")
    models.fetched(NAME)
    place = tmp_path / "checkpoints" / FOLDER / "embedding" / "pytorch_model.bin"
    whole = place.read_bytes()
    place.unlink()
    place.with_name(f"{place.name}.part").write_bytes(whole[: len(whole) // 2])
    hub.asked.clear()
    hub.etag = '"one"'
    Models(tmp_path, "cpu").fetched(NAME)
    assert place.read_bytes() == whole
    assert [asked.range for asked in hub.asked] == [f"bytes={len(whole) // 2}-"]


def test_a_file_that_broke_off_is_never_loaded(
    hub: Hub, speech: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_token(hub, monkeypatch, TOKEN)
    Models(tmp_path, "cpu").fetched(NAME)
    place = tmp_path / "checkpoints" / FOLDER / "segmentation" / "pytorch_model.bin"
    place.write_bytes(place.read_bytes()[:100_000])
    with pytest.raises(ModelDigestError, match=r"pytorch_model\.bin is not the one") as caught:
        diarize(speech, tmp_path)
    assert "stemcord models fetch" in caught.value.hint


def test_another_model_is_no_pipeline(speech: Path, tmp_path: Path) -> None:
    with pytest.raises(DiarizationError, match="campplus-zh-en"):
        diarize(speech, tmp_path, pipeline="campplus-zh-en")


def test_the_catalogues_entry_is_the_published_repository() -> None:
    entry = catalog.MODELS[NAME]
    assert [file.name.removeprefix(f"{FOLDER}/") for file in entry.hub] == [
        "config.yaml",
        "segmentation/pytorch_model.bin",
        "embedding/pytorch_model.bin",
        "plda/plda.npz",
        "plda/xvec_transform.npz",
    ]
    assert all(file.pinned and file.size for file in entry.hub)
    assert all(address.startswith("https://huggingface.co/pyannote/") for f in entry.hub for address in f.addresses)
