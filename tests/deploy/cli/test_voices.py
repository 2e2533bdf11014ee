"""`stemcord voices enrol`, from a clip that is heard here and from a job that was heard before."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner
from typer.testing import Result as Answer

from deploy.cli import build_app
from pipeline.audio import io as sound
from pipeline.models.loader import model_digest
from pipeline.speech.speakers.matching import Voice, VoiceBook
from pipeline.speech.speakers.voice_book import read_book, write_book
from pipeline.types import AudioStream, MediaInfo, Request, Result, Route, RouteName
from worker.settings import WorkerSettings
from worker.store import Store

SAMPLE = Path(__file__).parents[2] / "data" / "sample.speech.flac"
BRIAN = ((7.3, 15.2), (25.8, 27.7))
"""Seconds of the sample in which he alone speaks."""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    import torch

    monkeypatch.setenv("STEMCORD_HOME", str(tmp_path / "home"))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield tmp_path / "home"
    torch.set_num_threads(threads)


def call(*arguments: str | Path) -> Answer:
    return CliRunner().invoke(build_app(), [str(each) for each in arguments], env={"COLUMNS": "200"})


@pytest.mark.integration
def test_a_voice_is_learnt_from_a_clip(tmp_path: Path) -> None:
    clip, book = tmp_path / "clip.wav", tmp_path / "voices.json"
    rate = sound.info(SAMPLE).sample_rate
    heard = [sound.read(SAMPLE, start=int(a * rate), frames=int((b - a) * rate)) for a, b in BRIAN]
    sound.write(clip, np.concatenate(heard), rate, subtype="PCM_16")
    result = call("voices", "enrol", clip, "--name", "Brian", "--book", book)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("Brian: learnt from ")
    known = read_book(book)
    assert (known.model, known.digest) == ("campplus-zh-en", model_digest("campplus-zh-en"))
    (voice,) = known.voices
    assert voice.name == "Brian"
    assert 5.0 <= voice.seconds <= sum(b - a for a, b in BRIAN)
    assert len(voice.vector) == 192
    assert "Brian" in call("voices", "list", "--book", book).output


@pytest.fixture
def finished(tmp_path: Path, home: Path) -> Path:
    """The folder of a job in which two people spoke, whose voices the store has."""
    vector = (0.6, 0.8)
    voices = tuple(Voice(name=name, vector=vector, seconds=9.0) for name in ("S1", "S2"))
    write_book(VoiceBook(model="m", digest="d", voices=voices), tmp_path / "voices-embeddings.json")
    store = Store.open(WorkerSettings().store_url)
    kept = asyncio.run(store.put(tmp_path / "voices-embeddings.json", name="voices-embeddings.json"))
    sound_track = AudioStream(codec="aac", sample_rate=44_100, channels=2, layout="stereo", start=0.0)
    result = Result(
        request=Request(),
        media=MediaInfo(container="mp4", duration=20.0, audio=sound_track),
        route=Route(name=RouteName.BASIC, engine="ffmpeg", model=None, reason="because", asked=False),
        artefacts=(),
        voices=kept,
    )
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "result.json").write_bytes(msgspec.json.encode(result))
    return tmp_path / "job"


def test_a_voice_is_learnt_from_a_finished_job(finished: Path) -> None:
    book = finished.parent / "book.json"
    unsaid = call("voices", "enrol", finished, "--name", "Anna", "--book", book)
    assert unsaid.exit_code == 2
    assert "S1 (9 s), S2 (9 s)" in unsaid.output
    result = call("voices", "enrol", finished, "--name", "Anna", "--book", book, "--speaker", "S2")
    assert result.exit_code == 0, result.output
    more = call("voices", "enrol", finished, "--name", "Anna", "--book", book, "--speaker", "S1")
    assert more.exit_code == 0, more.output
    assert [(voice.name, voice.seconds) for voice in read_book(book).voices] == [("Anna", 18.0)]
    assert call("voices", "enrol", finished, "--name", "Ben", "--book", book, "--speaker", "S9").exit_code == 2
