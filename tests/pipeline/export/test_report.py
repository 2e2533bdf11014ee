from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from matplotlib import font_manager, image

from pipeline.audio import io as audio_io
from pipeline.audio.envelope import measure_envelope
from pipeline.errors import Cancelled
from pipeline.export.contracts import ReportInputs
from pipeline.export.report.canvas import CJK_FONTS, Canvas
from pipeline.export.report.stage import report_stage, speaker_spans
from pipeline.graph.stage import NoParams, ProgressCallback
from pipeline.separation.contracts import StemFiles
from pipeline.types import Diarization, Speaker, SpeakerSegment, Transcript, Turn
from tests.pipeline.clips import make_context

RATE = 8_000


def write_tone(path: Path, seconds: float, gain: float) -> Path:
    wave = gain * np.sin(2 * np.pi * 200 * np.arange(int(seconds * RATE)) / RATE)
    audio_io.write(path, np.tile(wave[:, None], (1, 2)).astype(np.float32), RATE)
    return path


def transcript(names: list[str]) -> Transcript:
    speakers = tuple(Speaker(id=f"S{index}", name=name) for index, name in enumerate(names))
    turns = tuple(
        Turn(start=index, end=index + 1.5, speaker=speaker.id, text="hi", overlap=index == 1, words=())
        for index, speaker in enumerate(speakers)
    )
    return Transcript(language="en", duration=4, speakers=speakers, turns=turns)


def keep_quiet(fraction: float, message: str = "") -> None:
    assert 0 <= fraction <= 1


def draw(
    tmp_path: Path, names: list[str] | None, *, seconds: float = 4, report: ProgressCallback | None = None
) -> Path:
    inputs = ReportInputs(
        sound=write_tone(tmp_path / "sound.flac", seconds, 0.8),
        stems=StemFiles(vocals=write_tone(tmp_path / "vocals.flac", seconds, 0.2)),
    )
    if names is not None:
        inputs = replace(inputs, transcript=tmp_path / "transcript.json", voices=tmp_path / "voices.json")
        content = transcript(names)
        (tmp_path / "transcript.json").write_bytes(msgspec.json.encode(content))
        segments = tuple(SpeakerSegment(start=item.start, end=item.end, speaker=item.speaker) for item in content.turns)
        voices = Diarization(speakers=(), segments=segments, exclusive=())
        (tmp_path / "voices.json").write_bytes(msgspec.json.encode(voices))
    return report_stage(make_context(tmp_path / "out", report), inputs, NoParams()).picture


def test_each_stem_and_each_speaker_has_a_row(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    alone = image.imread(draw(tmp_path / "a", None))
    spoken = image.imread(draw(tmp_path / "b", ["Alice", "Brian"]))
    assert alone.shape[1] == spoken.shape[1] == 1200
    assert spoken.shape[0] - alone.shape[0] == pytest.approx(230, abs=2)
    assert alone[2, 2, :3].max() < 0.2
    assert (np.abs(spoken[..., :3] - np.array([0x57, 0xC7, 0xFF]) / 255).max(-1) < 0.02).any()


@pytest.mark.parametrize("name", ["张伟", "مرحبا", "🎤🎤", "$x_1$ & <b>", "", "a" * 200, "tab\tnew\nline"])
def test_any_name_can_be_drawn(name: str, tmp_path: Path) -> None:
    assert draw(tmp_path, [name]).stat().st_size > 1000


@pytest.mark.skipif(
    not {Path(font).name for font in font_manager.findSystemFonts()} & set(CJK_FONTS),
    reason="no font with Chinese letters is installed",
)
def test_chinese_names_are_told_apart(tmp_path: Path) -> None:
    pictures = []
    for name in ("王小明", "李大华"):
        (folder := tmp_path / name).mkdir()
        canvas = Canvas(rows=1, duration=1.0)
        canvas.draw_lane(0, name, "#ffffff", [])
        canvas.save(folder / "lane.png")
        pictures.append(image.imread(folder / "lane.png"))
    assert np.any(pictures[0] != pictures[1])


@pytest.mark.parametrize("seconds", [1 / RATE, 0.05, 30])
def test_any_length_can_be_drawn(seconds: float, tmp_path: Path) -> None:
    assert draw(tmp_path, [], seconds=seconds).stat().st_size > 1000


def test_a_lane_marks_where_two_are_heard() -> None:
    voices = [SpeakerSegment(start=0, end=3, speaker="A"), SpeakerSegment(start=2, end=5, speaker="B")]
    assert speaker_spans(voices, "A") == [(0, 3, False), (2, 3, True)]
    assert speaker_spans(voices, "B") == [(2, 5, False), (2, 3, True)]


def test_even_a_short_overlap_is_seen(tmp_path: Path) -> None:
    pictures: list[np.ndarray] = []
    for both in (False, True):
        canvas = Canvas(1, 600.0)
        canvas.draw_lane(0, "Anna", "#ff7b93", [(0, 300, False), *([(300, 300.1, True)] if both else [])])
        canvas.save(tmp_path / "lane.png")
        pictures.append(image.imread(tmp_path / "lane.png")[..., :3])
    changed = np.abs(pictures[1] - pictures[0]).max(-1) > 0.3
    assert 9 <= np.count_nonzero(changed.any(axis=0)) <= 20


def test_a_cancel_is_let_through(tmp_path: Path) -> None:
    def stop(fraction: float, message: str = "") -> None:
        raise Cancelled("stop")

    with pytest.raises(Cancelled):
        draw(tmp_path, None, report=stop)


def test_the_envelope_holds_every_peak(tmp_path: Path) -> None:
    samples = np.zeros((300_000, 1), np.float32)
    samples[123_456], samples[299_999] = 0.9, -0.7
    audio_io.write(tmp_path / "x.flac", samples, RATE)
    envelope = measure_envelope(tmp_path / "x.flac", 100, lambda _: None)
    assert envelope.high[41] == pytest.approx(0.9, abs=1e-6)
    assert envelope.low[99] == pytest.approx(-0.7, abs=1e-6)
    assert np.count_nonzero(envelope.high) == np.count_nonzero(envelope.low) == 1
