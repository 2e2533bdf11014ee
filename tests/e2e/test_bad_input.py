"""What a person sees who sends something that cannot be worked on."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
import soundfile

from tests.e2e.conftest import SAMPLE, Machine


def empty(folder: Path) -> Path:
    path = folder / "clip.mp4"
    path.touch()
    return path


def text(folder: Path) -> Path:
    path = folder / "clip.mp4"
    path.write_text("This is a letter and no film.\n" * 100)
    return path


def silent_film(folder: Path) -> Path:
    path = folder / "clip.mp4"
    ffmpeg("-f", "lavfi", "-i", "color=s=64x64:r=5:d=1", str(path))
    return path


def truncated(folder: Path) -> Path:
    path = folder / "clip.mp4"
    whole = folder / "whole.mp4"
    ffmpeg("-i", str(SAMPLE), "-t", "3", "-c", "copy", "-movflags", "-faststart", str(whole))
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    return path


def ffmpeg(*arguments: str) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *arguments]
    subprocess.run(command, check=True, timeout=60)


@pytest.mark.parametrize("make", [empty, text, silent_film, truncated])
def test_a_bad_clip_gives_one_sentence_and_exit_code_2(
    make: Callable[[Path], Path], machine: Machine, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = machine.stemcord("run", make(tmp_path), "--out", out)
    assert done.returncode == 2, done.stdout + done.stderr
    assert_one_message(done, "MediaError")
    assert not out.exists()


@pytest.mark.parametrize(
    ("option", "value"), [("--route", "film"), ("--speakers", "0"), ("--language", "xx"), ("--voice", "1000")]
)
def test_an_unknown_option_value(option: str, value: str, machine: Machine, tmp_path: Path) -> None:
    done = machine.stemcord("run", SAMPLE, "--out", tmp_path / "out", option, value)
    assert done.returncode == 2
    assert_one_message(done, "ValidationError")
    assert option.removeprefix("--") in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_clip_over_the_limit(machine: Machine, tmp_path: Path) -> None:
    limited = Machine(machine.home, machine.environment | {"STEMCORD_MAX_SIZE": "1000"})
    done = limited.stemcord("run", SAMPLE, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert_one_message(done, "LimitError")


def test_redis_away(machine: Machine, tmp_path: Path) -> None:
    away = Machine(machine.home, machine.environment | {"STEMCORD_REDIS_URL": "redis://127.0.0.1:1"})
    done = away.stemcord("run", SAMPLE, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert_one_message(done, "QueueError")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("rate", "channels", "subtype"), [(8_000, 1, "PCM_U8"), (96_000, 8, "PCM_24")])
def test_unusual_sound_is_worked_on(rate: int, channels: int, subtype: str, machine: Machine, tmp_path: Path) -> None:
    time = np.arange(2 * rate) / rate
    wave = 0.2 * np.sin(2 * np.pi * 220 * time)
    clip = tmp_path / "clip.wav"
    soundfile.write(clip, np.tile(wave[:, None], (1, channels)), rate, subtype=subtype, format="WAVEX")
    done = machine.stemcord("run", clip, "--out", tmp_path / "out", "--task", "separate")
    assert done.returncode == 0, done.stdout + done.stderr
    info = soundfile.info(tmp_path / "out/stems/vocals.flac")
    assert (info.samplerate, info.frames) == (rate, 2 * rate)


def test_the_workers_outlive_all_that(machine: Machine) -> None:
    done = machine.stemcord("doctor")
    assert done.returncode == 0, done.stdout + done.stderr


def assert_one_message(done: subprocess.CompletedProcess[str], kind: str) -> None:
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith(f"{kind}: ")
    assert "Traceback" not in done.stderr
