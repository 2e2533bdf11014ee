"""Tracks of speakers in files: they add up to the vocals, sample for sample."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.audio import io as audio_io
from pipeline.audio.channels import layout_of_mask
from pipeline.graph.stage import NoParams, StageContext
from pipeline.models.loader import Models
from pipeline.separation.stem_files import LSB_24_BIT
from pipeline.speaker_stems.contracts import SplitSpeakersInputs, SplitSpeakersOutput
from pipeline.speaker_stems.stage import split_block, split_speakers_stage
from pipeline.types import Diarization, SpeakerSegment, SpeakerShares
from tests.pipeline.mix.voices import heard, spread, voice

RATE = 16_000


def split(
    folder: Path,
    sound: audio_io.Samples,
    turns: list[tuple[float, float, str]],
    speakers: tuple[str, ...],
    rate: int = RATE,
) -> SplitSpeakersOutput[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    vocals, voices = folder / "vocals.flac", folder / "voices.json"
    audio_io.write(vocals, sound, rate)
    segments = tuple(SpeakerSegment(start=start, end=end, speaker=who) for start, end, who in turns)
    voices.write_bytes(msgspec.json.encode(Diarization(speakers=speakers, segments=segments, exclusive=())))
    context = StageContext(out=folder / "out", report=lambda fraction, message="": None, models=Models(folder))
    return split_speakers_stage(context, SplitSpeakersInputs(vocals=vocals, voices=voices), NoParams())


def difference(folder: Path, made: SplitSpeakersOutput[Path]) -> float:
    """The highest sample by which the tracks of a folder do not add up to its vocals."""
    total = sum(audio_io.read(path).astype(np.float64) for path in made.stems)
    return float(np.abs(total - audio_io.read(folder / "vocals.flac")).max(initial=0.0))


@given(
    st.lists(st.integers(-(2**23), 2**23 - 1), min_size=1, max_size=40),
    st.lists(st.floats(0, 1, width=32), max_size=6).map(sorted),
)
def test_parts_add_up_and_each_lies_between_silence_and_the_whole(values: list[int], shares: list[float]) -> None:
    block = (np.array(values, np.float32) * LSB_24_BIT)[:, None]
    curves = [np.full((len(values), 1), share, np.float32) for share in shares]
    parts = [np.rint(part[:, 0] / LSB_24_BIT).astype(int) for part in split_block(block, [*curves, 1.0])]
    assert np.array_equal(sum(parts), values)
    for part in parts:
        assert np.all(np.abs(part) <= np.abs(values))
        assert np.all(part * np.array(values) >= 0)


def test_each_track_has_its_speakers_turns_and_nothing_else(tmp_path: Path) -> None:
    sound = spread(12.0, [(1.0, voice(2.0, seed=1)), (4.0, voice(3.0, seed=2)), (8.0, voice(2.0, seed=3))])
    turns = [(1.0, 3.0, "A"), (4.0, 7.0, "B\n<x>"), (8.0, 10.0, "A")]
    made = split(tmp_path, sound, turns, ("A", "B\n<x>"))
    assert [path.name for path in made.stems] == ["speaker-1.flac", "speaker-2.flac"]
    assert made.speakers == ("A", "B\n<x>")
    assert difference(tmp_path, made) == 0
    first, second = map(audio_io.read, made.stems)
    assert heard(first, 1.0, 3.0) > -25 > -100 > heard(first, 4.0, 7.0)
    assert heard(second, 4.0, 7.0) > -25 > -100 > heard(second, 1.0, 3.0)
    assert made.notes == ()


def test_who_speaks_at_once_is_listed_and_shares(tmp_path: Path) -> None:
    sound = voice(9.0)
    made = split(tmp_path, sound, [(0.0, 5.0, "A"), (3.0, 9.0, "B")], ("A", "B"))
    assert difference(tmp_path, made) == 0
    first, second = map(audio_io.read, made.stems)
    assert heard(first, 3.1, 4.9) == pytest.approx(heard(sound, 3.1, 4.9) - 6.02, abs=0.01)
    assert heard(second, 3.1, 4.9) == pytest.approx(heard(first, 3.1, 4.9), abs=0.01)
    assert made.shares is not None
    told = msgspec.json.decode(made.shares.read_bytes(), type=SpeakerShares)
    both = [(each.start, each.end) for each in told.stretches if len(each.speakers) > 1]
    assert both == [(3.0, 5.0)]
    assert (told.stretches[0].start, told.stretches[-1].end) == (0.0, 9.0)
    assert made.notes[0].startswith("For 2.0 s several people speak at once.")


@pytest.mark.parametrize("seed", range(3))
def test_tracks_of_random_turns_add_up(tmp_path: Path, seed: int) -> None:
    """In stereo, over full scale and several blocks, with turns that overlap, nest and go beyond the end."""
    rng = np.random.default_rng(seed)
    frames = audio_io.BLOCK_FRAMES + int(rng.integers(1, 90_000))
    sound = rng.normal(0, 0.4, (frames, 2)).astype(np.float32)
    people = tuple(f"S{number}" for number in range(1, 13))
    length = frames / RATE
    turns = [
        (start, start + float(rng.exponential(1.5)), people[int(rng.integers(len(people)))])
        for start in rng.uniform(0, length, 40).tolist()
    ]
    made = split(tmp_path, sound, [*turns, (length + 1, length + 2, "S1")], people)
    assert difference(tmp_path, made) == 0
    assert len(made.stems) > 6
    assert all(audio_io.info(path).frames == frames for path in made.stems)


def test_who_is_never_heard_has_no_track(tmp_path: Path) -> None:
    made = split(tmp_path, voice(2.0), [(0.5, 1.0, "C")], ("A", "B", "C"))
    assert ([path.name for path in made.stems], made.speakers) == (["speaker-3.flac"], ("C",))
    assert difference(tmp_path, made) == 0


@pytest.mark.parametrize("turns", [[], [(5.0, 6.0, "A")]])
def test_nobody_gets_no_file_but_a_word(tmp_path: Path, turns: list[tuple[float, float, str]]) -> None:
    made = split(tmp_path, voice(1.0), turns, ("A",))
    assert made.stems == ()
    assert made.shares is None
    assert made.notes == ("Nobody was found to speak, so there is no track for a speaker.",)
    assert not list((tmp_path / "out").glob("*"))


def test_the_layout_of_the_vocals_stays(tmp_path: Path) -> None:
    layout = layout_of_mask(0x33)
    assert layout is not None
    vocals, voices = tmp_path / "vocals.flac", tmp_path / "voices.json"
    with audio_io.SoundWriter(vocals, sample_rate=RATE, channels=4, layout=layout) as writer:
        writer.write(np.repeat(voice(1.0), 4, axis=1))
    segment = SpeakerSegment(start=0.0, end=1.0, speaker="A")
    voices.write_bytes(msgspec.json.encode(Diarization(speakers=("A",), segments=(segment,), exclusive=())))
    context = StageContext(out=tmp_path / "out", report=lambda fraction, message="": None, models=Models(tmp_path))
    made = split_speakers_stage(context, SplitSpeakersInputs(vocals=vocals, voices=voices), NoParams())
    assert audio_io.read_layout(made.stems[0]) == audio_io.read_layout(vocals)
    assert difference(tmp_path, made) == 0
