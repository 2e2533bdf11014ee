"""The main job on the sample, by the public command, on the pocket preset's real weights."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from tests.e2e.conftest import DATA, SAMPLE, Machine
from tests.worker.store.test_artefact_store import flip

FILES = {
    *("result.json", "report.png", "final.m4a", "final.mp4", "stems/vocals.flac", "stems/background.flac"),
    *(f"transcript.{kind}" for kind in ("json", "txt", "md", "srt", "vtt", "ass", "rttm", "TextGrid")),
    *(f"transcript.{kind}" for kind in ("docx", "csv", "talktime.csv", "xlsx", "edl")),
}


def files_of(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def result_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "result.json").read_text())


def test_the_folder_holds_every_file_that_was_promised(first: Path) -> None:
    assert files_of(first) == FILES


def test_the_result_says_route_models_timings_and_loudness(first: Path) -> None:
    result = result_of(first)
    assert result["route"]["name"] == "dialogue"
    assert result["route"]["reason"]
    assert {use["model"] for use in result["models"]} >= {"deepfilternet3-spleeter", "segmentation-3.0", "whisper-base"}
    assert {"probe", "separate", "diarize", "transcribe", "mix"} <= {timing["stage"] for timing in result["timings"]}
    assert not any(timing["reused"] for timing in result["timings"])
    assert result["loudness"]["final"]["integrated"] < 0
    assert not result["failures"]


def test_three_speakers_are_found_and_given_their_words(first: Path) -> None:
    # Late, since it imports torch, for which all processes that collect the tests would wait.
    from tests.bench.speech_scores import score_folder

    scores = score_folder(first, DATA / "sample.rttm", DATA / "sample.turns.json")
    assert scores.speakers == 3
    assert scores.der <= 0.08
    assert scores.cpwer <= 0.05


def test_neither_an_edit_nor_damage_is_served_again(first: Path, machine: Machine, tmp_path: Path) -> None:
    name = "stems/vocals.flac"
    digest = next(item["digest"] for item in result_of(first)["artefacts"] if item["name"] == name)
    blob = machine.home / "store/blobs" / digest[:2] / digest

    def separate(folder: str) -> str:
        out = tmp_path / folder
        done = machine.stemcord("run", SAMPLE, "--out", out, "--task", "separate")
        assert done.returncode == 0, done.stdout + done.stderr
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digest
        return done.stdout

    separate("edited")
    (tmp_path / "edited" / name).write_bytes(b"edited")
    assert "is made again" not in separate("after an edit")
    flip(blob)
    assert "is made again" in separate("after damage")


def test_stems_add_up_to_the_original(first: Path, machine: Machine, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    done = machine.stemcord("run", SAMPLE, "--out", plain, "--task", "remix", "--voice", "1", "--background", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    vocals, rate = soundfile.read(first / "stems/vocals.flac", always_2d=True)
    background, _ = soundfile.read(first / "stems/background.flac", always_2d=True)
    original = decode(SAMPLE, rate, vocals.shape[1])
    difference = vocals + background - original[: len(vocals)]
    assert abs(len(original) - len(vocals)) == 0
    assert 20 * np.log10(np.sqrt(np.mean(difference**2)) + 1e-12) <= -90


def test_tracks_of_speakers_add_up_to_the_vocals(first: Path, machine: Machine, tmp_path: Path) -> None:
    out = tmp_path / "tracks"
    done = machine.stemcord("run", SAMPLE, "--out", out, "--task", "separate", "--speaker-stems")
    assert done.returncode == 0, done.stdout + done.stderr
    result = result_of(out)
    assert [timing["stage"] for timing in result["timings"] if not timing["reused"]] == ["split_speakers"]
    assert [stem["speaker"] for stem in result["speaker_stems"]] == [speaker["id"] for speaker in result["speakers"]]
    tracks = [soundfile.read(out / stem["file"], always_2d=True)[0] for stem in result["speaker_stems"]]
    vocals, _ = soundfile.read(first / "stems/vocals.flac", always_2d=True)
    assert len(tracks) > 1
    assert 20 * np.log10(np.abs(sum(tracks) - vocals).max() + 1e-12) <= -90
    assert "speaker-1.flac (Speaker 1)" in done.stdout


def decode(path: Path, rate: int, channels: int) -> np.ndarray:
    """The sound as ffmpeg decodes it, float, shape (frames, channels)."""
    import subprocess

    import imageio_ffmpeg

    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-vn", "-f", "f32le"]
    done = subprocess.run(
        [*command, "-ar", str(rate), "-ac", str(channels), "-"], capture_output=True, check=True, timeout=60
    )
    return np.frombuffer(done.stdout, np.float32).reshape(-1, channels).astype(np.float64)


def test_the_same_clip_again_runs_no_engine(first: Path, machine: Machine, tmp_path: Path) -> None:
    again = tmp_path / "again"
    done = machine.stemcord("run", SAMPLE, "--out", again)
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(timing["reused"] for timing in result_of(again)["timings"])
    assert (again / "stems/vocals.flac").read_bytes() == (first / "stems/vocals.flac").read_bytes()


def test_json_output_is_the_result(first: Path, machine: Machine, tmp_path: Path) -> None:
    done = machine.stemcord("run", SAMPLE, "--out", tmp_path / "out", "--task", "separate", "--json")
    assert done.returncode == 0, done.stderr
    names = {item["name"] for item in json.loads(done.stdout)["artefacts"]}
    assert names == {"stems/vocals.flac", "stems/background.flac", "report.png"}
    assert first.is_dir()


def test_the_basic_route_extracts_as_the_seed_does(machine: Machine, tmp_path: Path) -> None:
    done = machine.stemcord("run", SAMPLE, "--out", tmp_path / "out", "--budget", "low", "--task", "separate")
    assert done.returncode == 0, done.stdout + done.stderr
    info = soundfile.info(tmp_path / "out" / "audio.wav")
    assert (info.samplerate, info.channels, info.subtype) == (44_100, 1, "PCM_16")
    assert result_of(tmp_path / "out")["route"]["name"] == "basic"
