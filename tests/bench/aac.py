"""What each AAC coder costs and leaves of a sound: noise against the masking threshold, and level.

    .venv/bin/python -m tests.bench.aac [CLIP ...]

The threshold is simple: the power in half-Bark bands, spread by 10 dB a Bark upwards and 25 dB downwards, 16 dB lower
(after J. D. Johnston, "Transform coding of audio signals using perceptual noise criteria", IEEE JSAC 6 (2), 1988).
It serves to compare coders, not to foretell what people hear.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.channels import default_layout
from pipeline.media.aac import segment_encoder as aac
from tests.bench.spine import DATA, decode

SAMPLE_RATE = 44_100
SECONDS = 30
TRANSFORM_SAMPLES = 2048
MASKING_RATIO = 10**-1.6
CODERS = {
    "thorough (twoloop)": aac.TWOLOOP_CODER,
    "quick": aac.FAST_CODER,
    "quick, no middle/side": {**aac.FAST_CODER, "aac_ms": "0"},
    "quick, intensity stereo and noise": {**aac.FAST_CODER, "aac_is": "1", "aac_pns": "1"},
    "quick, noise shaping": {**aac.FAST_CODER, "aac_tns": "1"},
}


def bands() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sums of bins to half Barks, shape (bands, bins), and the spreading between bands."""
    frequency = np.fft.rfftfreq(TRANSFORM_SAMPLES, 1 / SAMPLE_RATE)
    bark = 13 * np.arctan(0.00076 * frequency) + 3.5 * np.arctan((frequency / 7500) ** 2)
    index = np.floor(2 * bark).astype(int)
    sums = (np.arange(index.max() + 1)[:, None] == index[None, :]).astype(float)
    distance = (np.arange(len(sums))[:, None] - np.arange(len(sums))[None, :]) / 2
    return sums, 10 ** (-np.where(distance > 0, 10 * distance, -25 * distance) / 10)


def powers(samples: NDArray[np.float64], sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Power by frame of each channel, and band."""
    window = np.sin(np.pi * (np.arange(TRANSFORM_SAMPLES) + 0.5) / TRANSFORM_SAMPLES)
    frames = np.lib.stride_tricks.sliding_window_view(samples, TRANSFORM_SAMPLES, axis=0)[:: TRANSFORM_SAMPLES // 2]
    spectra = np.abs(np.fft.rfft(frames.reshape(-1, TRANSFORM_SAMPLES) * window, axis=1)) ** 2
    return spectra @ sums.T


def noise_to_mask(samples: NDArray[np.float64], heard: NDArray[np.float64]) -> NDArray[np.float64]:
    """Decibels by frame and band, up to 15 kHz."""
    sums, spreading = bands()
    threshold = MASKING_RATIO * powers(samples, sums) @ spreading.T + 1e-4 * sums.sum(axis=1)
    return 10 * np.log10(powers(heard - samples, sums) / threshold + 1e-9)[:, :-3]


def print_coders(name: str, samples: NDArray[np.float64]) -> None:
    """One line for each coder."""
    form = aac.AudioFormat(sample_rate=SAMPLE_RATE, layout=default_layout(2))
    sound = samples.astype(np.float32)
    print(f"{name}\n  coder                        s   kB   noise/mask: mean   95 %  99.5 %   level, dB")
    for coder, options in CODERS.items():
        started = time.process_time()
        coded = aac.encode_with(sound, form, options)
        spent = time.process_time() - started
        found = noise_to_mask(samples, coded.decoded.astype(np.float64))
        mean, high, highest = found.mean(), np.percentile(found, 95), np.percentile(found, 99.5)
        level = 10 * np.log10(np.mean(coded.decoded.astype(np.float64) ** 2) / np.mean(samples**2))
        size = sum(map(len, coded.packets)) // 1000
        print(f"  {coder:<26}{spent:5.2f}{size:5}{mean:19.1f}{high:7.1f}{highest:8.1f}{level:12.3f}", flush=True)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, nargs="*", default=[DATA / "sample.mp4"])
    for clip in parser.parse_args().clips:
        samples = decode(clip, SAMPLE_RATE, 2)[: SECONDS * SAMPLE_RATE]
        print_coders(clip.name, 0.89 * samples / np.abs(samples).max())
    wave = 10 ** (-4.5 / 20) * np.sin(2 * np.pi * 440 * np.arange(5 * SAMPLE_RATE) / SAMPLE_RATE)
    print_coders("a tone of 440 Hz at -4.5 dBFS", np.repeat(wave[:, None], 2, axis=1))


if __name__ == "__main__":
    main()
