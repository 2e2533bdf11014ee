"""Sounds of more than two channels: the centre first, every channel the original again."""

import numpy as np
import pytest

from pipeline.audio import io as audio_io
from pipeline.audio.channels import LAYOUTS
from pipeline.audio.levels import ChannelLevels
from pipeline.errors import Cancelled
from pipeline.media.contracts import ExtractInputs, ExtractParams, MuxInputs, MuxParams
from pipeline.media.probe import probe
from pipeline.media.stages import extract_stage, mux_stage
from pipeline.mix.contracts import MixInputs, MixParams
from pipeline.mix.stage import mix_stage
from pipeline.separation.contracts import StemFiles
from pipeline.separation.surround import SeparationResult, choose_channel_groups, separate_surround
from pipeline.types import StemName
from tests.pipeline.clips import PICTURE, decode, ffmpeg, heard_tones, make_context, make_tones, tone_of
from tests.pipeline.separation.measure import ProgressRecorder, save_sound, si_sdr, stem_names, steps

RATE = 48_000
FRONT = "The voices were taken out of FC, FL and FR; LFE, BL and BR went to the background whole"


@pytest.fixture(scope="module")
def film(dialogue):
    """Four seconds of 5.1 at 44.1 kHz: speech in the centre over soft music, music in front, noise behind."""
    speech, mixture = (part[: 4 * 44_100] for part in dialogue)
    music = mixture - speech[:, None]
    noise = np.random.default_rng(4).standard_normal((len(speech), 3))
    channels = np.zeros((len(speech), 6))
    channels[:, :2] = 0.5 * music
    channels[:, 2] = 0.5 * speech + 0.1 * music.mean(axis=1)
    channels[:, 3:] = noise * (0.05, 0.002, 0.002)
    return 0.5 * speech, channels


def test_dialogue_comes_out_of_the_centre_and_all_adds_up(work, film, tmp_path):
    speech, channels = film
    source = save_sound(tmp_path / "sound.flac", channels, 44_100)
    told = ProgressRecorder()
    job = work(source, "deepfilternet", "deepfilternet3", report=told)
    output = job.run()
    vocals, background, whole = steps(job.out / "vocals.flac"), steps(job.out / "background.flac"), steps(source)
    np.testing.assert_array_equal(vocals + background, whole)
    assert not vocals[:, 3:].any()
    assert si_sdr(vocals[:, 2], speech) >= si_sdr(whole[:, 2], speech) + 1.5
    assert np.square(vocals[:, 2] / 1.0).mean() > 10 * np.square(vocals[:, :2] / 1.0).mean()
    assert sorted(path.name for path in job.out.iterdir()) == ["background.flac", "vocals.flac"]
    assert stem_names(output) == ["vocals", "background"]
    assert sum(note.startswith(FRONT) for note in output.notes) == 1
    assert [use.stage for use in output.models] == ["separate"]
    assert told.fractions == sorted(told.fractions)
    assert told.fractions[-1] == pytest.approx(1.0)


def test_cancelling_between_the_channels_leaves_no_files(work, film, tmp_path):
    source = save_sound(tmp_path / "sound.flac", film[1], 44_100)
    job = work(source, "deepfilternet", "deepfilternet3", report=ProgressRecorder(0.5, Cancelled("stopped")))
    with pytest.raises(Cancelled):
        job.run()
    assert list(job.out.iterdir()) == []


def halve(stems):
    """An engine that gives each stem a part of the sound, and the widest one the rest."""

    def take_apart(path, folder, report):
        whole, rate = audio_io.read(path), audio_io.info(path).sample_rate
        assert whole.shape[1] <= 2
        report(0.5, "halving")
        parts = {stem: np.asarray(np.rint(whole * 2**21) / 2**23, np.float32) for stem in stems[:-1]}
        background = whole - parts[StemName.VOCALS]
        rest = background - sum(parts[stem] for stem in stems[1:-1])
        for stem, samples in {**parts, stems[-1]: rest, StemName.BACKGROUND: background}.items():
            audio_io.write(folder / f"{stem.value}.flac", samples, rate)
        return SeparationResult(
            stems=(*stems, StemName.BACKGROUND), residual_dbfs=None, notes=("halved",), weights_digest="d"
        )

    return take_apart


@pytest.mark.parametrize("name", ["2.1", "4.0", "5.1", "6.1", "7.1", "octagonal"])
def test_all_stems_of_all_layouts_add_up_in_every_channel(tmp_path, name):
    layout = LAYOUTS[name]
    samples = np.random.default_rng(1).integers(-(2**22), 2**22, (RATE + 17, len(layout.channels))) / 2**23
    samples[:, -1] *= 1e-4
    with audio_io.SoundWriter(
        tmp_path / "a.flac", sample_rate=RATE, channels=samples.shape[1], layout=layout
    ) as writer:
        writer.write(samples.astype(np.float32))
    stems = (StemName.VOCALS, StemName.MUSIC, StemName.SFX, StemName.AMBIENT)
    out = tmp_path / "out"
    out.mkdir()
    made = separate_surround(tmp_path / "a.flac", halve(stems), out, ProgressRecorder())
    assert made.stems == (*stems, StemName.BACKGROUND)
    assert sorted(path.name for path in out.iterdir()) == sorted(f"{stem.value}.flac" for stem in made.stems)
    parts = {stem: steps(out / f"{stem.value}.flac") for stem in made.stems}
    whole = steps(tmp_path / "a.flac")
    np.testing.assert_array_equal(parts[StemName.VOCALS] + parts[StemName.BACKGROUND], whole)
    np.testing.assert_array_equal(sum(parts[stem] for stem in stems), whole)
    for stem in made.stems:
        assert audio_io.read_layout(out / f"{stem.value}.flac") == layout
    for index, channel in enumerate(layout.channels):
        if channel == "LFE":
            np.testing.assert_array_equal(parts[StemName.AMBIENT][:, index], whole[:, index])
    assert made.notes[0] == "halved"


@pytest.mark.parametrize("name", ["4.0", "5.1", "7.1"])
def test_parts_mixed_again_keep_every_channel_in_its_place(tmp_path, name):
    layout = LAYOUTS[name]
    tones = [tone_of(layout, index) for index in range(len(layout.channels))]
    made = make_tones(tmp_path / "tones.flac", layout)
    picture = (part.format(seconds=0.5) for part in PICTURE)
    coding = ("-c:v", "libx264", "-c:a", "pcm_s24le", "-af", f"aformat=channel_layouts={name}")
    ffmpeg(*picture, "-i", made, *coding, tmp_path / "clip.mov")
    source = tmp_path / "clip.mov"
    context = make_context(tmp_path / "master")
    master = extract_stage(context, ExtractInputs(source=source), ExtractParams()).sound
    folder = tmp_path / "stems"
    folder.mkdir()
    separate_surround(master, halve((StemName.VOCALS, StemName.AMBIENT)), folder, ProgressRecorder())
    stems = StemFiles(vocals=folder / "vocals.flac", background=folder / "background.flac")
    context = make_context(tmp_path / "mix")
    mix_stage(context, MixInputs(sound=master, stems=stems), MixParams(voice=1.0, background=1.0))
    joined = MuxInputs(source=source, sound=context.out / "final.m4a")
    mux_stage(context, joined, MuxParams(language=""))
    for final in (context.out / "final.m4a", context.out / "final.mp4"):
        assert probe(final).media.audio.layout == name
        assert heard_tones(decode(final), tones) == pytest.approx(0.2 * np.eye(len(tones)), abs=0.02)


def groups(name, **speech):
    """The groups that are taken apart, by names, for channels of a power each."""
    layout = LAYOUTS[name]
    power = tuple(speech.get(channel, 0.0) for channel in layout.channels)
    chosen = choose_channel_groups(layout, ChannelLevels(power=power, speech_power=power))
    return [tuple(layout.channels[index] for index in group) for group in chosen]


def test_the_centre_comes_first_and_silence_is_left_out():
    assert groups("5.1", FC=0.1, FL=0.01, FR=0.01, LFE=1.0) == [("FC",), ("FL", "FR")]
    assert groups("5.1", FL=0.01, FR=0.01) == [("FL", "FR")]
    assert groups("5.1", FC=0.01, FL=1e-9) == [("FC",)]
    assert groups("5.1") == [("FC",)]


def test_surround_channels_count_when_a_voice_in_them_would_be_heard():
    assert groups("7.1", FC=0.1, FL=0.1, SL=0.001, BL=0.05) == [("FC",), ("FL", "FR"), ("BL", "BR")]
    assert groups("6.1", FC=0.1, FL=0.1, SR=0.1, BC=0.1) == [("FC",), ("FL", "FR"), ("SL", "SR"), ("BC",)]
    assert groups("quad", FL=0.01, FR=0.01, BL=0.0001) == [("FL", "FR")]
