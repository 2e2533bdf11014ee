"""Every channel of a clip stays in its place, from the clip to the master to the final sound and video."""

from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.audio import io as audio_io
from pipeline.audio.channels import LAYOUTS, default_layout
from pipeline.media.ffmpeg_pipe import FFmpegPipe
from pipeline.media.mux import mux
from pipeline.media.probe import probe
from pipeline.media.sound.channel_folding import map_channels
from pipeline.media.sound.encoding import encode_aac, encoder_arguments, written_layout
from pipeline.media.sound.extract import convert
from pipeline.types import SoundFormat
from tests.pipeline.clips import (
    PICTURE,
    decode,
    extract,
    ffmpeg,
    heard_tones,
    make_tones,
    mix_down,
    tone_of,
)

LEVEL = 0.2
IN_AAC = {"quad(side)": "quad", "5.1(side)": "5.1", "6.1": "6.1(back)"}
"""AAC has no other word for these."""


def in_place(samples: audio_io.Samples, tones: list[float]) -> bool:
    """True when each channel holds its own tone at its level, and no other."""
    expected = LEVEL * np.eye(len(tones))
    return bool(np.abs(heard_tones(samples, tones) - expected).max() < 0.02)


def places(name: str, found: str) -> list[int]:
    """Where the channels of a layout come from in one that says side instead of back."""
    before = LAYOUTS[name].channels
    beside = {"BL": "SL", "BR": "SR"}
    return [before.index(channel if channel in before else beside[channel]) for channel in LAYOUTS[found].channels]


@pytest.mark.parametrize("name", ["mono", "stereo", "2.1", "4.0", "quad(side)", "5.1", "5.1(side)", "6.1", "7.1"])
def test_layout_and_content_come_back_in_the_final_files(tmp_path: Path, name: str) -> None:
    layout = LAYOUTS[name]
    tones = [tone_of(layout, index) for index in range(len(layout.channels))]
    source = make_tones(tmp_path / "tones.flac", layout)
    ffmpeg(
        *(part.format(seconds=0.5) for part in PICTURE),
        *("-i", source, "-c:v", "libx264", "-c:a", "pcm_s24le", "-af", f"aformat=channel_layouts={name}"),
        tmp_path / "clip.mov",
    )
    clip = probe(tmp_path / "clip.mov")
    assert (clip.media.audio.layout, clip.media.audio.channels) == (name, len(tones))
    facts = extract(tmp_path / "clip.mov", tmp_path / "out")
    master = facts.sound
    assert (facts.channels, facts.notes) == (len(tones), ())
    assert facts.layout == ("5.1" if name == "5.1(side)" else name)
    assert np.array_equal(audio_io.read(master), audio_io.read(source))
    encode_aac(master, tmp_path / "final.m4a", duration=0.5)
    mux(tmp_path / "clip.mov", clip, tmp_path / "final.m4a", tmp_path / "final.mp4")
    for final in ("final.m4a", "final.mp4"):
        found = IN_AAC.get(name, name)
        assert probe(tmp_path / final).media.audio.layout == found
        assert in_place(decode(tmp_path / final), [tones[index] for index in places(name, found)])


@pytest.mark.parametrize(("coding", "name"), [("ac3", "5.1(side)"), ("eac3", "5.1(side)"), ("libopus", "5.1")])
def test_surround_sound_as_people_post_it(tmp_path: Path, coding: str, name: str) -> None:
    layout = LAYOUTS["5.1"]
    made = make_tones(tmp_path / "a.flac", layout)
    ffmpeg("-i", made, "-af", f"aformat=channel_layouts={name}", "-c:a", coding, "-b:a", "448k", tmp_path / "a.mkv")
    assert probe(tmp_path / "a.mkv").media.audio.layout == name
    facts = extract(tmp_path / "a.mkv", tmp_path / "out")
    assert facts.layout == "5.1"
    assert in_place(audio_io.read(facts.sound), [tone_of(layout, index) for index in range(6)])


def test_a_file_that_only_counts_its_channels_is_taken_as_flac_would(tmp_path: Path) -> None:
    made = make_tones(tmp_path / "a.flac", LAYOUTS["5.1"])
    audio_io.write(tmp_path / "a.wav", audio_io.read(made), 48_000)
    assert probe(tmp_path / "a.wav").media.audio.layout == "6 channels"
    facts = extract(tmp_path / "a.wav", tmp_path / "out")
    assert facts.layout == "5.1"
    assert facts.notes == ("The clip does not say what its 6 channels are for; they are taken as 5.1.",)
    assert np.array_equal(audio_io.read(facts.sound), audio_io.read(made))


def test_height_channels_fold_into_those_below(tmp_path: Path) -> None:
    frequencies = [400 + 200 * index for index in range(10)]
    tones = "|".join(f"{LEVEL}*sin({frequency}*2*PI*t)" for frequency in frequencies)
    ffmpeg("-f", "lavfi", "-i", f"aevalsrc={tones}:c=5.1.4:d=0.5:s=48000", "-c:a", "pcm_s24le", tmp_path / "a.wav")
    facts = extract(tmp_path / "a.wav", tmp_path / "out")
    (note,) = facts.notes
    assert note == "The clip's 10 channels (5.1.4) were brought to 5.1(side), 5 dB quieter so that nothing clips."
    found = heard_tones(audio_io.read(facts.sound), frequencies) / LEVEL
    expected = np.zeros((6, 10))
    expected[range(6), range(6)] = 1
    expected[[0, 1, 4, 5], [6, 7, 8, 9]] = 0.5**0.5
    assert found == pytest.approx(expected / (1 + 0.5**0.5), abs=1e-3)


@pytest.mark.parametrize("name", ["3.1.2", "7.1.4", "cube", "9.1.6", "hexadecagonal", "22.2", "7.1(wide)"])
def test_ffmpeg_takes_every_passage(tmp_path: Path, name: str) -> None:
    passage = map_channels(name, [channel.name for channel in av.AudioLayout(name).channels])
    graph = f"anoisesrc=d=0.1:a=1,aformat=channel_layouts={name},{passage.filter}"
    ffmpeg("-f", "lavfi", "-i", graph, "-c:a", "flac", tmp_path / "a.flac")
    assert audio_io.read_layout(tmp_path / "a.flac").channels == passage.layout.channels
    assert np.abs(audio_io.read(tmp_path / "a.flac")).max() > 0.01


def test_two_channels_are_always_stereo() -> None:
    for speakers in (("BIL", "BIR"), ("DL", "DR"), ("NONE", "NONE")):
        passage = map_channels("x", speakers)
        assert (passage.layout, passage.filter, passage.note) == (default_layout(2), "pan=stereo|c0=c0|c1=c1", "")


def test_sound_in_a_sphere_becomes_stereo() -> None:
    passage = map_channels("ambisonic 1", ("AMBI0", "AMBI1", "AMBI2", "AMBI3"))
    assert (passage.layout, passage.note) == (
        default_layout(2),
        "The clip's surround sound (ambisonic 1) is taken as stereo.",
    )


def test_many_channels_without_names_become_one(tmp_path: Path) -> None:
    samples = np.zeros((4_800, 16), np.float32)
    samples[:, 9] = 0.5
    audio_io.write(tmp_path / "a.wav", samples, 48_000)
    facts = extract(tmp_path / "a.wav", tmp_path / "out")
    assert facts.channels == 1
    assert np.abs(audio_io.read(facts.sound) - 0.5 / 16).max() < 1e-5


def test_a_change_of_layout_on_the_way_does_not_end_the_sound(tmp_path: Path) -> None:
    parts = b""
    for name in ("5.1", "stereo"):
        made = make_tones(tmp_path / "a.flac", LAYOUTS[name])
        ffmpeg("-i", made, "-c:a", "ac3", "-f", "mpegts", tmp_path / f"{name}.ts")
        parts += (tmp_path / f"{name}.ts").read_bytes()
    (tmp_path / "both.ts").write_bytes(parts)
    facts = extract(tmp_path / "both.ts", tmp_path / "out")
    assert facts.layout == "5.1"
    early = audio_io.read(facts.sound, frames=24_000)
    assert in_place(early, [tone_of(LAYOUTS["5.1"], index) for index in range(6)])


def test_the_plain_extraction_leaves_the_lfe_out_and_does_not_clip(tmp_path: Path) -> None:
    layout = LAYOUTS["5.1"]
    source = make_tones(tmp_path / "a.flac", layout)
    facts = mix_down(extract(source, tmp_path / "out").sound, tmp_path / "mono")
    found = heard_tones(audio_io.read(facts.sound), [tone_of(layout, index) for index in range(6)], 44_100)[0]
    assert found[3] < 1e-4
    assert found[2] == max(found)
    assert found[[0, 1, 2, 4, 5]].sum() <= LEVEL * 1.01


@pytest.mark.parametrize(
    ("voice", "name", "places"),
    [
        ("mono", "5.1", [2]),
        ("stereo", "5.1", [0, 1]),
        ("mono", "quad", [0, 1]),
        ("mono", "stereo", [0, 1]),
        ("mono", "mono", [0]),
    ],
)
def test_a_dub_speaks_from_the_front(tmp_path: Path, voice: str, name: str, places: list[int]) -> None:
    dub = make_tones(tmp_path / "dub.flac", LAYOUTS[voice])
    target, layout = tmp_path / "made.flac", LAYOUTS[name]
    convert(dub, probe(dub), target, sample_rate=48_000, channels=len(layout.channels), layout=layout)
    levels = np.abs(audio_io.read(target)).max(axis=0)
    assert np.flatnonzero(levels).tolist() == places
    assert levels[places] == pytest.approx(LEVEL, abs=1e-3)


@pytest.mark.parametrize("name", ["2.1", "4.0", "5.1(side)", "7.1"])
@pytest.mark.parametrize("form", SoundFormat)
def test_every_format_takes_every_layout(tmp_path: Path, name: str, form: SoundFormat) -> None:
    layout, target = LAYOUTS[name], tmp_path / f"made.{form}"
    made = audio_io.read(make_tones(tmp_path / "a.flac", layout))
    with FFmpegPipe(layout, 48_000, timeout=30, outputs={target: encoder_arguments(form, layout)}) as feed:
        feed.write(made)
        feed.finish()
    assert probe(target).media.audio.channels == len(written_layout(form, layout).channels)
    assert (written_layout(form, layout) == layout) == (
        form != "mp3" and (form != "opus" or name not in ("2.1", "4.0"))
    )
