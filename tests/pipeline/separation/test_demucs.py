"""The Demucs engine on small networks made here: the code is the same for the published ones."""

import msgspec
import numpy as np
import pytest
import soundfile
import torch
import yaml

from pipeline.errors import Cancelled, DemucsError, ModelDigestError
from pipeline.models import Models
from pipeline.separation import demucs as engine_module
from pipeline.separation import demucs_library as library
from pipeline.separation.checkpoints import has_checkpoint, load_hub, load_local
from pipeline.separation.demucs import Demucs, run_demucs_separation
from pipeline.separation.engine import Recording
from pipeline.separation.stage import separate_stage
from pipeline.types import ModelUse, StemName
from tests.pipeline.separation.measure import Told, save_network, save_sound, steps

SIGNATURE = "a1b2c3d4"


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """Networks this small lose more time in handing work to threads than they gain."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


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
    return run_demucs_separation(source, out, model, repo=repo, device="cpu", report=report or Told())


def read(path):
    return soundfile.read(path, dtype="float32", always_2d=True)[0]


def test_stems_are_what_the_library_makes(repo, noise, tmp_path):
    """Whole-clip normalisation, no shifts, a quarter of overlap: `demucs.api` does the same."""
    source = save_sound(tmp_path / "sound.flac", noise, 44_100)
    told = Told()
    stems = separate(source, tmp_path / "out", repo, "pair", told)
    assert set(stems) == {StemName.VOCALS, StemName.MUSIC, StemName.BACKGROUND}
    mixture = torch.from_numpy(read(source).T)
    reference = mixture.mean(0)
    network = load_local(repo, "pair").network
    normal = ((mixture - reference.mean()) / (reference.std() + 1e-8)).numpy()
    made = library.separate(network, normal, overlap=0.25, device="cpu", done=lambda: None)
    made = made * reference.std().item() + reference.mean().item()
    np.testing.assert_allclose(read(stems[StemName.VOCALS]), made[3].T, atol=1e-5)
    np.testing.assert_allclose(read(stems[StemName.BACKGROUND]), made[:3].sum(0).T, atol=1e-5)
    assert told.fractions == sorted(told.fractions)
    assert told.fractions[-1] == 1.0
    # Three seconds in segments of one, a new one every 0.75 s, for two networks.
    assert len(told.fractions) == 1 + 2 * 4


def test_long_clips_are_worked_on_in_windows(repo, noise, tmp_path, monkeypatch):
    source = save_sound(tmp_path / "sound.flac", np.tile(noise, (2, 1)), 44_100)
    whole = read(separate(source, tmp_path / "whole", repo)[StemName.VOCALS])
    monkeypatch.setattr(engine_module, "WINDOW_SECONDS", 3)
    monkeypatch.setattr(engine_module, "OVERLAP_SECONDS", 1)
    told = Told()
    parts = read(separate(source, tmp_path / "parts", repo, report=told)[StemName.VOCALS])
    assert parts.shape == whole.shape
    assert told.fractions[-1] == 1.0
    np.testing.assert_allclose(parts[: 44_100 * 2], whole[: 44_100 * 2], atol=1e-6)
    assert np.sqrt(np.mean((parts - whole) ** 2)) < 0.5 * np.sqrt(np.mean(whole**2))


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
    with pytest.raises(Cancelled):
        separate(source, tmp_path / "out", repo, report=Told(0.5, Cancelled("stopped")))
    assert list((tmp_path / "out").iterdir()) == []


def test_the_stage_finds_own_checkpoints_and_parts_add_up(work, noise, tmp_path):
    home = tmp_path / "home"
    save_network(home / "checkpoints", SIGNATURE)
    (home / "checkpoints" / "htdemucs.yaml").write_text(yaml.safe_dump({"models": [SIGNATURE]}))
    source = save_sound(tmp_path / "sound.flac", noise, 44_100)
    job = work(source, "demucs", "htdemucs", weights=Models(home, "cpu"))
    facts = separate_stage(job)
    assert facts["stems"] == ["vocals", "music", "background"]
    assert sorted(path.name for path in job.out.iterdir()) == ["background.flac", "music.flac", "vocals.flac"]
    np.testing.assert_array_equal(steps(job.out / "vocals.flac") + steps(job.out / "background.flac"), steps(source))
    (use,) = msgspec.convert(facts["models"], list[ModelUse])
    assert use.digest == load_local(home / "checkpoints", "htdemucs").digest


def test_sources_of_film_networks_get_their_own_stems(tmp_path, noise):
    save_network(tmp_path / "repo", "film", sources=("speech", "music", "sfx"))
    source = save_sound(tmp_path / "sound.flac", noise[:44_100], 44_100)
    stems = separate(source, tmp_path / "out", tmp_path / "repo", "film")
    assert list(stems) == [StemName.VOCALS, StemName.MUSIC, StemName.SFX, StemName.BACKGROUND]
    both = read(stems[StemName.MUSIC]) + read(stems[StemName.SFX])
    np.testing.assert_allclose(read(stems[StemName.BACKGROUND]), both, atol=1e-6)


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


class _Trap:
    def __init__(self, mark) -> None:
        self.mark = mark

    def __reduce__(self):
        return exec, (f"open({str(self.mark)!r}, 'w')",)


def test_a_checkpoint_that_holds_code_is_refused_unread(tmp_path):
    from demucs.states import save_with_checksum

    save_with_checksum({"klass": _Trap(tmp_path / "mark")}, tmp_path / "trap.th")
    with pytest.raises(DemucsError, match="safely"):
        load_local(tmp_path, "trap")
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("name", ["../a1b2c3d4", "a*", "", "nonesuch"])
def test_only_plain_names_that_are_there_are_found(repo, name):
    assert not has_checkpoint(repo, name)
    with pytest.raises(DemucsError):
        load_local(repo, name)


def test_two_checkpoints_of_one_signature_are_refused(tmp_path):
    save_network(tmp_path, SIGNATURE)
    save_network(tmp_path, SIGNATURE, seed=1)
    with pytest.raises(DemucsError, match="2 checkpoints"):
        load_local(tmp_path, SIGNATURE)


def test_without_a_hub_the_error_says_what_to_do(monkeypatch):
    monkeypatch.setattr(library, "load_cached", lambda name: None)
    monkeypatch.setattr(library, "hub_addresses", lambda: ("http://127.0.0.1:9/",))
    with pytest.raises(DemucsError, match="cannot be reached") as caught:
        load_hub("htdemucs_ft")
    assert "stemcord models fetch htdemucs_ft" in caught.value.mend
    assert "--preset pocket" in caught.value.mend


def test_a_card_without_memory_hands_over_to_the_processor(repo, noise, tmp_path, monkeypatch):
    """Only the first call fails, as a card's would; everything after it is real."""
    real, devices = library.separate, []

    def first_on_card(network, mixture, *, device, **rest):
        devices.append(device)
        if device == "cuda":
            raise library.OutOfMemoryError("out of memory")
        return real(network, mixture, device=device, **rest)

    monkeypatch.setattr(library, "separate", first_on_card)
    engine = Demucs(load_local(repo, SIGNATURE), "cuda")
    recording = Recording.open(save_sound(tmp_path / "sound.flac", noise, 44_100), engine.sample_rate)
    made = np.concatenate(list(engine.separate(recording, Told())))
    assert made.shape == (recording.frames, 4)
    assert devices == ["cuda", "cpu"]
    assert len(engine.notes) == 1
