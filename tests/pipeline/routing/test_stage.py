"""The clip is measured, the rule is applied, and both are explained."""

import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from pipeline.audio import io as audio_io
from pipeline.audio.polarity import INVERTED_NOTE
from pipeline.catalog import MODELS
from pipeline.media.probe import probe
from pipeline.media.sound.extract import extract_master
from pipeline.routing.contracts import RouteInputs, RouteParams
from pipeline.routing.decision import choose_route
from pipeline.routing.features import ContentShares, measure_shares
from pipeline.routing.stage import SOFT_NOTE, route_stage
from pipeline.types import Budget, Preset, Route, RouteName
from tests.pipeline.clips import make_context

DATA = Path(__file__).parents[2] / "data"
TALK = ContentShares(audible=1.0, speech=0.9, music=0.4)
OVER_MUSIC = ContentShares(audible=1.0, speech=0.9, music=0.9)
FILM = ContentShares(audible=0.9, speech=0.3, music=0.5)
SONG = ContentShares(audible=1.0, speech=0.1, music=0.9)
SILENCE = ContentShares(audible=0.0, speech=0.0, music=0.0)


def sample_maker() -> ModuleType:
    """The program that composed the music of the sample."""
    spec = importlib.util.spec_from_file_location("make_sample", DATA / "make_sample.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def params(**changes: object) -> RouteParams:
    options = {"duration": 60.0, "budget": Budget.NORMAL, "preset": Preset.POCKET} | changes
    return RouteParams(**options)  # pyright: ignore[reportArgumentType]


def route(shares: ContentShares | None, **changes: object) -> Route:
    return choose_route(params(**changes), shares)


@pytest.mark.parametrize(
    ("shares", "changes", "name", "engine"),
    [
        (TALK, {}, RouteName.DIALOGUE, "deepfilternet"),
        (FILM, {}, RouteName.CINEMATIC, "deepfilternet"),
        (SONG, {}, RouteName.CINEMATIC, "ensemble"),
        (SILENCE, {}, RouteName.BASIC, "ffmpeg"),
        (None, {"budget": Budget.LOW}, RouteName.BASIC, "ffmpeg"),
        (TALK, {"budget": Budget.LOW, "duration": 300.0}, RouteName.DIALOGUE, "deepfilternet"),
        (FILM, {"budget": Budget.LOW, "duration": 301.0}, RouteName.CINEMATIC, "deepfilternet"),
        (TALK, {"asked": RouteName.CINEMATIC}, RouteName.CINEMATIC, "deepfilternet"),
        (SONG, {"asked": RouteName.CINEMATIC}, RouteName.CINEMATIC, "ensemble"),
        (SONG, {"asked": RouteName.DIALOGUE}, RouteName.DIALOGUE, "ensemble"),
        (OVER_MUSIC, {}, RouteName.DIALOGUE, "ensemble"),
        (OVER_MUSIC, {"preset": Preset.STUDIO}, RouteName.DIALOGUE, "uvr"),
        (SONG, {"asked": RouteName.CINEMATIC, "budget": Budget.LOW}, RouteName.CINEMATIC, "ensemble"),
        (None, {"asked": RouteName.BASIC}, RouteName.BASIC, "ffmpeg"),
        (SONG, {"preset": Preset.STUDIO}, RouteName.CINEMATIC, "demucs"),
    ],
)
def test_the_rule(shares: ContentShares | None, changes: dict[str, object], name: RouteName, engine: str) -> None:
    chosen = route(shares, **changes)
    assert (chosen.name, chosen.engine) == (name, engine)
    assert chosen.asked == ("asked" in changes)
    assert (chosen.model is None) == (name is RouteName.BASIC)
    assert chosen.model is None or MODELS[chosen.model].engine == engine
    assert {other.name for other in chosen.rejected} == set(RouteName) - {name}
    for sentence in (chosen.reason, *(other.reason for other in chosen.rejected)):
        assert sentence[0].isupper()
        assert sentence.endswith(".")


def test_the_reason_has_the_number_it_rests_on() -> None:
    assert "90%" in route(TALK).reason
    assert route(TALK).measurements == {"duration": 60.0, "audible": 1.0, "speech": 0.9, "music": 0.4}


def test_the_sample_is_dialogue_with_music(tmp_path: Path) -> None:
    source = DATA / "sample.mp4"
    extract_master(source, probe(source), tmp_path / "master.flac")
    inputs = RouteInputs(sound=tmp_path / "master.flac")
    chosen = route_stage(make_context(tmp_path / "out"), inputs, params(duration=61.4)).route
    assert (chosen.name, chosen.model) == (RouteName.DIALOGUE, "deepfilternet3-spleeter")
    assert chosen.measurements["speech"] > 0.9
    assert chosen.measurements["music"] > 0.9


def test_speech_alone_is_speech_without_music() -> None:
    shares = measure_shares(DATA / "sample.speech.flac")
    assert shares.speech > 0.9
    assert shares.music < 0.1


def test_music_alone_goes_to_the_music_separator(tmp_path: Path) -> None:
    music = 0.1 * sample_maker().compose(30.0)
    audio_io.write(tmp_path / "music.flac", music.astype(np.float32), 44_100)
    inputs = RouteInputs(sound=tmp_path / "music.flac")
    chosen = route_stage(make_context(tmp_path / "out"), inputs, params(duration=30.0)).route
    assert (chosen.name, chosen.engine, chosen.model) == (RouteName.CINEMATIC, "ensemble", "deepfilternet3-spleeter")
    assert chosen.measurements["speech"] < 0.1


@pytest.mark.parametrize("frames", [10, 8_000, 400_000])
def test_silence_of_any_length_has_nothing_to_take_apart(tmp_path: Path, frames: int) -> None:
    audio_io.write(tmp_path / "silence.flac", np.zeros((frames, 2), np.float32), 8_000)
    assert measure_shares(tmp_path / "silence.flac") == SILENCE


def test_noise_is_neither_speech_nor_music(tmp_path: Path) -> None:
    noise = 0.1 * np.random.default_rng(4).standard_normal((48_000 * 12, 1))
    audio_io.write(tmp_path / "noise.flac", noise.astype(np.float32), 48_000)
    assert measure_shares(tmp_path / "noise.flac") == ContentShares(audible=1.0, speech=0.0, music=0.0)


def test_blows_without_a_voice_are_no_speech(tmp_path: Path) -> None:
    """Bursts of noise as irregular and as frequent as syllables."""
    generator = np.random.default_rng(5)
    clip = np.zeros(20 * 16_000)
    for place in np.cumsum(generator.uniform(0.15, 0.4, 80)):
        first = int(place * 16_000)
        blow = generator.standard_normal(4_000) * np.exp(-np.arange(4_000) / 600)
        clip[first : first + 4_000] += blow[: max(0, len(clip) - first)]
    audio_io.write(tmp_path / "blows.flac", (0.2 * clip / np.abs(clip).max())[:, None].astype(np.float32), 16_000)
    assert measure_shares(tmp_path / "blows.flac").speech < 0.1


def test_a_clip_of_two_seconds_is_measured_too(tmp_path: Path) -> None:
    speech = audio_io.read(DATA / "sample.speech.flac")
    rate = audio_io.info(DATA / "sample.speech.flac").sample_rate
    audio_io.write(tmp_path / "short.flac", speech[rate : 3 * rate], rate)
    assert measure_shares(tmp_path / "short.flac") == ContentShares(audible=1.0, speech=1.0, music=0.0)


def speech_of(seconds: float, start: float = 5.0) -> tuple[audio_io.Samples, int]:
    """A part of the sample's speech, and its rate."""
    rate = audio_io.info(DATA / "sample.speech.flac").sample_rate
    path = DATA / "sample.speech.flac"
    return audio_io.read(path, start=round(start * rate), frames=round(seconds * rate)), rate


@pytest.mark.parametrize("seconds", [0.1, 0.62, 1.28, 1.3])
def test_a_clip_shorter_than_a_window_is_measured_too(tmp_path: Path, seconds: float) -> None:
    speech, rate = speech_of(seconds)
    audio_io.write(tmp_path / "short.flac", speech, rate)
    shares = measure_shares(tmp_path / "short.flac")
    assert shares.audible == 1.0
    assert not shares.is_soft
    assert route(shares).model is not None
    assert seconds < 0.5 or shares.speech == 1.0


def test_a_word_at_the_very_end_of_silence_is_not_lost(tmp_path: Path) -> None:
    speech, rate = speech_of(0.5)
    silence = np.zeros((round(2 * 2.56 * rate + 0.3 * rate), speech.shape[1]), np.float32)
    audio_io.write(tmp_path / "late.flac", np.concatenate((silence, speech)), rate)
    assert measure_shares(tmp_path / "late.flac").audible > 0


@pytest.mark.parametrize("gain", [-40, -55])
def test_soft_speech_is_speech_and_a_note_says_that_it_is_soft(tmp_path: Path, gain: float) -> None:
    speech, rate = speech_of(12.0)
    audio_io.write(tmp_path / "soft.flac", (speech * 10 ** (gain / 20)).astype(np.float32), rate)
    made = route_stage(make_context(tmp_path / "out"), RouteInputs(sound=tmp_path / "soft.flac"), params(duration=12.0))
    assert made.route.name is RouteName.DIALOGUE
    assert made.route.measurements["speech"] > 0.9
    assert made.notes == (SOFT_NOTE,)


def test_dither_is_silence(tmp_path: Path) -> None:
    dither = np.random.default_rng(3).triangular(-1, 0, 1, (48_000 * 4, 2)) / 2**15
    audio_io.write(tmp_path / "dither.wav", dither.astype(np.float32), 48_000, subtype="PCM_16")
    assert measure_shares(tmp_path / "dither.wav") == SILENCE


def test_what_is_inverted_in_one_channel_is_measured(tmp_path: Path) -> None:
    speech, rate = speech_of(12.0)
    plain, turned = np.repeat(speech[:, :1], 2, axis=1), np.concatenate((speech[:, :1], -speech[:, :1]), axis=1)
    audio_io.write(tmp_path / "plain.flac", plain, rate)
    audio_io.write(tmp_path / "turned.flac", turned, rate)
    shares = measure_shares(tmp_path / "turned.flac")
    assert shares == replace(measure_shares(tmp_path / "plain.flac"), is_inverted=True)
    made = route_stage(
        make_context(tmp_path / "out"), RouteInputs(sound=tmp_path / "turned.flac"), params(duration=12.0)
    )
    assert made.notes == (INVERTED_NOTE,)


def test_low_budget_measures_nothing(tmp_path: Path) -> None:
    inputs = RouteInputs(sound=tmp_path / "missing.flac")
    chosen = route_stage(make_context(tmp_path / "out"), inputs, params(duration=10.0, budget=Budget.LOW)).route
    assert chosen.measurements == {"duration": 10.0}
