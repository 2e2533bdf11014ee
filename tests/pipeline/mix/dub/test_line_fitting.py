"""Lines of a dub: where they are heard, how they are stretched, how loud they are."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.audio import io as audio_io
from pipeline.audio.channels import default_layout
from pipeline.errors import ValidationError
from pipeline.media.sound.time_stretch import time_stretch
from pipeline.mix.dub.edges import LineCut, find_edges, split_track
from pipeline.mix.dub.line_fitting import LineFit, LineFitter, find_onset, is_clipped, stretch_factor
from pipeline.mix.dub.plan import Slot
from pipeline.mix.dub.report import describe_worst, worst_first
from tests.pipeline.mix.voices import RATE, begins, heard, save, silence, spread, voice

SLOT = Slot(start=1.0, end=2.0, turn=1, speaker="Anna", text="Line 1.")


@pytest.mark.parametrize("noise", [0.0, 0.0003, 0.003])
def test_the_edges_of_a_line_are_found_in_silence_and_in_noise(noise: float) -> None:
    room = noise * np.random.default_rng(2).standard_normal((3 * RATE, 1))
    samples = spread(3.0, [(0.8, voice(1.5))]) + room.astype(np.float32)
    edges = find_edges(samples, RATE)
    assert edges is not None
    assert edges.start / RATE == pytest.approx(0.8, abs=0.012)
    assert edges.end / RATE == pytest.approx(2.3, abs=0.012)


def test_a_line_without_silence_around_it_is_kept_whole() -> None:
    edges = find_edges(voice(1.0), RATE)
    assert edges is not None
    assert (edges.start, edges.end) == (0, RATE)


def test_silence_has_no_edges() -> None:
    assert find_edges(silence(1.0), RATE) is None
    assert find_edges(silence(0.0), RATE) is None
    assert find_edges(voice(1.0, 0.0001), RATE) is None


@pytest.mark.parametrize(
    ("length", "factor"),
    [
        (1.0, 1.0),
        (1.005, 1.0),
        (1.05, 1 / 1.05),
        (1.12, 1 / 1.12),
        (2.0, 0.88),
        (0.9, 1 / 0.9),
        (0.5, 1.0),
        (0.0, 1.0),
    ],
)
def test_a_line_is_stretched_only_where_it_helps(length: float, factor: float) -> None:
    assert stretch_factor(length, SLOT, 12.0) == pytest.approx(factor)
    assert stretch_factor(length, SLOT, 0.0) == 1.0
    assert stretch_factor(length, Slot(start=0.0, end=None), 12.0) == 1.0


@pytest.mark.parametrize("factor", [0.88, 1.12])
def test_stretching_keeps_the_pitch_and_gives_the_length_asked_for(tmp_path: Path, factor: float) -> None:
    frames = np.arange(2 * RATE)
    tone = (0.2 * np.sin(2 * np.pi * 300 * frames / RATE))[:, None].astype(np.float32)
    time_stretch(save(tmp_path / "a.flac", tone), tmp_path / "b.flac", factor, duration=2.0)
    made = audio_io.read(tmp_path / "b.flac")
    assert len(made) / RATE == pytest.approx(2.0 * factor, abs=0.01)
    spectrum = np.abs(np.fft.rfft(made[:, 0] * np.hanning(len(made))))
    assert np.argmax(spectrum) * RATE / len(made) == pytest.approx(300, abs=1)


def make_fitter(tmp_path: Path, vocals: audio_io.Samples, cap: float = 12.0) -> LineFitter:
    return LineFitter(
        vocals=save(tmp_path / "vocals.flac", vocals), layout=default_layout(1), folder=tmp_path, stretch=cap
    )


@pytest.mark.parametrize(
    ("length", "expected", "overrun"), [(1.1, 1.0, 0.0), (0.95, 1.0, 0.0), (1.4, 1.232, 0.232), (0.5, 0.5, 0.0)]
)
def test_a_line_starts_on_time_and_fits_as_far_as_may_be(
    tmp_path: Path, length: float, expected: float, overrun: float
) -> None:
    fitter = make_fitter(tmp_path, spread(4.0, [(1.0, voice(1.0, 0.05, seed=3))]))
    track = save(tmp_path / "turn.flac", spread(length + 1.0, [(0.7, voice(length, 0.2))]))
    fit, placed = fitter.fit("turn-1.wav", track, LineCut(slot=SLOT), 0)
    assert placed is not None
    samples = spread(6.0, [(placed.start / RATE, placed.gain * audio_io.read(placed.path))])
    assert begins(samples, after=0.0) == pytest.approx(1.0, abs=0.025)
    assert abs(fit.start_error) < 0.001
    assert fit.length == pytest.approx(length, abs=0.015)
    assert fit.end - 1.0 == pytest.approx(expected, abs=0.08)
    assert fit.overrun == pytest.approx(overrun, abs=0.08)
    assert abs(fit.stretch) <= 13.0
    assert fit.loudness_difference == pytest.approx(0.0, abs=0.05)
    assert heard(samples, 1.05, 1.45) == pytest.approx(-26.0, abs=1.0)


def test_a_line_is_never_so_loud_that_it_clips(tmp_path: Path) -> None:
    fitter = make_fitter(tmp_path, spread(4.0, [(1.0, voice(1.0, 0.3))]))
    click = voice(1.0, 0.01)
    click[8000] = 0.5
    fit, placed = fitter.fit("turn-1.wav", save(tmp_path / "turn.flac", click), LineCut(slot=SLOT), 0)
    assert placed is not None
    assert placed.gain * float(np.abs(audio_io.read(placed.path)).max()) == pytest.approx(10 ** (-1 / 20), abs=1e-3)
    assert fit.loudness_difference is not None
    assert fit.loudness_difference < -10


def test_a_silent_line_is_told(tmp_path: Path) -> None:
    fitter = make_fitter(tmp_path, voice(3.0))
    fit, placed = fitter.fit("turn-1.wav", save(tmp_path / "turn.flac", silence(1.0)), LineCut(slot=SLOT), 0)
    assert placed is None
    assert fit.notes == ["silent"]


def test_a_line_over_silence_keeps_its_level(tmp_path: Path) -> None:
    fitter = make_fitter(tmp_path, silence(3.0))
    fit, placed = fitter.fit("turn-1.wav", save(tmp_path / "turn.flac", voice(1.0)), LineCut(slot=SLOT), 0)
    assert placed is not None
    assert (placed.gain, fit.loudness_difference) == (1.0, None)
    assert "no voice was heard here before" in fit.notes[0]


def test_cut_off_peaks_are_found_and_loud_speech_is_not_taken_for_them() -> None:
    loud = voice(1.0, 0.3)
    assert not is_clipped(loud / np.abs(loud).max())
    cut = np.clip(6 * loud, -1, 1)
    assert is_clipped(cut)
    assert is_clipped(0.7 * cut + voice(1.0, 0.01, seed=2))
    assert not is_clipped(0.3 * cut)
    assert not is_clipped(silence(0.0))


SLOTS = [Slot(start=start, end=start + 1.5, turn=turn, speaker="Anna") for turn, start in ((1, 1.0), (3, 5.0))]


def test_a_track_as_long_as_the_clip_stays_where_it_is(tmp_path: Path) -> None:
    samples = spread(10.0, [(1.1, voice(1.0)), (2.5, voice(0.4)), (4.9, voice(1.8)), (8.0, voice(1.0))])
    cuts, notes = split_track("Anna.wav", save(tmp_path / "a.flac", samples), SLOTS, 10.2)
    assert [(cut.slot.turn, cut.on_clip_clock) for cut in cuts] == [(1, True), (3, True)]
    edges = [edge for cut in cuts for edge in (cut.start, cut.end)]
    assert edges == pytest.approx([1.1, 2.9, 4.9, 6.7], abs=0.05)
    assert len(notes) == 1
    assert "1.0 s at 8.0 s are in no turn" in notes[0]


def test_a_track_on_the_clips_clock_without_one_of_its_lines_is_told(tmp_path: Path) -> None:
    cuts, notes = split_track("a", save(tmp_path / "a.flac", spread(10.0, [(5.0, voice(1.0))])), SLOTS, 10.0)
    assert [cut.end == 0.0 for cut in cuts] == [True, False]
    assert notes == ["a: nothing is heard in turn 1, so that line has no voice."]


def test_lines_one_after_the_other_are_parted_at_the_longest_pauses(tmp_path: Path) -> None:
    samples = spread(4.5, [(0.2, voice(0.6)), (1.2, voice(0.6)), (2.8, voice(1.0))])  # pauses of 0.4 s and 1 s
    cuts, notes = split_track("a", save(tmp_path / "a.flac", samples), SLOTS, 10.0)
    assert notes == []
    assert [cut.on_clip_clock for cut in cuts] == [False, False]
    assert cuts[0].end == cuts[1].start == pytest.approx(2.3, abs=0.05)


@pytest.mark.parametrize("starts", [(0.2,), (0.2, 1.4, 2.6)])
def test_lines_that_cannot_be_told_apart_are_refused(tmp_path: Path, starts: tuple[float, ...]) -> None:
    samples = spread(4.5, [(start, voice(0.7)) for start in starts])
    with pytest.raises(ValidationError, match="cannot be parted into the 2 lines of Anna") as caught:
        split_track("a.wav", save(tmp_path / "a.flac", samples), SLOTS, 10.0)
    assert "turn-001.wav" in caught.value.hint


def test_a_silent_track_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=r"a.wav is silent"):
        split_track("a.wav", save(tmp_path / "a.flac", silence(3.0)), SLOTS, 10.0)


def test_the_worst_line_is_on_top() -> None:
    def fit(turn: int, end: float, stretched: float = 0.0, start: float | None = 1.0) -> LineFit:
        slot = Slot(start=1.0, end=2.0, turn=turn, speaker="Anna", text="Some words.")
        return LineFit(file="a", slot=slot, start=start, end=end, stretch=stretched)

    fits = [fit(1, 2.0), fit(2, 2.0, -9.0), fit(3, 2.4, -12.0), fit(4, 2.0, start=1.2), fit(5, 1.2)]
    assert [item.slot.turn for item in worst_first(fits)] == [3, 4, 5, 2, 1]
    assert describe_worst(fits) == (
        "The worst of 5 dubbed lines is turn 3 (Anna: “Some words.”): "
        "it goes on 0.40 s after its turn and its length was changed by -12 %."
    )
    assert describe_worst([fit(1, 2.0)]).endswith("turn 1 (Anna: “Some words.”): it fits.")
    assert worst_first([*fits, fit(6, 0.0, start=None)])[0].slot.turn == 6


@pytest.mark.parametrize("moved", [-300, 0, 250])
def test_the_beginning_of_a_stretched_line_is_found_again(moved: int) -> None:
    line = spread(1.0, [(0.3, voice(0.5))])
    at = round(0.3 * RATE)
    assert find_onset(line[at : at + RATE // 10], line, at + moved, 400) == at
    assert find_onset(line[:0], line, 7, 400) == 7
