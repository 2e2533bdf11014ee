"""Makes `sample.mp4` from `sample.speech.flac`: music under a dialogue, and a small moving picture.

The music is computed here (chords, bass, plucked notes, a soft beat), so nobody else's
work is in it. Run it from anywhere: `python tests/data/make_sample.py`.
"""

import subprocess
import tempfile
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import soundfile
import soxr

FOLDER = Path(__file__).parent
RATE = 44_100
BEAT = 60 / 84
CHORDS = ((57, 60, 64, 67), (53, 57, 60, 64), (48, 55, 60, 64), (55, 59, 62, 67))
"""MIDI notes: A minor 7, F major 7, C major, G major; two bars each."""
MUSIC_BELOW_SPEECH = 3.0
"""dB, by RMS over the whole clip."""


def tone(midi: float, seconds: float, partials: tuple[float, ...], attack: float, decay: float) -> np.ndarray:
    """One note as a sum of partials with an exponential decay, mono, length seconds * RATE."""
    time = np.arange(int(seconds * RATE)) / RATE
    frequency = 440 * 2 ** ((midi - 69) / 12)
    wave = sum(gain * np.sin(2 * np.pi * frequency * (k + 1) * time) for k, gain in enumerate(partials))
    return np.asarray(wave) * np.minimum(1, time / attack) * np.exp(-time / decay)


def drum(seconds: float, generator: np.random.Generator, *, low: bool) -> np.ndarray:
    """A kick (falling sine) or a brushed hat (filtered noise)."""
    time = np.arange(int(seconds * RATE)) / RATE
    if low:
        return np.sin(2 * np.pi * (50 * time + 6 * np.exp(-time * 30))) * np.exp(-time * 12)
    return np.diff(generator.standard_normal(len(time) + 1)) * np.exp(-time * 45) * 0.25


def compose(seconds: float) -> np.ndarray:
    """Stereo music, shape (frames, 2), RMS 1."""
    generator = np.random.default_rng(7)
    frames = int(seconds * RATE)
    music = np.zeros((frames + 8 * RATE, 2))

    def place(sound: np.ndarray, start: float, pan: float, gain: float) -> None:
        first = int(start * RATE)
        sides = np.array([np.cos(pan * np.pi / 2), np.sin(pan * np.pi / 2)])
        music[first : first + len(sound)] += gain * sound[:, None] * sides

    for bar in range(int(seconds / (4 * BEAT)) + 1):
        chord, start = CHORDS[(bar // 2) % len(CHORDS)], bar * 4 * BEAT
        for index, note in enumerate(chord):
            place(tone(note, 4.2 * BEAT, (1, 0.4, 0.2, 0.1), 0.15, 3.0), start, 0.25 + 0.16 * index, 0.5)
        place(tone(chord[0] - 12, 2 * BEAT, (1, 0.5, 0.25), 0.01, 0.8), start, 0.5, 1.0)
        place(tone(chord[0] - 12, 2 * BEAT, (1, 0.5, 0.25), 0.01, 0.8), start + 2 * BEAT, 0.5, 0.8)
        for step in range(8):
            note = chord[(step * 3) % len(chord)] + 12
            place(tone(note, 1.0, (1, 0.3, 0.3, 0.1, 0.05), 0.004, 0.35), start + step * BEAT / 2, step / 7, 0.45)
            place(drum(0.2, generator, low=False), start + step * BEAT / 2, 0.6, 0.5)
        for beat in (0, 2):
            place(drum(0.4, generator, low=True), start + beat * BEAT, 0.5, 1.2)
    music = music[:frames]
    return music / np.sqrt(np.mean(music**2))


def main() -> None:
    """Write `sample.mp4` beside this file."""
    speech, rate = soundfile.read(FOLDER / "sample.speech.flac", dtype="float64")
    speech = np.asarray(soxr.resample(speech, rate, RATE, "VHQ"))
    music = compose(len(speech) / RATE) * np.sqrt(np.mean(speech**2)) * 10 ** (-MUSIC_BELOW_SPEECH / 20)
    mix = speech[:, None] + music
    peak = float(np.abs(mix).max())
    print(f"peak {peak:.2f}")
    picture = (
        "color=c=0x1e2a38:s=320x180:r=12[scene];color=c=0x66ccaa:s=24x24:r=12[box];"
        "[scene][box]overlay=x='mod(t*40,320)':y='78+40*sin(t)'"
    )
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "mix.wav"
        soundfile.write(wav, mix, RATE, subtype="FLOAT")
        subprocess.run(
            [
                *(imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", "-f", "lavfi", "-i", picture, "-i", str(wav)),
                *("-t", f"{len(mix) / RATE:.3f}"),
                *("-c:v", "libx264", "-preset", "slow", "-crf", "32", "-pix_fmt", "yuv420p"),
                *("-c:a", "aac", "-b:a", "128k", "-movflags", "+faststart", "-map_metadata", "-1"),
                str(FOLDER / "sample.mp4"),
            ],
            check=True,
        )


if __name__ == "__main__":
    main()
