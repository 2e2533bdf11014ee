"""Cuts a sample out of a sound: a program of its own, so that the bot loads no sound library and never waits.

    python -m bot.audition.child SOUND OUT.ogg [START SECONDS]

Without START it is the loudest part. It writes a `Sample` as JSON; that of an empty sound has no length and no file.
Sounds that libsndfile does not read, such as AAC, are read with PyAV where that is there.
"""

import base64
import sys
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np
import soundfile  # pyright: ignore[reportMissingTypeStubs] - it has types, but no stubs

from bot.audition.sample import MAX_SAMPLE_S, Sample

Samples: TypeAlias = "np.ndarray[Any, np.dtype[np.float32]]"
SEARCHED_S: Final = 120.0
"""In which the loudest part is looked for."""
OPUS_RATE_HZ: Final = 48_000
SEEK_MARGIN_S: Final = 1.0
"""Sought before the start, since the first frames after a jump may be damaged."""
FADE_S: Final = 0.02
SECTIONS_PER_S: Final = 10
MAX_SECTIONS: Final = 256
"""Bytes of a waveform: https://discord.com/developers/docs/resources/message#voice-messages"""


def main(arguments: list[str]) -> int:
    """Cut the sample and say what it is."""
    sound, target = map(Path, arguments[:2])
    first, seconds = map(float, arguments[2:]) if arguments[2:] else (0.0, SEARCHED_S)
    samples, rate = _read(sound, max(first, 0.0), seconds)
    samples = to_full_scale(samples)
    start, end = (0, len(samples)) if arguments[2:] else loudest(samples, rate)
    cut = to_opus_rate(samples[start:end], rate)
    fade(cut)
    if len(cut):
        soundfile.write(target, cut, OPUS_RATE_HZ, format="OGG", subtype="OPUS")
    sample = Sample(start=max(first, 0.0) + start / rate, duration=len(cut) / OPUS_RATE_HZ, waveform=waveform(cut))
    sys.stdout.buffer.write(msgspec.json.encode(sample))
    return 0


def _read(sound: Path, start: float, seconds: float) -> tuple[Samples, int]:
    """Return a stretch of a sound, float32 of shape (frames, one or two channels), and its rate in Hz."""
    try:
        with soundfile.SoundFile(sound) as file:
            if start > 0:
                file.seek(min(int(start * file.samplerate), file.frames))
            samples = file.read(int(seconds * file.samplerate), dtype="float32", always_2d=True)
            return _two_channels(np.asarray(samples, dtype=np.float32)), file.samplerate
    except soundfile.LibsndfileError:
        return _decode(sound, start, seconds), OPUS_RATE_HZ


def _decode(sound: Path, start: float, seconds: float) -> Samples:
    import av  # only where a worker is installed beside the bot

    frames: list[Samples] = [np.zeros((0, 2), dtype=np.float32)]
    count = 0
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=OPUS_RATE_HZ)
    skipped: int | None = None
    wanted = int(seconds * OPUS_RATE_HZ)
    with av.open(str(sound)) as container:
        if not container.streams.audio[0].rate:
            raise ValueError(f"{sound} is no sound")
        if start > SEEK_MARGIN_S:
            container.seek(int((start - SEEK_MARGIN_S) * av.time_base) + (container.start_time or 0))
        for frame in container.decode(audio=0):
            if skipped is None:
                began = (container.start_time or 0) / av.time_base
                skipped = max(round((start + began - (frame.time or 0.0)) * OPUS_RATE_HZ), 0)
            for part in resampler.resample(frame):
                frames.append(np.asarray(part.to_ndarray().T, dtype=np.float32))
                count += part.samples
            if count >= skipped + wanted:
                break
    first = skipped or 0
    return np.concatenate(frames)[first : first + wanted].astype(np.float32)


def _two_channels(samples: Samples) -> Samples:
    return samples if samples.shape[1] <= 2 else samples.mean(axis=1, keepdims=True)


def to_full_scale(samples: Samples) -> Samples:
    """Return the samples within -1 and 1, and silence for those that are no finite number.

    One that is none would spread over the whole sample when it is resampled, and hide the rest of the waveform.
    """
    return np.clip(np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0), -1.0, 1.0)


def loudest(samples: Samples, rate: int) -> tuple[int, int]:
    """Return begin and end of the loudest stretch of a sample's length, by whole seconds."""
    length = int(MAX_SAMPLE_S * rate)
    if len(samples) <= length:
        return 0, len(samples)
    seconds = len(samples) // rate
    power = np.array([float(np.mean(samples[n * rate : (n + 1) * rate] ** 2)) for n in range(seconds)])
    sums = np.convolve(power, np.ones(int(MAX_SAMPLE_S)), "valid")
    start = int(np.argmax(sums)) * rate
    return start, min(start + length, len(samples))


def to_opus_rate(samples: Samples, rate: int) -> Samples:
    """Resample by the spectrum, which is exact enough for some seconds."""
    if rate == OPUS_RATE_HZ or not len(samples):
        return samples.copy()
    frames = round(len(samples) * OPUS_RATE_HZ / rate)
    spectrum = np.fft.rfft(samples, axis=0)
    return (np.fft.irfft(spectrum, frames, axis=0) * (frames / len(samples))).astype(np.float32)


def fade(samples: Samples) -> None:
    """Fade begin and end, in place, so that nothing clicks."""
    frames = min(int(FADE_S * OPUS_RATE_HZ), len(samples) // 2)
    ramp = np.linspace(0.0, 1.0, frames, dtype=np.float32)[:, None]
    samples[:frames] *= ramp
    samples[len(samples) - frames :] *= ramp[::-1]


def waveform(samples: Samples) -> str:
    """Return the loudness of equal sections, a byte each, in base64."""
    count = max(1, min(MAX_SECTIONS, int(len(samples) / OPUS_RATE_HZ * SECTIONS_PER_S)))
    sections = np.array_split(samples, count)
    levels = np.array([float(np.sqrt(np.mean(part**2))) if len(part) else 0.0 for part in sections])
    peak = float(levels.max())
    scaled = np.zeros(count) if peak == 0 else levels / peak
    return base64.b64encode((scaled * 255).astype(np.uint8).tobytes()).decode()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
