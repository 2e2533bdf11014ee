"""The mix stage from files to files."""

from pathlib import Path

import av
import msgspec
import numpy as np
import pytest

from pipeline import sound
from pipeline.errors import MediaError
from pipeline.mix.stage import mix_stage
from pipeline.stages import Facts
from pipeline.types import JsonValue, Loudness
from tests.pipeline.clips import ffmpeg, heard_at, make_clip, make_work, packets

RATE = 44_100
SECONDS = 1.2


def tone(frequency: float, level: float = 0.2, seconds: float = SECONDS, channels: int = 2) -> sound.Samples:
    wave = level * np.sin(2 * np.pi * frequency * np.arange(int(seconds * RATE)) / RATE)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def level(samples: sound.Samples, frequency: float) -> float:
    """Amplitude of a sine in the first channel."""
    part = samples[RATE // 5 : RATE // 5 + RATE // 2, 0].astype(np.float64)
    phase = np.exp(-2j * np.pi * frequency * np.arange(len(part)) / RATE)
    return float(2 * abs(np.mean(part * phase)))


def decode(path: Path) -> sound.Samples:
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
        sound.write(paths[name], samples, RATE)
    paths["source"] = tmp_path / "clip.mp4"
    ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc=size=64x48:rate=10:duration={SECONDS}", "-i", paths["sound"]),
        *("-c:v", "libx264", "-c:a", "aac", paths["source"]),
    )
    return paths


def mix(tmp_path: Path, inputs: dict[str, Path], **changes: JsonValue) -> tuple[Facts, Path]:
    params: dict[str, JsonValue] = {
        "voice": 1.0,
        "background": 0.7,
        "video": False,
        "dub": False,
        "audio_start": 0.0,
    }
    work = make_work(tmp_path / "out", inputs, params | changes)
    return mix_stage(work), work.out


def notes(facts: Facts) -> list[str]:
    return msgspec.convert(facts["notes"], list[str])


@pytest.mark.parametrize(("voice", "background"), [(1.0, 0.7), (0.0, 1.0), (2.0, 0.25), (0.0, 0.0)])
def test_gains_are_kept_within_a_tenth_of_a_decibel(
    tmp_path: Path, inputs: dict[str, Path], voice: float, background: float
) -> None:
    facts, out = mix(tmp_path, inputs, voice=voice, background=background)
    assert [file.name for file in out.iterdir()] == ["final.m4a"]
    assert notes(facts) == []
    final = decode(out / "final.m4a")
    assert final.shape[1] == 2
    assert abs(len(final) - int(SECONDS * RATE)) <= 1024  # the last AAC frame is filled up
    for frequency, gain in ((440, voice), (1000, background)):
        assert level(final, frequency) == pytest.approx(0.2 * gain, rel=0.0115, abs=1e-4)  # 0.1 dB
    loudness = msgspec.convert(facts["loudness"], dict[str, Loudness])
    assert set(loudness) == {"original", "final", "vocals", "background"}
    assert loudness["vocals"].peak == pytest.approx(-13.98, abs=0.01)
    assert (loudness["final"].integrated is None) == (voice == background == 0)


def test_a_mix_that_would_clip_is_turned_down_as_a_whole(tmp_path: Path, inputs: dict[str, Path]) -> None:
    facts, out = mix(tmp_path, inputs, voice=4.0, background=2.0)
    assert len(notes(facts)) == 1
    assert "turned down by 2.5 dB" in notes(facts)[0]
    final = decode(out / "final.m4a")
    assert level(final, 440) / level(final, 1000) == pytest.approx(2.0, rel=0.0115)
    peak = msgspec.convert(facts["loudness"], dict[str, Loudness])["final"].peak
    assert peak == pytest.approx(-1.0, abs=0.05)


def test_the_picture_is_copied_and_the_offset_kept(tmp_path: Path, inputs: dict[str, Path]) -> None:
    facts, out = mix(tmp_path, inputs, video=True, audio_start=0.25)
    assert sorted(file.name for file in out.iterdir()) == ["final.m4a", "final.mp4"]
    assert notes(facts) == []
    before, after = packets(inputs["source"]), packets(out / "final.mp4")
    assert after == before
    assert heard_at(out / "final.mp4", above=0.1) == pytest.approx(
        0.25 + heard_at(out / "final.m4a", above=0.1), abs=0.002
    )
    with av.open(str(out / "final.mp4")) as container:
        assert [stream.codec_context.name for stream in container.streams] == ["h264", "aac"]


def test_a_picture_that_cannot_be_kept_leaves_the_sound(tmp_path: Path, inputs: dict[str, Path]) -> None:
    inputs["source"] = make_clip(tmp_path / "a.webm", "-c:v", "libvpx", "-c:a", "libvorbis")
    facts, out = mix(tmp_path, inputs, video=True)
    assert [file.name for file in out.iterdir()] == ["final.m4a"]
    assert notes(facts) == ["There is no final.mp4: An mp4 cannot hold this picture (vp8)."]


@pytest.mark.parametrize(("seconds", "note"), [(0.8, "0.4 s shorter"), (1.5, "0.3 s longer"), (SECONDS, None)])
def test_a_dub_replaces_the_voices(tmp_path: Path, inputs: dict[str, Path], seconds: float, note: str | None) -> None:
    sound.write(tmp_path / "dub.flac", sound.resample(tone(700, 0.3, seconds, 1), RATE, 48_000), 48_000)
    inputs["dub"] = tmp_path / "dub.flac"
    facts, out = mix(tmp_path, inputs, dub=True, voice=0.5)
    assert len(notes(facts)) == (note is not None)
    assert note is None or note in notes(facts)[0]
    final = decode(out / "final.m4a")
    assert level(final, 440) < 0.001
    assert level(final, 700) == pytest.approx(0.15, rel=0.0115)
    assert level(final, 1000) == pytest.approx(0.14, rel=0.0115)
    assert abs(len(final) - int(SECONDS * RATE)) <= 1024
    assert "dub" in msgspec.convert(facts["loudness"], dict[str, Loudness])


def test_a_dub_that_is_no_sound_is_refused(tmp_path: Path, inputs: dict[str, Path]) -> None:
    inputs["dub"] = tmp_path / "dub.mp3"
    inputs["dub"].write_text("no sound")
    with pytest.raises(MediaError, match="The dub is no sound file") as caught:
        mix(tmp_path, inputs, dub=True)
    assert "wav, mp3 or m4a" in caught.value.mend
    assert list((tmp_path / "out").iterdir()) == []


def test_without_stems_the_final_mix_is_the_original(tmp_path: Path, inputs: dict[str, Path]) -> None:
    plain = {name: inputs[name] for name in ("source", "sound")}
    facts, out = mix(tmp_path, plain, dub=True, video=True)
    assert len(notes(facts)) == 2
    assert "dub was not used" in notes(facts)[1]
    final = decode(out / "final.m4a")
    assert level(final, 440) == pytest.approx(0.2, rel=0.0115)
    loudness = msgspec.convert(facts["loudness"], dict[str, Loudness])
    assert loudness["final"] == loudness["original"]
    assert (out / "final.mp4").exists()


def test_unity_gains_give_the_original_back(tmp_path: Path, inputs: dict[str, Path]) -> None:
    loudness = msgspec.convert(mix(tmp_path, inputs, background=1.0)[0]["loudness"], dict[str, Loudness])
    assert loudness["final"].integrated == pytest.approx(loudness["original"].integrated, abs=0.02)
    assert loudness["final"].peak == pytest.approx(loudness["original"].peak, abs=0.02)


def test_mono_at_8_khz_is_mixed_too(tmp_path: Path) -> None:
    for name in ("sound", "vocals", "background"):
        sound.write(tmp_path / f"{name}.flac", tone(440, channels=1)[:8_000], 8_000)
    inputs = {name: tmp_path / f"{name}.flac" for name in ("sound", "vocals", "background")}
    _, out = mix(tmp_path, inputs | {"source": inputs["sound"]})
    assert decode(out / "final.m4a").shape[1] == 1
