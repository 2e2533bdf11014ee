"""A sample of a sound that is damaged, empty or of a form that libsndfile does not read."""

import base64
import json
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from bot.audition import child

RATE = 48_000


def tone(seconds: float) -> child.Samples:
    time = np.arange(int(seconds * RATE)) / RATE
    return np.tile((0.5 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)[:, None], 2)


def cut(sound: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, float | str]:
    assert child.main([str(sound), str(sound.with_name("sample.ogg"))]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
@pytest.mark.parametrize("rate", [RATE, 44_100])
def test_one_bad_sample_spoils_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], value: float, rate: int
) -> None:
    samples = tone(3)
    samples[RATE] = value
    soundfile.write(tmp_path / "final.wav", samples, rate, subtype="FLOAT")
    levels = base64.b64decode(str(cut(tmp_path / "final.wav", capsys)["waveform"]))
    assert min(levels) > 200
    heard, _ = soundfile.read(tmp_path / "sample.ogg")
    assert float(np.sqrt(np.mean(heard**2))) == pytest.approx(0.35, abs=0.02)


def test_an_empty_sound_has_no_sample(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    soundfile.write(tmp_path / "empty.wav", tone(0), RATE)
    assert cut(tmp_path / "empty.wav", capsys)["duration"] == 0
    assert not (tmp_path / "sample.ogg").exists()


def test_what_is_no_sound_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "vocals.flac").write_bytes(b"no sound")
    with pytest.raises(ValueError, match="no sound"):
        child.main([str(tmp_path / "vocals.flac"), str(tmp_path / "sample.ogg")])


def test_aac_is_read_up_to_the_searched_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with av.open(str(tmp_path / "final.m4a"), "w") as container:
        stream = container.add_stream("aac", rate=RATE, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(tone(6).T), format="fltp", layout="stereo")
        frame.sample_rate = RATE
        container.mux([*stream.encode(frame), *stream.encode(None)])
    monkeypatch.setattr(child, "SEARCHED_S", 4.0)
    assert cut(tmp_path / "final.m4a", capsys)["duration"] == 4.0
