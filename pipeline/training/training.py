"""Trains a network on mixes made on the fly, within a budget of time, and goes on where it stopped."""

import json
import logging
import math
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.separation.engines.background.network.base import MaskNetwork, count_parameters
from pipeline.separation.engines.background.network.spectrogram import SAMPLE_RATE, analyse
from pipeline.separation.engines.background.network.tensors import differentiate, multiplies_short_floats, tensor_of
from pipeline.separation.engines.background.network.weights import save_weights
from pipeline.training.evaluation import HeldOut
from pipeline.training.losses import separation_loss
from pipeline.training.mixes.mixing import Batch, Mixer

STATE = "state.pt"
WEIGHTS = "weights.safetensors"
LOG = "log.jsonl"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """How to train."""

    seed: int = 1
    batch: int = 4
    learning_rate: float = 1.5e-3
    contrast: float = 0.0
    """Of `separation_loss`."""
    warmup_steps: int = 100
    weight_decay: float = 1e-3
    max_gradient_norm: float = 2.0
    dropout: float = 0.0
    """Share of the deep values of a U-net that are left out by chance."""
    averaging: float = 0.999
    """Share of the averaged weights that a step keeps; fewer at the start."""
    budget_s: float = 3600.0
    """Processor seconds of this process, or seconds of the clock on a card."""
    cooldown: float = 0.0
    """Last part of the budget, over which the learning rate falls to nothing."""
    log_every_steps: int = 50
    evaluate_every_s: float = 300.0
    """Of the budget."""


class Trainer:
    """A training run in a folder: its state, its log and its averaged weights."""

    def __init__(
        self, network: MaskNetwork, mixer: Mixer, held_out: HeldOut, config: TrainingConfig, folder: Path
    ) -> None:
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._halves = self._device.type == "cuda" or multiplies_short_floats()
        self._network = network.to(self._device)
        self._network.dropout = config.dropout
        self._mixer = mixer
        self._held_out = held_out
        self._config = config
        self._folder = folder
        self._groups = network.learning_groups()
        self._optimizer = torch.optim.AdamW(
            [{"params": group.parameters} for group in self._groups],
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
            betas=(0.9, 0.98),
            fused=True,
        )
        self._average = {name: value.detach().clone().float() for name, value in network.state_dict().items()}
        self._step = 0
        self._spent_s = 0.0
        self._skipped = 0
        self._stopping = False
        self._background = ThreadPoolExecutor(1)
        self._coming: Future[Batch] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self._resume()

    @property
    def step(self) -> int:
        """Steps taken in all."""
        return self._step

    def stop(self) -> None:
        """End the run after the step that is being taken."""
        self._stopping = True

    def run(self) -> None:
        """Train until the budget is spent."""
        config = self._config
        before = self._spent_s
        clock = _clock(self._device)
        began = clock()
        losses: list[float] = []
        evaluated_s = before
        self._write("start", parameters=count_parameters(self._network), training=asdict(config))
        while True:
            self._spent_s = before + clock() - began
            share = (self._spent_s - before) / config.budget_s
            if share >= 1 or self._stopping:
                break
            losses.append(self._train_step(share))
            if self._step % config.log_every_steps == 0:
                self._write("step", loss=round(float(np.mean(losses)), 4), skipped=self._skipped)
                losses.clear()
            if self._spent_s - evaluated_s >= config.evaluate_every_s:
                evaluated_s = self._spent_s
                self._checkpoint()
        self._checkpoint()

    def _train_step(self, share: float) -> float:
        config = self._config
        backgrounds, parts = self._next_batch()
        for options, group in zip(self._optimizer.param_groups, self._groups, strict=True):
            options["lr"] = config.learning_rate * group.rate_share * self._rate(share)
        self._network.train()
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._halves):
            background, truth = (self._spectra(backgrounds), self._spectra(parts))
            notes = self._network.note_hints(tensor_of(backgrounds)[:, None], SAMPLE_RATE, background.shape[1])
            if notes is not None:
                notes = notes.to(self._device)
            masks = self._network(background.real.square() + background.imag.square(), notes)
        loss = separation_loss(masks.float(), truth, background, contrast=config.contrast)
        self._optimizer.zero_grad(set_to_none=True)
        differentiate(loss)
        norm = nn.utils.clip_grad_norm_(self._network.parameters(), config.max_gradient_norm)
        if torch.isfinite(norm):
            cast("Any", self._optimizer).step()
        else:
            self._skipped += 1
        self._step += 1
        self._average_weights()
        return float(loss.detach())

    def _next_batch(self) -> Batch:
        """The mixes of this step; those of the next are made meanwhile."""
        seed, size = self._config.seed, self._config.batch
        batch = self._coming.result() if self._coming else self._mixer.batch(seed, self._step, size)
        self._coming = self._background.submit(self._mixer.batch, seed, self._step + 1, size)
        return batch

    def _spectra(self, waves: NDArray[np.float32]) -> Tensor:
        with torch.autocast(self._device.type, enabled=False):
            return analyse(tensor_of(waves).to(self._device), self._network.stft)

    def _rate(self, share: float) -> float:
        """Share of the learning rate: rising at first, falling in the cooldown."""
        rise = min(1.0, (self._step + 1) / self._config.warmup_steps)
        if not self._config.cooldown or share < 1 - self._config.cooldown:
            return rise
        return rise * 0.5 * (1 + math.cos(math.pi * (share - 1 + self._config.cooldown) / self._config.cooldown))

    @torch.no_grad()
    def _average_weights(self) -> None:
        keep = min(self._config.averaging, (self._step + 1) / (self._step + 10))
        for name, value in self._network.state_dict().items():
            self._average[name].lerp_(value.float(), 1 - keep)

    def _checkpoint(self) -> None:
        """Write the state, the averaged weights and what these make of the held-out mixes."""
        state = {
            "network": self._network.state_dict(),
            "average": self._average,
            "optimizer": self._optimizer.state_dict(),
            "step": self._step,
            "spent_s": self._spent_s,
        }
        partial = self._folder / f"{STATE}.partial"
        torch.save(state, partial)
        partial.replace(self._folder / STATE)
        digest = save_weights(self._average, self._network.config, self._folder / WEIGHTS)
        current = {name: value.clone() for name, value in self._network.state_dict().items()}
        self._network.load_state_dict(self._average)
        figures = self._held_out.evaluate(self._network, self._device)
        self._network.load_state_dict(current)
        self._write("held_out", weights_sha256=digest, **figures)

    def _resume(self) -> None:
        path = self._folder / STATE
        if not path.exists():
            return
        state = torch.load(path, map_location=self._device, weights_only=True)
        self._network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._average = state["average"]
        self._step, self._spent_s = state["step"], state["spent_s"]
        _log.info("goes on at step %d", self._step)

    def _write(self, event: str, **figures: object) -> None:
        row = {"event": event, "step": self._step, "spent_s": round(self._spent_s, 1), "time": round(time.time())}
        line = json.dumps(row | figures)
        _log.info("%s", line)
        with (self._folder / LOG).open("a") as file:
            file.write(line + "\n")


def prepare_processor(threads: int) -> None:
    """Set the number of threads, and have tiny numbers count as zero: silence is several times quicker so."""
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)


def _clock(device: torch.device) -> Callable[[], float]:
    return time.monotonic if device.type == "cuda" else time.process_time
