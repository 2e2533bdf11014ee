"""Where in its file a stem is that a page plays, found in the sound itself."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from playwright.sync_api import Page

WINDOW = 16384
"""Frames that are listened to at once."""
SEARCH = 0.5
"""Seconds around the expected place."""
DRIFT = 0.020
"""Seconds between stems that nobody hears."""
SURE = 0.7
"""Correlation from which on the sound is recognised."""
TAP = """async ({ window, late }) => {
  const { player } = await import(document.querySelector("script[type=module]").src);
  const taps = [...player.outputs].map(([part, output]) => {
    const tap = new AnalyserNode(player.context, { fftSize: window });
    const delay = new DelayNode(player.context, { delayTime: late[part] ?? 0 });
    output.connect(delay).connect(tap);
    return [part, tap, new Float32Array(window)];
  });
  globalThis.listen = () => {
    const { context } = player;
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const before = context.currentTime;
      for (const [, tap, samples] of taps) tap.getFloatTimeDomainData(samples);
      if (context.currentTime !== before) continue;
      const encode = (samples) => {
        const bytes = new Uint8Array(samples.buffer);
        let text = "";
        for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
        return btoa(text);
      };
      const sounds = Object.fromEntries(taps.map(([part, , samples]) => [part, encode(samples)]));
      return { time: player.time, clock: before, rate: context.sampleRate, sounds };
    }
    throw new Error("the clock of the sound never rests");
  };
  globalThis.record = (times) => {
    globalThis.kept = [listen()];
    const timer = setInterval(() => {
      if (kept.push(listen()) >= times) clearInterval(timer);
    }, 1000);
  };
  return [player.engine.constructor.name, player.context.state];
}"""


def tap(page: Page, late: Mapping[str, float] | None = None) -> tuple[str, str]:
    """Listen to each stem behind its fader from now on; the kind of engine and the state of the sound's clock.

    `late` has the seconds by which parts are heard later than they are played, to try the listening itself.
    """
    engine, state = page.evaluate(TAP, {"window": WINDOW, "late": dict(late or {})})
    return engine, state


def record(page: Page, times: int) -> None:
    """From now on the tapped page keeps what is heard, that many times, once a second."""
    page.evaluate("times => record(times)", times)


@dataclass(frozen=True, slots=True)
class Moment:
    """What was heard at one moment."""

    clock: float
    """Seconds on the clock of the sound."""
    shown: float
    """Seconds that the page tells."""
    places: dict[str, float]
    """Seconds into the file at which each stem is that was recognised, by part."""

    @property
    def drift(self) -> float | None:
        """Seconds between the first and the last stem; None where fewer than two were recognised."""
        return None if len(self.places) < 2 else max(self.places.values()) - min(self.places.values())


class Ear:
    """Knows the stems of a result."""

    def __init__(self, folder: Path) -> None:
        self._stems: dict[str, np.ndarray] = {}
        self._folder = folder

    def hear(self, page: Page) -> Moment:
        """One moment of a page that plays them, once or again and again."""
        return self._recognise(page.evaluate("listen()"))

    def recorded(self, page: Page, times: int) -> list[Moment]:
        """What a page kept since `record`."""
        return [self._recognise(page.evaluate("at => kept[at]", at)) for at in range(times)]

    def _recognise(self, told: dict[str, Any]) -> Moment:
        places: dict[str, float] = {}
        for part, encoded in told["sounds"].items():
            heard = np.frombuffer(base64.b64decode(encoded), np.float32)
            place = self._place(part, heard, told["time"], int(told["rate"]))
            if place is not None:
                places[part] = place
        return Moment(clock=told["clock"], shown=told["time"], places=places)

    def _place(self, part: str, heard: np.ndarray, expected: float, rate: int) -> float | None:
        stem = self._stem(part, rate)
        # What is behind the fader has yet to reach the loudspeaker: it may be ahead of what the page tells.
        first = round((expected - 2 * SEARCH) * rate) - WINDOW
        wanted = np.arange(first, first + WINDOW + round(4 * SEARCH * rate)) % len(stem)
        known = stem[wanted]
        energy = np.concatenate(([0.0], np.cumsum(known**2)))
        power = energy[WINDOW:] - energy[:-WINDOW]
        likeness = _correlate(known, heard) / np.sqrt(np.maximum(power * np.sum(heard**2), 1e-9))
        best = int(np.argmax(likeness))
        return None if likeness[best] < SURE else (first + best + WINDOW) / rate

    def _stem(self, part: str, rate: int) -> np.ndarray:
        if part not in self._stems:
            sound, own_rate = soundfile.read(self._folder / "stems" / f"{part}.flac", dtype="float32", always_2d=True)
            self._stems[part] = soxr.resample(sound.mean(axis=1), own_rate, rate).astype(np.float64)
        return self._stems[part]


def _correlate(known: np.ndarray, heard: np.ndarray) -> np.ndarray:
    size = 1 << (len(known) + len(heard)).bit_length()
    product = np.fft.rfft(known, size) * np.conj(np.fft.rfft(heard, size))
    return np.fft.irfft(product, size)[: len(known) - len(heard) + 1]
