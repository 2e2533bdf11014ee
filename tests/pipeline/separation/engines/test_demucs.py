"""The Demucs engine on small networks made here: the code is the same for the published ones."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
import yaml
from demucs.apply import apply_model

from pipeline.catalog import MODELS, HubFile
from pipeline.errors import Cancelled, DemucsError, ModelDigestError, SeparationError
from pipeline.models.checkpoints import file_digest
from pipeline.models.loader import Models
from pipeline.separation.base import CPU_FALLBACK_NOTE, Mixture
from pipeline.separation.engines.demucs import library
from pipeline.separation.engines.demucs.checkpoints import has_checkpoint, load_local, load_model
from pipeline.separation.engines.demucs.engine import SMALLER_BATCH_NOTE, Demucs, run_demucs_separation
from pipeline.separation.segment_inference import OutOfMemoryError
from pipeline.separation.stage import MUSIC_ONLY_NOTE
from pipeline.types import StemName
from tests.pipeline.separation.measure import ProgressRecorder, Trap, save_network, save_sound, stem_names, steps

SIGNATURE = "a1b2c3d4"
FILM = ("music", "sfx", "speech")
"""What the networks trained on Divide and Remaster call their sources."""


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def repo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints")
    save_network(folder, SIGNATURE)
    save_network(folder, "second", seed=1)
    (folder / "pair.yaml").write_text(
        yaml.safe_dump({"models": [SIGNATURE, "second"], "weights": [[1, 1, 1, 0], [1, 1, 1, 1]]})
    )
    return folder


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(4).uniform(-0.5, 0.5, (44_100 * 3, 2))


def separate(source, out, repo, model=SIGNATURE, report=None):
    return run_demucs_separation(source, out, model, repo=repo, device="cpu", report=report or ProgressRecorder())


def read(path):
    return soundfile.read(path, dtype="float32", always_2d=True)[0]


def test_stems_are_what_the_library_makes(repo, noise, tmp_path):
    """Whole-clip normalisation, no shifts, a quarter of overlap: `demucs.api` does the same."""
    source = save_sound(tmp_path / "sound.flac", noise, 44_100)
    told = ProgressRecorder()
    stems = separate(source, tmp_path / "out", repo, "pair", told)
    assert set(stems) == {StemName.VOCALS, StemName.MUSIC, StemName.BACKGROUND}
    mixture = torch.from_numpy(read(source).T)
    reference = mixture.mean(0)
    network: Any = load_local(repo, "pair").network
    made = apply_model(network, ((mixture - reference.mean()) / (reference.std() + 1e-8))[None], shifts=0)[0]
    made = (made * reference.std() + reference.mean()).numpy()
    np.testing.assert_allclose(read(stems[StemName.VOCALS]), made[3].T, atol=1e-5)
    np.testing.assert_allclose(read(stems[StemName.BACKGROUND]), made[:3].sum(0).T, atol=1e-5)
    assert told.fractions == sorted(told.fractions)
    assert told.fractions[-1] == 1.0
    # Three seconds in segments of one, a new one every 0.75 s, for two networks.
    assert len([fraction for fraction in told.fractions if fraction]) == 2 * 4


@pytest.mark.parametrize(
    ("samples", "rate"),
    [
        (np.zeros((1, 1)), 44_100),
        (np.zeros((20_000, 2)), 44_100),
        (0.1 * np.sin(np.arange(8_000) / 3)[:, None], 8_000),
    ],
    ids=["one sample", "silence", "8 kHz mono"],
)
def test_unusual_sounds_come_back_whole(repo, tmp_path, samples, rate):
    source = save_sound(tmp_path / "sound.flac", samples, rate)
    stems = separate(source, tmp_path / "out", repo)
    frames = -(-len(samples) * 44_100 // rate)
    for path in stems.values():
        assert read(path).shape == (frames, samples.shape[1])
        assert np.isfinite(read(path)).all()


def test_cancelling_leaves_no_files(repo, noise, tmp_path):
    source = save_sound(tmp_path / "sound.flac", noise, 44_100)
    told = ProgressRecorder(0.5, Cancelled("stopped"))
    with pytest.raises(Cancelled):
        separate(source, tmp_path / "out", repo, report=told)
    assert told.fractions[-3:] == [0.0, 0.25, 0.5]
    assert list((tmp_path / "out").iterdir()) == []


def test_the_stage_finds_own_checkpoints_and_parts_add_up(work, noise, tmp_path):
    home = tmp_path / "home"
    save_network(home / "checkpoints", SIGNATURE)
    (home / "checkpoints" / "htdemucs.yaml").write_text(yaml.safe_dump({"models": [SIGNATURE]}))
    source = save_sound(tmp_path / "sound.flac", noise, 44_100)
    job = work(source, "demucs", "htdemucs", weights=Models(home, "cpu"))
    output = job.run()
    assert stem_names(output) == ["vocals", "music", "background"]
    assert list(output.notes) == [MUSIC_ONLY_NOTE.format(model="htdemucs")]
    assert sorted(path.name for path in job.out.iterdir()) == ["background.flac", "music.flac", "vocals.flac"]
    whole = steps(source)
    for rest in ("background", "music"):
        np.testing.assert_array_equal(steps(job.out / "vocals.flac") + steps(job.out / f"{rest}.flac"), whole)
    (use,) = output.models
    assert use.digest == load_local(home / "checkpoints", "htdemucs").digest


def test_sources_of_film_networks_get_their_own_stems(tmp_path, noise):
    save_network(tmp_path / "repo", "film", sources=FILM)
    source = save_sound(tmp_path / "sound.flac", noise[:44_100], 44_100)
    stems = separate(source, tmp_path / "out", tmp_path / "repo", "film")
    assert list(stems) == [StemName.VOCALS, StemName.MUSIC, StemName.SFX, StemName.BACKGROUND]
    both = read(stems[StemName.MUSIC]) + read(stems[StemName.SFX])
    np.testing.assert_allclose(read(stems[StemName.BACKGROUND]), both, atol=1e-6)


def film_entry(name, *paths):
    """A catalogue entry whose files are these networks."""
    hub = tuple(
        HubFile(name=path.name, addresses=("https://127.0.0.1:9/",), sha256=file_digest(path), size=path.stat().st_size)
        for path in paths
    )
    return replace(MODELS["htdemucs_dnr_bag"], name=name, hub=hub)


def test_a_film_network_gives_four_stems_that_add_up(work, noise, tmp_path, monkeypatch):
    """Two networks of one signature, as those trained on Divide and Remaster are published, make a bag."""
    home = tmp_path / "home"
    folder = home / "checkpoints"
    paths = [save_network(folder / str(seed), "film", sources=FILM, seed=seed) for seed in (0, 1)]
    entry = film_entry("film_bag", *(path.rename(folder / path.name) for path in paths))
    for module in ("pipeline.models.loader", "pipeline.separation.engines.demucs.checkpoints"):
        monkeypatch.setattr(f"{module}.MODELS", {**MODELS, entry.name: entry})
    source = save_sound(tmp_path / "sound.flac", noise, 44_100)
    job = work(source, "demucs", entry.name, weights=Models(home, "cpu"))
    output = job.run()
    assert stem_names(output) == ["vocals", "music", "sfx", "ambient", "background"]
    assert list(output.notes) == []
    parts = {path.stem: steps(path) for path in job.out.iterdir()}
    assert len(parts) == 5
    whole = steps(source)
    np.testing.assert_array_equal(parts["vocals"] + parts["background"], whole)
    np.testing.assert_array_equal(parts["music"] + parts["sfx"] + parts["ambient"], parts["background"])
    assert all(part.any() for part in parts.values())
    network: Any = load_model(job.models, entry.name).network
    assert len(network.models) == 2
    assert -60 < output.residual < 0


def test_a_checkpoint_that_lacks_a_stem_of_its_entry_is_refused(work, noise, tmp_path):
    """A network for songs in place of the one for film."""
    home = tmp_path / "home"
    save_network(home / "checkpoints", "htdemucs_dnr")
    source = save_sound(tmp_path / "sound.flac", noise, 44_100)
    job = work(source, "demucs", "htdemucs_dnr", weights=Models(home, "cpu"))
    with pytest.raises(SeparationError, match="do not make sfx and ambient"):
        job.run()
    assert list(job.out.iterdir()) == []


def test_a_network_without_vocals_is_refused(tmp_path):
    save_network(tmp_path, "drums", sources=("drums", "other"))
    with pytest.raises(DemucsError, match="no vocals"):
        Demucs(load_local(tmp_path, "drums"), "cpu")


def test_a_changed_checkpoint_is_refused(tmp_path):
    path = save_network(tmp_path, SIGNATURE)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelDigestError):
        load_local(tmp_path, SIGNATURE)


@pytest.mark.parametrize("name", [f"{SIGNATURE}.th", f"{SIGNATURE}-.th", f"{SIGNATURE}-abc.th"])
def test_a_checkpoint_without_a_full_digest_is_refused(tmp_path, name):
    save_network(tmp_path, SIGNATURE).rename(tmp_path / name)
    with pytest.raises(ModelDigestError):
        load_local(tmp_path, SIGNATURE)


def test_a_checkpoint_that_holds_code_is_refused_unread(tmp_path):
    from demucs.states import save_with_checksum

    save_with_checksum({"klass": Trap(tmp_path / "mark")}, tmp_path / "trap.th")
    with pytest.raises(DemucsError, match="safely"):
        load_local(tmp_path, "trap")
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("name", ["../a1b2c3d4", "a*", "", "nonesuch"])
def test_only_plain_names_that_are_there_are_found(repo, name):
    assert not has_checkpoint(repo, name)
    with pytest.raises(DemucsError):
        load_local(repo, name)


def test_a_quantized_checkpoint_is_refused_and_ends_no_process(tmp_path):
    from demucs.htdemucs import HTDemucs
    from demucs.states import save_with_checksum

    path = save_network(tmp_path, "small")
    with torch.serialization.safe_globals([HTDemucs, Fraction]):
        package = torch.load(path, weights_only=True)
    path.unlink()
    save_with_checksum(package | {"state": {"__quantized": True}}, tmp_path / "small.th")
    with pytest.raises(DemucsError, match="not a Demucs network") as caught:
        load_local(tmp_path, "small")
    assert "quantized" in caught.value.detail


def test_two_checkpoints_of_one_signature_are_refused(tmp_path):
    save_network(tmp_path, SIGNATURE)
    save_network(tmp_path, SIGNATURE, seed=1)
    with pytest.raises(DemucsError, match="2 checkpoints"):
        load_local(tmp_path, SIGNATURE)


def test_a_bag_that_drops_a_source_is_refused(tmp_path):
    save_network(tmp_path, SIGNATURE)
    (tmp_path / "deaf.yaml").write_text(yaml.safe_dump({"models": [SIGNATURE], "weights": [[1, 1, 1, 0]]}))
    with pytest.raises(DemucsError, match="no weight"):
        Demucs(load_local(tmp_path, "deaf"), "cpu")


def short_of_memory(checkpoint, limit, error):
    """The checkpoint, with a network that fails for more than `limit` segments at once; returns the batches tried."""
    tried = []

    def refuse(_network, arguments):
        tried.append(len(arguments[0]))
        if tried[-1] > limit:
            raise error

    checkpoint.network.register_forward_pre_hook(refuse)
    return tried


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
        MemoryError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_short_of_memory_batches_are_halved_and_nothing_else_changes(repo, noise, tmp_path, error):
    path = save_sound(tmp_path / "sound.flac", noise, 44_100)
    whole, halved = load_local(repo, SIGNATURE), load_local(repo, SIGNATURE)
    recording = Mixture.open(path, 44_100)
    expected = np.concatenate(list(Demucs(whole, "cpu", batch=1).separate(recording, ProgressRecorder())))
    tried = short_of_memory(halved, 1, error)
    engine, told = Demucs(halved, "cpu", batch=4), ProgressRecorder()
    made = np.concatenate(list(engine.separate(recording, told)))
    np.testing.assert_allclose(made, expected, atol=1e-6)
    assert tried == [4, 2, 1, 1, 1, 1]
    assert told.fractions[-1] == 1.0
    assert engine.notes == [SMALLER_BATCH_NOTE]


def test_without_memory_for_one_segment_the_work_ends_with_a_name(repo, noise, tmp_path):
    checkpoint = load_local(repo, SIGNATURE)
    short_of_memory(checkpoint, 0, RuntimeError("out of memory"))
    recording = Mixture.open(save_sound(tmp_path / "sound.flac", noise, 44_100), 44_100)
    with pytest.raises(DemucsError, match="too little memory"):
        list(Demucs(checkpoint, "cpu").separate(recording, ProgressRecorder()))


def test_other_failures_of_the_network_have_a_name(repo, noise, tmp_path):
    checkpoint = load_local(repo, SIGNATURE)
    short_of_memory(checkpoint, 0, RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    recording = Mixture.open(save_sound(tmp_path / "sound.flac", noise, 44_100), 44_100)
    with pytest.raises(DemucsError, match="could not take") as caught:
        list(Demucs(checkpoint, "cpu").separate(recording, ProgressRecorder()))
    assert "mat1" in caught.value.detail


@pytest.mark.parametrize("fails", ["moving", "running"])
def test_a_card_without_memory_hands_over_to_the_processor(repo, noise, tmp_path, monkeypatch, fails):
    """Only the card's answers are made up (torch has none here); everything after them is real."""
    real_move, real_run, devices = library.BagMember.move, library.BagMember.run, []

    def move(member, device):
        devices.append(device)
        if device == "cuda" and fails == "moving":
            raise OutOfMemoryError
        real_move(member, "cpu")

    def run(member, segments):
        if devices[-1] == "cuda":
            raise OutOfMemoryError
        return real_run(member, segments)

    monkeypatch.setattr(library.BagMember, "move", move)
    monkeypatch.setattr(library.BagMember, "run", run)
    engine = Demucs(load_local(repo, SIGNATURE), "cuda")
    recording = Mixture.open(save_sound(tmp_path / "sound.flac", noise, 44_100), engine.sample_rate)
    made = np.concatenate(list(engine.separate(recording, ProgressRecorder())))
    assert made.shape == (recording.frames, 4)
    assert devices == ["cuda", "cpu"]
    assert engine.notes == ([CPU_FALLBACK_NOTE] if fails == "moving" else [SMALLER_BATCH_NOTE, CPU_FALLBACK_NOTE])
