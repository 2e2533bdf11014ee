import pytest
import torch

from pipeline.models.loader import find_file
from pipeline.separation.engines.background import NOTES_FILE
from pipeline.separation.engines.background.network.base import NetworkConfig
from pipeline.separation.engines.background.network.notes import HINTS, HOP, NOTES, RATE, NoteListener
from pipeline.separation.engines.background.network.unet import NETWORK_BINS, TileNetwork
from pipeline.training.spleeter_start import with_notes

BIN_HZ = 44_100 / 4096
LINES, PRESENT, BEGUN = range(HINTS)
A4 = 48
"""Place of the note of 440 Hz."""


@pytest.fixture(scope="module")
def listener() -> NoteListener:
    path = find_file(NOTES_FILE)
    assert path is not None
    return NoteListener(path, bin_hz=BIN_HZ, bins=NETWORK_BINS)


def tone(hertz: float, seconds: float, rate: int = 44_100) -> torch.Tensor:
    """A note with four harmonics, shape (frames,)."""
    time = torch.arange(round(seconds * rate)) / rate
    return sum((torch.sin(2 * torch.pi * hertz * n * time) / n for n in range(1, 5)), torch.zeros_like(time)) / 4


def bin_of(hertz: float) -> int:
    return round(hertz / BIN_HZ)


def test_a_note_is_heard_at_its_harmonics_and_nowhere_else(listener: NoteListener) -> None:
    sound = tone(440.0, 3.0)[None]
    notes = listener.posteriors(sound, rate=44_100).notes
    assert notes.shape == (1, -(-3 * RATE // HOP), NOTES)
    assert int(notes[0, 40:200].mean(dim=0).argmax()) == A4
    hints = listener.hints(sound, rate=44_100, hop=1024, spectra=130)[0, :, 20:110].mean(dim=1)
    on, off = hints[LINES, [bin_of(440.0), bin_of(880.0)]], hints[LINES, [bin_of(600.0), bin_of(1100.0)]]
    assert on.min() > 2 * off.max()


def test_noise_has_fewer_notes_than_a_chord(listener: NoteListener) -> None:
    torch.manual_seed(0)
    chord = tone(220.0, 3.0) + tone(277.2, 3.0) + tone(329.6, 3.0)
    both = torch.stack([chord, 0.3 * torch.randn(len(chord))])
    present = listener.hints(both, rate=44_100, hop=1024, spectra=130)[:, PRESENT].mean(dim=(1, 2))
    assert present[0] > 1.5 * present[1]


def test_hints_are_the_same_at_another_rate_and_level(listener: NoteListener) -> None:
    first = listener.hints(tone(440.0, 2.5)[None], rate=44_100, hop=1024, spectra=100)
    other = listener.hints(0.1 * tone(440.0, 2.5, 48_000)[None], rate=48_000, hop=1115, spectra=100)
    torch.testing.assert_close(other[:, LINES, 10:90], first[:, LINES, 10:90], atol=0.1, rtol=0)


@pytest.mark.parametrize("seconds", [0.1, 1.7, 9.0])
def test_each_spectrum_has_hints_and_silence_has_none(listener: NoteListener, seconds: float) -> None:
    frames = round(44_100 * seconds)
    spectra = frames // 1024 + 1
    hints = listener.hints(torch.zeros(1, frames), rate=44_100, hop=1024, spectra=spectra)
    assert hints.shape == (1, HINTS, spectra, NETWORK_BINS)
    assert torch.isfinite(hints).all()
    assert hints[:, LINES].max() < 0.5


def test_a_network_that_is_told_of_notes_begins_as_it_was_but_for_music(listener: NoteListener) -> None:
    torch.manual_seed(0)
    before = TileNetwork(NetworkConfig(architecture="tiles", deep_channels=8, hints=True, floor=True)).eval()
    after = with_notes(before).eval()
    assert after.config.notes
    power, notes = torch.rand(1, 64, TileNetwork.stft.bins), torch.zeros(1, HINTS, 64, NETWORK_BINS)
    notes[..., 20:30] = 1.0
    with torch.no_grad():
        old, new = before(power), after(power, notes)
    assert (new[:, 0, :, 20:30] > old[:, 0, :, 20:30]).all()
    torch.testing.assert_close(new[:, 1] / new[:, 2], old[:, 1] / old[:, 2], atol=1e-4, rtol=1e-4)


def test_the_network_hears_notes_where_it_wants_to_be_told(listener: NoteListener) -> None:
    path = find_file(NOTES_FILE)
    assert path is not None
    deaf = TileNetwork(NetworkConfig(architecture="tiles", deep_channels=8))
    deaf.hear_notes(path)
    waves = torch.randn(1, 2, 44_100)
    assert deaf.note_hints(waves, 44_100, 44) is None
    told = with_notes(deaf).eval()
    with pytest.raises(RuntimeError, match="nothing hears them"):
        told.separate(waves, 44_100)
    told.hear_notes(path)
    hints = told.note_hints(waves, 44_100, 44)
    assert hints is not None
    with torch.no_grad():
        parts = told.separate(waves, 44_100)
    torch.testing.assert_close(parts.sum(dim=1), waves, atol=1e-5, rtol=0)
