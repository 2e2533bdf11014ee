"""The mix stage from files to files."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import msgspec
import numpy as np
import pytest

from pipeline.audio import io as audio_io
from pipeline.audio.channels import default_layout
from pipeline.graph.stage import NoParams
from pipeline.media.sound.loudness_meter import measure_encoded
from pipeline.mix.contracts import MeasureInputs, MixInputs, MixOutput, MixParams
from pipeline.mix.loudness_stage import measure_stage
from pipeline.mix.presets import Ducking, LoudnessTarget
from pipeline.mix.stage import mix_stage
from pipeline.separation.contracts import StemFiles
from pipeline.types import SoundFormat, Speaker, StemName, Transcript, Turn
from tests.pipeline.clips import decode as clips_decode
from tests.pipeline.clips import ffmpeg, heard_tones, make_context

RATE = 44_100
SECONDS = 1.2
STEMS = ("vocals", "background", "music", "sfx", "ambient")


def tone(frequency: float, level: float = 0.2, seconds: float = SECONDS, channels: int = 2) -> audio_io.Samples:
    wave = level * np.sin(2 * np.pi * frequency * np.arange(int(seconds * RATE)) / RATE)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def level(samples: audio_io.Samples, frequency: float) -> float:
    """Amplitude of a sine in the first channel."""
    part = samples[RATE // 5 : RATE // 5 + RATE // 2, 0].astype(np.float64)
    phase = np.exp(-2j * np.pi * frequency * np.arange(len(part)) / RATE)
    return float(2 * abs(np.mean(part * phase)))


def decode(path: Path) -> audio_io.Samples:
    """The sound of an m4a or mp4, shape (frames, channels)."""
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray().T for frame in container.decode(audio=0)]).astype(np.float32)


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Path]:
    """A clip whose vocals are a tone of 440 Hz and whose background is one of 1 kHz."""
    stems = {"vocals": tone(440), "background": tone(1000)}
    stems["sound"] = stems["vocals"] + stems["background"]
    paths = {name: tmp_path / f"{name}.flac" for name in stems}
    for name, samples in stems.items():
        audio_io.write(paths[name], samples, RATE)
    paths["source"] = tmp_path / "clip.mp4"
    ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc=size=64x48:rate=10:duration={SECONDS}", "-i", paths["sound"]),
        *("-c:v", "libx264", "-c:a", "aac", paths["source"]),
    )
    return paths


def mix(tmp_path: Path, files: dict[str, Path], **changes: Any) -> tuple[MixOutput[Path], Path]:
    """The stage as the graph calls it: after the measurement of what it is given."""
    stems = StemFiles(**{name: files[name] for name in STEMS if name in files})
    measured = measure_stage(
        make_context(tmp_path / "measured"), MeasureInputs(original=files["sound"], stems=stems), NoParams()
    ).loudness
    params: dict[str, Any] = {"voice": 1.0, "background": 0.7, "original": measured["original"]}
    params |= {name: loudness for name, loudness in measured.items() if name == "vocals"} | changes
    inputs = MixInputs(sound=files["sound"], stems=stems, dub=files.get("dub"), transcript=files.get("transcript"))
    context = make_context(tmp_path / "out")
    made = mix_stage(context, inputs, MixParams(**params))
    return replace(made, loudness={**measured, **made.loudness}), context.out


@pytest.mark.parametrize(("voice", "background"), [(1.0, 0.7), (0.0, 1.0), (2.0, 0.25), (0.0, 0.0)])
def test_gains_are_kept_within_a_tenth_of_a_decibel(
    tmp_path: Path, inputs: dict[str, Path], voice: float, background: float
) -> None:
    made, out = mix(tmp_path, inputs, voice=voice, background=background)
    assert [file.name for file in out.iterdir()] == ["final.m4a"]
    assert made.notes == ()
    final = decode(out / "final.m4a")
    assert final.shape[1] == 2
    assert abs(len(final) - int(SECONDS * RATE)) <= 1024  # the last AAC frame is filled up
    for frequency, gain in ((440, voice), (1000, background)):
        assert level(final, frequency) == pytest.approx(0.2 * gain, rel=0.0115, abs=1e-4)  # 0.1 dB
    loudness = made.loudness
    assert set(loudness) == {"original", "final", "vocals", "background"}
    assert loudness["vocals"].peak == pytest.approx(-14.0, abs=0.05)
    assert (loudness["final"].integrated is None) == (voice == background == 0)


def test_a_mix_that_would_clip_is_turned_down_as_a_whole(tmp_path: Path, inputs: dict[str, Path]) -> None:
    made, out = mix(tmp_path, inputs, voice=4.0, background=2.0)
    assert len(made.notes) == 1
    assert "turned down by 2.6 dB" in made.notes[0]
    final = decode(out / "final.m4a")
    assert level(final, 440) / level(final, 1000) == pytest.approx(2.0, rel=0.0115)
    peak = made.loudness["final"].peak
    assert peak == pytest.approx(-1.0, abs=0.05)


def test_a_dub_stands_in_for_the_vocals(tmp_path: Path, inputs: dict[str, Path]) -> None:
    audio_io.write(tmp_path / "dub.flac", tone(700, 0.3), RATE)
    inputs["dub"] = tmp_path / "dub.flac"
    made, out = mix(tmp_path, inputs, dub=True, voice=0.5)
    assert made.notes == ()
    final = decode(out / "final.m4a")
    assert level(final, 440) < 0.001
    assert level(final, 700) == pytest.approx(0.15, rel=0.0115)
    assert level(final, 1000) == pytest.approx(0.14, rel=0.0115)
    assert "dub" in made.loudness


def test_without_stems_the_final_mix_is_the_original(tmp_path: Path, inputs: dict[str, Path]) -> None:
    plain = {name: inputs[name] for name in ("source", "sound")}
    made, out = mix(tmp_path, plain, dub=True)
    assert len(made.notes) == 2
    assert "dub was not used" in made.notes[1]
    final = decode(out / "final.m4a")
    assert level(final, 440) == pytest.approx(0.2, rel=0.0115)
    loudness = made.loudness
    assert loudness["final"].integrated == pytest.approx(loudness["original"].integrated, abs=0.05)
    assert loudness["final"].true_peak == pytest.approx(loudness["original"].true_peak, abs=0.05)


def test_unity_gains_give_the_original_back(tmp_path: Path, inputs: dict[str, Path]) -> None:
    loudness = mix(tmp_path, inputs, background=1.0)[0].loudness
    assert loudness["final"].integrated == pytest.approx(loudness["original"].integrated, abs=0.05)
    assert loudness["final"].peak == pytest.approx(loudness["original"].peak, abs=0.06)


def test_mono_at_8_khz_is_mixed_too(tmp_path: Path) -> None:
    for name in ("sound", "vocals", "background"):
        audio_io.write(tmp_path / f"{name}.flac", tone(440, channels=1)[:8_000], 8_000)
    inputs = {name: tmp_path / f"{name}.flac" for name in ("sound", "vocals", "background")}
    _, out = mix(tmp_path, inputs | {"source": inputs["sound"]})
    assert decode(out / "final.m4a").shape[1] == 1


def test_a_stem_of_its_own_has_a_gain_of_its_own(tmp_path: Path, inputs: dict[str, Path]) -> None:
    audio_io.write(tmp_path / "music.flac", tone(1000, 0.05), RATE)
    inputs["music"] = tmp_path / "music.flac"
    made, out = mix(tmp_path, inputs, stem_gains={StemName.MUSIC: 0.0, StemName.SFX: 0.5})
    assert level(decode(out / "final.m4a"), 1000) == pytest.approx(0.7 * 0.15, rel=0.0115)
    assert made.notes == ("There is no sfx stem, so its gain was not used.",)


def long_inputs(tmp_path: Path) -> dict[str, Path]:
    """Four seconds: a voice from 1 s to 2 s in front of a steady tone."""
    voice = tone(440, 0.2, 4.0)
    voice[: RATE - 1] = voice[2 * RATE :] = 0
    stems = {"vocals": voice, "background": tone(1000, 0.2, 4.0)}
    stems["sound"] = stems["vocals"] + stems["background"]
    for name, samples in stems.items():
        audio_io.write(tmp_path / f"{name}.flac", samples, RATE)
    return {name: tmp_path / f"{name}.flac" for name in stems} | {"source": tmp_path / "sound.flac"}


def add_transcript(inputs: dict[str, Path], start: float, end: float) -> None:
    turn = Turn(start=start, end=end, speaker="S1", text="Hello.", overlap=False, words=())
    speakers = (Speaker(id="S1", name="Speaker 1"),)
    transcript = Transcript(language="en", duration=4.5, speakers=speakers, turns=(turn,))
    inputs["transcript"] = inputs["sound"].with_name("transcript.json")
    inputs["transcript"].write_bytes(msgspec.json.encode(transcript))


def levels(samples: audio_io.Samples, frequency: float, *moments: float) -> list[float]:
    """Amplitudes in dB of a sine within 0.1 s around some moments."""
    width = RATE // 10
    found: list[float] = []
    for moment in moments:
        part = samples[int(moment * RATE) - width // 2 :][:width, 0].astype(np.float64)
        phase = np.exp(-2j * np.pi * frequency * np.arange(width) / RATE)
        found.append(20 * float(np.log10(2 * abs(np.mean(part * phase)) + 1e-9)))
    return found


@pytest.mark.parametrize("by_turns", [True, False])
def test_the_background_is_ducked_under_speech(tmp_path: Path, *, by_turns: bool) -> None:
    inputs = long_inputs(tmp_path)
    if by_turns:
        add_transcript(inputs, 1.0, 2.0)
    ducking = Ducking(depth=9.0, attack=0.2, release=0.6)
    made, out = mix(tmp_path, inputs, background=1.0, ducking=ducking)
    assert made.notes == ()
    before, under, late, after = levels(decode(out / "final.m4a"), 1000, 0.5, 1.5, 1.9, 3.2)
    assert before - under == pytest.approx(9.0, abs=0.1)
    assert before - late == pytest.approx(9.0, abs=0.1)
    assert before - after == pytest.approx(0.0, abs=0.1)


def test_a_speaker_has_a_gain_of_his_own(tmp_path: Path) -> None:
    inputs = long_inputs(tmp_path)
    add_transcript(inputs, 0.9, 1.6)
    made, out = mix(tmp_path, inputs, speaker_gains={"speaker 1": 0.5, "Bob": 2.0})
    assert made.notes == ("There is no speaker Bob in this clip, only Speaker 1.",)
    within, outside = levels(decode(out / "final.m4a"), 440, 1.3, 1.8)
    assert outside - within == pytest.approx(6.02, abs=0.1)


def test_without_speech_or_transcript_a_note_says_so(tmp_path: Path) -> None:
    inputs = long_inputs(tmp_path)
    audio_io.write(inputs["vocals"], np.zeros((4 * RATE, 2), np.float32), RATE)
    made, _ = mix(tmp_path, inputs, speaker_gains={"S1": 0.5}, ducking=Ducking(depth=9.0))
    assert [note.partition(",")[0] for note in made.notes] == ["There is no transcript", "No speech was found"]


def test_a_loudness_that_silence_cannot_have_is_told(tmp_path: Path, inputs: dict[str, Path]) -> None:
    made, out = mix(tmp_path, inputs, voice=0.0, background=0.0, loudness=LoudnessTarget.STREAMING)
    assert made.notes == ("The mix is silent, so it was not brought to a loudness.",)
    assert not decode(out / "final.m4a").any()


def test_the_original_is_a_target_too(tmp_path: Path, inputs: dict[str, Path]) -> None:
    made, _ = mix(tmp_path, inputs, voice=0.3, background=0.3, loudness=LoudnessTarget.ORIGINAL)
    loudness = made.loudness
    assert loudness["final"].integrated == pytest.approx(loudness["original"].integrated, abs=0.15)


def test_other_formats_hold_the_same_mix(tmp_path: Path, inputs: dict[str, Path]) -> None:
    names = {"wav": "pcm_s24le", "flac": "flac", "mp3": "mp3float", "opus": "opus"}
    _, out = mix(tmp_path, inputs, formats=tuple(map(SoundFormat, names)))
    assert sorted(file.name for file in out.iterdir()) == sorted(["final.m4a", *(f"final.{name}" for name in names)])
    for name, codec in names.items():
        with av.open(str(out / f"final.{name}")) as container:
            assert container.streams.audio[0].codec_context.name == codec
        final = clips_decode(out / f"final.{name}")
        rate = 48_000 if name == "opus" else RATE
        assert abs(len(final) - int(SECONDS * rate)) <= (0 if name in ("wav", "flac", "mp3") else 1)
        assert heard_tones(final, [440, 1000], rate)[0] == pytest.approx([0.2, 0.14], rel=0.0115)
    exact = audio_io.read(out / "final.wav")
    assert np.array_equal(exact, audio_io.read(out / "final.flac"))
    made = audio_io.read(inputs["vocals"]) + np.float32(0.7) * audio_io.read(inputs["background"])
    assert np.abs(exact - made).max() < 2**-22


def test_no_format_goes_above_the_ceiling_of_a_target(tmp_path: Path, inputs: dict[str, Path]) -> None:
    generator = np.random.default_rng(4)
    bursts = generator.standard_normal((int(SECONDS * RATE), 2)) * (generator.random((int(SECONDS * RATE), 1)) > 0.99)
    audio_io.write(inputs["vocals"], (0.2 * bursts).astype(np.float32), RATE)
    formats = (SoundFormat.WAV, SoundFormat.MP3, SoundFormat.OPUS)
    _, out = mix(tmp_path, inputs, loudness=LoudnessTarget.STREAMING, formats=formats)
    for name in ("m4a", "wav", "mp3", "opus"):
        peak = measure_encoded(out / f"final.{name}", default_layout(2), SECONDS).true_peak
        assert peak is not None
        assert -3.0 < peak <= -1.0
