"""The dub stage from files to files."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from pipeline.audio import io as audio_io
from pipeline.errors import LimitError, MediaError, MixError, ValidationError
from pipeline.media.sound.loudness_meter import measure
from pipeline.mix.contracts import DubInputs, DubParams
from pipeline.mix.dub.stage import MAX_EXCESS_SECONDS, dub_stage
from pipeline.types import Loudness
from tests.pipeline.clips import ffmpeg, make_context
from tests.pipeline.mix.voices import RATE, begins, heard, save, silence, spread, transcript, voice

LENGTH = 9.0
TURNS = ((1.0, 2.0, "S1"), (3.0, 4.5, "S2"), (6.0, 7.0, "S1"))
LAUGH = (8.0, 0.5)
"""Start and length of something between the turns."""


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Path]:
    """A clip of two speakers whose voices are at -26 dBFS."""
    parts = [(start, voice(end - start, 0.05, seed=7)) for start, end, _ in TURNS]
    vocals = spread(LENGTH, [*parts, (LAUGH[0], voice(LAUGH[1], 0.05, seed=8))])
    path = tmp_path / "transcript.json"
    path.write_bytes(msgspec.json.encode(transcript(TURNS, LENGTH)))
    return {"vocals": save(tmp_path / "vocals.flac", vocals), "transcript": path}


def dub(
    tmp_path: Path, inputs: Mapping[str, Path], given: Path | Mapping[str, audio_io.Samples], **changes: Any
) -> tuple[list[str], audio_io.Samples, Any]:
    """Notes, the voice track and the report of a dub, which is one file or sounds by name."""
    pieces = not isinstance(given, Path)
    bundle = given if isinstance(given, Path) else tmp_path / "dub.zip"
    if not isinstance(given, Path):
        with zipfile.ZipFile(bundle, "w") as archive:
            for name, samples in given.items():
                archive.write(save(tmp_path / "part.flac", samples), name)
    params = DubParams(**{"zipped": pieces, "stretch": 12.0, "keep_vocals": pieces} | changes)
    context = make_context(tmp_path / "out")
    done = dub_stage(context, DubInputs(**inputs, dub=bundle), params)
    made = audio_io.info(done.track)
    assert {done.track, *done.reports} == {*context.out.iterdir()}
    assert (made.sample_rate, made.frames) == (RATE, round(LENGTH * RATE))
    report = context.out / "dub-report.json"
    said = msgspec.json.decode(report.read_bytes()) if report.exists() else None
    return [*done.notes], audio_io.read(done.track), said


def test_one_file_per_turn(tmp_path: Path, inputs: dict[str, Path]) -> None:
    lines = {
        "turn-001.wav": spread(2.0, [(0.6, voice(1.0, 0.2))]),
        "turn-002.wav": spread(3.0, [(0.1, voice(1.6, 0.01, seed=2))]),
        "turn-003.wav": spread(3.0, [(0.9, voice(1.5, 0.1, seed=3))]),
    }
    notes, made, report = dub(tmp_path, inputs, lines)
    for start, _, _ in TURNS:
        assert begins(made, after=start - 0.4) == pytest.approx(start, abs=0.03)
        assert heard(made, start + 0.1, start + 0.6) == pytest.approx(-26, abs=1.0)
    assert heard(made, 8.05, 8.45) == pytest.approx(-26, abs=1.0)
    assert heard(made, 7.45, 7.9) < -60
    (note,) = notes
    assert note.startswith("The worst of 3 dubbed lines is turn 3 (Anna: “Line 3.”): it goes on 0.3")
    assert [line["turn"] for line in report["lines"]] == [3, 2, 1]
    assert report["lines"][0]["line_length"] == pytest.approx(1.5, abs=0.02)
    assert all(abs(line["start_error_ms"]) < 1 and abs(line["loudness_difference"]) < 0.1 for line in report["lines"])
    table = (tmp_path / "out" / "dub-report.txt").read_text().splitlines()
    assert table[0].startswith("turn  speaker")
    assert table[1].startswith("3     Anna")


def test_a_speaker_without_a_dub_keeps_his_voice(tmp_path: Path, inputs: dict[str, Path]) -> None:
    _, made, report = dub(tmp_path, inputs, {"speaker-2.wav": spread(2.5, [(0.5, voice(1.5, seed=4))])})
    before = audio_io.read(inputs["vocals"])
    for start, end in ((0.0, 2.9), (4.6, LENGTH)):
        part = slice(round(start * RATE), round(end * RATE))
        assert np.abs(made[part] - before[part]).max() < 1e-6
    within = slice(round(3.1 * RATE), round(4.4 * RATE))
    assert abs(np.corrcoef(made[within, 0], before[within, 0])[0, 1]) < 0.05
    assert [line["turn"] for line in report["lines"]] == [2]


def test_what_is_heard_of_a_turn_beyond_its_words_goes_too(tmp_path: Path, inputs: dict[str, Path]) -> None:
    late = transcript([(1.2, 1.9, "S1"), TURNS[1]], LENGTH)
    inputs["transcript"].write_bytes(msgspec.json.encode(late))
    _, made, _ = dub(tmp_path, inputs, {"turn-1.wav": voice(0.6)})
    assert heard(made, 0.9, 1.1) < -60
    assert begins(made, after=0.0) == pytest.approx(1.2, abs=0.03)


def test_without_kept_vocals_only_those_of_other_speakers_stay(tmp_path: Path, inputs: dict[str, Path]) -> None:
    _, made, _ = dub(
        tmp_path, inputs, {"Anna.wav": spread(LENGTH, [(1.0, voice(1.0)), (6.1, voice(0.8))])}, keep_vocals=False
    )
    assert heard(made, 3.1, 4.4) == pytest.approx(-26, abs=1.0)
    assert heard(made, LAUGH[0], sum(LAUGH)) < -60
    assert begins(made, after=5.0) == pytest.approx(6.1, abs=0.03)


def test_two_who_speak_at_once(tmp_path: Path, inputs: dict[str, Path]) -> None:
    both = transcript([(1.0, 2.0, "S1"), (1.6, 3.0, "S2")], LENGTH)
    inputs["transcript"].write_bytes(msgspec.json.encode(both))
    save(inputs["vocals"], spread(LENGTH, [(1.0, voice(2.0, 0.05))]))
    _, made, report = dub(tmp_path, inputs, {"turn-1.wav": silence(0.5)})
    assert heard(made, 1.05, 1.55) < -60
    assert heard(made, 1.65, 2.9) == pytest.approx(-26, abs=1.0)
    assert any("heard for 0.4 s, where a speaker without a dub" in note for note in report["lines"][0]["notes"])


def test_an_overrun_is_told_and_never_cut_before_the_end(tmp_path: Path, inputs: dict[str, Path]) -> None:
    lines = {"turn-1.wav": voice(7.0, 0.1), "turn-3.wav": voice(5.0, 0.1, seed=5)}
    notes, made, report = dub(tmp_path, inputs, lines)
    assert heard(made, 4.8, 5.8) == pytest.approx(-26, abs=1.5)
    remarks = {line["turn"]: line["notes"] for line in report["lines"]}
    assert remarks[1][0].startswith("goes on 1.")
    assert remarks[1][0].endswith("s into the next line of Anna")
    assert remarks[3][0].startswith("is cut: it goes on 1.4")
    assert any("turn-3.wav goes on 1.4" in note and "is cut there" in note for note in notes)


def test_a_line_at_a_time_of_its_own(tmp_path: Path, inputs: dict[str, Path]) -> None:
    save(tmp_path / "a.flac", voice(0.6, 0.02))
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.write(tmp_path / "a.flac", "a.flac")
        archive.writestr("dub.json", '[{"file": "a.flac", "start": 8.0}]')
    del inputs["transcript"]
    _, made, report = dub(tmp_path, inputs, tmp_path / "b.zip", zipped=True, keep_vocals=True)
    assert heard(made, 8.05, 8.5) == pytest.approx(-26, abs=1.0)
    assert (report["lines"][0]["start"], report["lines"][0]["turn_length"]) == (8.0, None)
    assert heard(made, 6.1, 6.9) == pytest.approx(-26, abs=1.0)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["turn-4.wav"], "turn-4.wav is for turn 4, but the clip has 3 turns"),
        (["turn-0.wav"], "turn 0"),
        (["Bob.wav"], "for the speaker Bob, but only Anna, Speaker 2 speaks in this clip"),
        (["Anna.wav", "s1.wav"], "Anna has two files"),
        (["turn-2.wav", "s2.wav"], "s2.wav has no line to stand for"),
        ([], "holds no sound files"),
    ],
)
def test_a_dub_for_what_is_not_there_is_refused(
    tmp_path: Path, inputs: dict[str, Path], names: list[str], message: str
) -> None:
    with pytest.raises(ValidationError, match=message) as caught:
        dub(tmp_path, inputs, {name: voice(0.5) for name in names})
    assert caught.value.hint
    assert list((tmp_path / "out").iterdir()) == []


def test_pieces_without_a_transcript_are_refused(tmp_path: Path, inputs: dict[str, Path]) -> None:
    del inputs["transcript"]
    with pytest.raises(MixError, match="no transcript"):
        dub(tmp_path, inputs, {"turn-1.wav": voice(0.5)})


def test_a_piece_that_is_no_sound_or_far_too_long_is_refused(tmp_path: Path, inputs: dict[str, Path]) -> None:
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("turn-1.wav", "no sound")
    with pytest.raises(MediaError, match=r"turn-1.wav is no sound file") as caught:
        dub(tmp_path, inputs, tmp_path / "bad.zip", zipped=True)
    assert "wav, mp3 or m4a" in caught.value.hint
    with pytest.raises(LimitError, match=r"turn-1.wav lasts longer than the clip"):
        dub(tmp_path, inputs, {"turn-1.wav": silence(75.0)})


@pytest.mark.parametrize(("seconds", "note"), [(8.0, "1.0 s shorter"), (10.5, "1.5 s longer"), (LENGTH, None)])
def test_a_whole_track_replaces_the_voices(
    tmp_path: Path, inputs: dict[str, Path], seconds: float, note: str | None
) -> None:
    track = 0.3 * np.sin(2 * np.pi * 700 * np.arange(round(seconds * 48_000)) / 48_000)[:, None].astype(np.float32)
    notes, made, report = dub(tmp_path, inputs, save(tmp_path / "dub.flac", track, rate=48_000))
    assert len(notes) == (note is not None)
    assert note is None or note in notes[0]
    assert report is None
    end = min(seconds, LENGTH)
    assert heard(made, 0.1, end - 0.1) == pytest.approx(20 * np.log10(0.3 / np.sqrt(2)), abs=0.1)
    assert end == LENGTH or heard(made, end + 0.1, LENGTH) < -60


def test_of_a_dub_with_several_sound_tracks_the_one_that_was_heard_is_named(
    tmp_path: Path, inputs: dict[str, Path]
) -> None:
    line = save(tmp_path / "line.flac", spread(LENGTH, [(1.5, voice(0.5))]))
    quiet = ("-f", "lavfi", "-i", f"anullsrc=r=48000:cl=mono:d={LENGTH}")
    ffmpeg(*quiet, "-i", line, "-map", "0", "-map", "1", "-c:a", "flac", tmp_path / "dub.mka")
    notes, made, _ = dub(tmp_path, inputs, tmp_path / "dub.mka")
    assert "The dub: Sound track 2 of 2 was heard (flac, mono). The other is 1 (flac, mono, silent)." in notes
    assert begins(made, after=0.0) == pytest.approx(1.5, abs=0.03)


def test_a_whole_track_can_keep_what_is_between_the_turns(tmp_path: Path, inputs: dict[str, Path]) -> None:
    whole = save(tmp_path / "dub.flac", spread(LENGTH, [(1.5, voice(0.5))]))
    _, made, _ = dub(tmp_path, inputs, whole, keep_vocals=True)
    assert heard(made, LAUGH[0] + 0.05, LAUGH[0] + 0.45) == pytest.approx(-26, abs=1.0)
    assert heard(made, 3.1, 4.4) < -60
    assert begins(made, after=0.0) == pytest.approx(1.5, abs=0.01)


@pytest.mark.parametrize("kind", ["silent", "clipped"])
def test_a_silent_or_clipped_track_is_told(tmp_path: Path, inputs: dict[str, Path], kind: str) -> None:
    track = silence(LENGTH) if kind == "silent" else np.clip(voice(LENGTH, 2.0), -0.99, 0.99)
    notes, _, _ = dub(tmp_path, inputs, save(tmp_path / "dub.flac", track))
    assert len(notes) == 1
    assert kind in notes[0]


def test_a_track_that_is_no_sound_is_refused(tmp_path: Path, inputs: dict[str, Path]) -> None:
    (tmp_path / "dub.mp3").write_text("no sound")
    with pytest.raises(MediaError, match="The dub is no sound file"):
        dub(tmp_path, inputs, tmp_path / "dub.mp3")


def test_stereo_and_surround_pieces_at_other_rates_are_brought_to_the_clip(
    tmp_path: Path, inputs: dict[str, Path]
) -> None:
    mono = save(tmp_path / "mono.flac", voice(1.0, rate=48_000), rate=48_000)
    with zipfile.ZipFile(tmp_path / "mixed.zip", "w") as archive:
        for turn, layout, rate in ((1, "stereo", 44_100), (2, "5.1", 48_000), (3, "mono", 8_000)):
            path = tmp_path / f"{turn}.wav"
            ffmpeg("-i", mono, "-af", f"aformat=channel_layouts={layout}", "-ar", str(rate), path)
            archive.write(path, f"turn-{turn}.wav")
    _, made, report = dub(tmp_path, inputs, tmp_path / "mixed.zip", zipped=True, keep_vocals=True)
    for start, _, _ in TURNS:
        assert begins(made, after=start - 0.4) == pytest.approx(start, abs=0.03)
    assert all(abs(line["loudness_difference"]) < 0.1 for line in report["lines"])


def test_of_a_long_track_only_the_clip_s_length_is_decoded(
    tmp_path: Path, inputs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[float] = []

    def measure_and_note(path: Path) -> Loudness:
        decoded.append(audio_io.info(path).duration)
        return measure(path)

    monkeypatch.setattr("pipeline.mix.dub.stage.measure", measure_and_note)
    long = tmp_path / "long.flac"
    ffmpeg("-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono:d=1200", "-frame_size", "60000", str(long))
    notes, made, _ = dub(tmp_path, inputs, long)
    assert len(made) == round(LENGTH * RATE)
    assert f"The dub is {1200 - LENGTH:.1f} s longer than the clip and was cut." in notes
    assert decoded == [pytest.approx(LENGTH + MAX_EXCESS_SECONDS, abs=0.1)]


def test_many_pieces_that_are_long_together_are_refused(
    tmp_path: Path, inputs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.mix.dub.stage._MAX_LINES_SECONDS", 20.0 - 20 * LENGTH)
    with pytest.raises(LimitError, match="much longer than the clip"):
        dub(tmp_path, inputs, {f"turn-{number}.wav": silence(8.0) for number in (1, 2, 3)})
