"""Training of the network that finds borders of words, `pipeline.speech.recognition.whisper.border_network`.

    .venv/bin/python -m tests.bench.border_training [--out FILE] [--steps 2500] [--seed 1] [--apart VOICE ...]

Examples are those of `border_set`: each time a line is used it has another level, tempo, tilt, noise, and at times a
second voice behind it, and its borders are guessed as the attention does. The loss is the continuous ranked
probability score, so that the median of what is likely is off by little. Lines of the voices that are kept `--apart`
are only judged by.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import signal
from torch import nn

from pipeline.speech.recognition.whisper import border_network as network
from pipeline.speech.recognition.whisper.border_network import BANDS, HOP, REACH_HOPS, BorderNetwork, Guess
from tests.bench import border_set
from tests.bench.border_set import RATE, Line

CHANNELS: Final = 64
EMBEDDING: Final = 8
GUESS_ERRORS: Final = (-0.161, -0.090, -0.045, -0.014, 0.010, 0.033, 0.061)
"""By which the attention's borders are off, in seconds; the quantiles 0.05 to 0.95 of `quick`'s half to tune on."""
GUESS_QUANTILES: Final = (0.05, 0.15, 0.3, 0.5, 0.7, 0.85, 0.95)
BATCH: Final = 128
LEARNING_RATE: Final = 2e-3
REPORT_STEPS: Final = 200
LETTERS_HIDDEN: Final = 0.3
"""Share of the examples whose letters are not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """What the network hears, and the answers."""

    heard: NDArray[np.float32]
    letters: NDArray[np.int64]
    answers: NDArray[np.float32]
    """Hops from the guess to the end of the first word and the beginning of the second, shape (examples, 2)."""


class Trained(nn.Module):
    """The network in torch; its parameters have the names that the package reads."""

    def __init__(self) -> None:
        super().__init__()
        widths = [BANDS + 3, *[CHANNELS] * len(network.DILATIONS)]
        self.letters = nn.Embedding(network.LETTER_KINDS, EMBEDDING)
        self.layers = nn.ModuleList(
            nn.Conv1d(a, b, network.KERNEL, padding="same", dilation=dilation, bias=False)
            for a, b, dilation in zip(widths, widths[1:], network.DILATIONS, strict=False)
        )
        told = 2 * network.LETTERS_OF_WORD * EMBEDDING
        self.shifts = nn.ModuleList(nn.Linear(told, CHANNELS) for _ in network.DILATIONS)
        self.scores = nn.Conv1d(CHANNELS, 2, 1, bias=False)

    def forward(self, heard: torch.Tensor, letters: torch.Tensor) -> torch.Tensor:
        """Compute how likely each place is, shape (examples, 2, places)."""
        told = self.letters(letters).flatten(1)
        hidden = heard
        for layer, shift in zip(self.layers, self.shifts, strict=True):
            hidden = torch.relu(layer(hidden) + shift(told)[:, :, None])
        middle = hidden.shape[2] // 2
        return torch.softmax(self.scores(hidden[:, :, middle - REACH_HOPS : middle + REACH_HOPS + 1]), dim=2)


def make_examples(lines: Sequence[Line], chance: np.random.Generator) -> Examples:
    """Take every border of the lines once, each line as if it were recorded anew."""
    heard, letters, answers = list[NDArray[np.float32]](), list[NDArray[np.int64]](), list[tuple[float, float]]()
    for place in chance.permutation(len(lines)):
        line = lines[place]
        stretch = float(chance.uniform(0.9, 1.12))
        bands = network.compute_bands(record(line.samples, stretch, lines, chance))
        for border in line.borders:
            end, start = border.before.end * stretch, border.after.start * stretch
            middle = start + guess_error(chance)
            guess = Guess(
                middle=middle,
                start=min(border.before.start * stretch + guess_error(chance), middle - 0.04),
                end=max(border.after.end * stretch + guess_error(chance), middle + 0.04),
                before=border.before.text,
                after=border.after.text,
            )
            heard.append(network.hear(bands, guess))
            hidden = chance.random() < LETTERS_HIDDEN
            letters.append(network.spell("", "") if hidden else network.spell(guess.before, guess.after))
            answers.append(((end - middle) * RATE / HOP, (start - middle) * RATE / HOP))
    return Examples(heard=np.stack(heard), letters=np.stack(letters), answers=np.array(answers, np.float32))


def guess_error(chance: np.random.Generator) -> float:
    """Draw by how much a guess is off, in seconds."""
    quantile = float(chance.uniform(0.0, 1.0))
    if quantile < GUESS_QUANTILES[0]:
        return GUESS_ERRORS[0] - float(chance.exponential(0.04))
    if quantile > GUESS_QUANTILES[-1]:
        return GUESS_ERRORS[-1] + float(chance.exponential(0.03))
    return float(np.interp(quantile, GUESS_QUANTILES, GUESS_ERRORS))


def record(
    samples: NDArray[np.float32], stretch: float, others: Sequence[Line], chance: np.random.Generator
) -> NDArray[np.float32]:
    """Make a line sound as if another microphone had heard it, at another tempo and pitch."""
    length = round(len(samples) * stretch)
    sound = np.interp(np.arange(length) / stretch, np.arange(len(samples)), samples)
    # What other people or things do at the same time.
    if chance.random() < 0.25:
        other = others[int(chance.integers(len(others)))].samples
        sound += float(chance.uniform(0.03, 0.4)) * np.resize(np.roll(other, int(chance.integers(len(other)))), length)
    if chance.random() < 0.6:
        noise = chance.standard_normal(length)
        if chance.random() < 0.5:
            noise = np.asarray(signal.lfilter([1.0], [1.0, -0.95], noise))
        noise *= np.sqrt(np.mean(sound**2) / max(float(np.mean(noise**2)), 1e-12))
        sound += noise * 10 ** (-float(chance.uniform(5.0, 40.0)) / 20)
    if chance.random() < 0.5:
        sound = np.asarray(signal.lfilter([1.0, -float(chance.uniform(-0.6, 0.6))], [1.0], sound))
    if chance.random() < 0.3:
        filters = signal.butter(4, float(chance.uniform(3000, 7000)), fs=RATE, output="sos")
        sound = np.asarray(signal.sosfilt(filters, sound))
    sound *= float(chance.uniform(0.05, 0.5)) / max(float(np.abs(sound).max()), 1e-6)
    return sound.astype(np.float32)


def train(lines: Sequence[Line], seed: int, steps: int, judged: Sequence[Line]) -> Trained:
    """Train a network."""
    torch.manual_seed(seed)
    chance = np.random.default_rng([14, seed])
    model = Trained()
    optimiser = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps)
    grid = torch.arange(-REACH_HOPS, REACH_HOPS + 1, dtype=torch.float32)
    step, reported, began, recent = 0, 0, time.monotonic(), 1.0
    while step < steps:
        examples = make_examples(lines, chance)
        order = chance.permutation(len(examples.answers))
        for first in range(0, len(order) - BATCH + 1, BATCH):
            rows = order[first : first + BATCH]
            likely = model(torch.from_numpy(examples.heard[rows]), torch.from_numpy(examples.letters[rows]))
            answers = torch.from_numpy(examples.answers[rows])[:, :, None]
            # A place covers half a hop to each side.
            passed = torch.clamp(grid - answers + 0.5, 0.0, 1.0)
            loss = (likely.cumsum(2) - passed).square().sum(2).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            step, recent = step + 1, 0.99 * recent + 0.01 * float(loss.detach())
            if step == steps:
                break
        if step >= reported + REPORT_STEPS or step == steps:
            reported = step
            said = f": {judge(model, judged)}" if judged else ""
            print(f"step {step}, {time.monotonic() - began:.0f} s, loss {recent:.3f}{said}", flush=True)
    return model


def judge(model: Trained, lines: Sequence[Line]) -> str:
    """Say how far the borders of lines are off."""
    examples = make_examples(lines, np.random.default_rng(15))
    found = BorderNetwork(weights=arrays(model)).locate(examples.heard, examples.letters)
    errors = 10.0 * np.abs(found - examples.answers)
    before = 10.0 * np.abs(examples.answers[:, 1])
    rows = {"ends": errors[:, 0], "starts": errors[:, 1], "guesses": before}
    return ", ".join(f"{name} {np.median(x):.0f} and {np.quantile(x, 0.95):.0f} ms" for name, x in rows.items())


def arrays(model: Trained) -> dict[str, NDArray[np.float32]]:
    """The weights of a network by name."""
    return {name: value.detach().numpy() for name, value in model.state_dict().items()}


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=network.WEIGHTS)
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--apart", nargs="+", default=())
    asked = parser.parse_args()
    said = list(border_set.lines())
    apart = [line for line in said if line.voice in asked.apart]
    model = train([line for line in said if line.voice not in asked.apart], asked.seed, asked.steps, apart)
    halves: dict[str, Any] = {name: value.astype(np.float16) for name, value in arrays(model).items()}
    np.savez_compressed(asked.out, **halves)


if __name__ == "__main__":
    main()
