"""A recurrent layer whose gates depend on the input alone (the minimal GRU of Feng et al. 2024).

All products with weights are then taken for the whole sequence at once, and what is left to be done step
by step is a multiplication and an addition: several times quicker to train on a processor than a GRU.
"""

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx

KERNEL = 4
"""Steps that a channel's short filter looks at: this one and those before."""


class GatedRecurrence(nn.Module):
    """Runs over the first axis: h[t] = (1 - z[t]) h[t - 1] + z[t] c[t], with a gate at the output."""

    def __init__(self, features: int, hidden: int, *, backward: bool) -> None:
        super().__init__()
        self.backward = backward
        self.hidden = hidden
        self.input = nn.Linear(features, 3 * hidden)
        self.filter = nn.Parameter(torch.randn(KERNEL, hidden) * KERNEL**-0.5)
        self.output = nn.Linear(hidden, features)
        with torch.no_grad():  # memories from one step to some hundreds
            self.input.bias[:hidden] = -torch.linspace(0, 5, hidden)[torch.randperm(hidden)]

    def forward(self, sequence: Tensor) -> Tensor:
        """Shape (steps, ..., features) in and out."""
        update, candidate, gate = self.input(sequence).split(self.hidden, dim=-1)
        update = update.float().sigmoid()
        if self.backward:
            half = self.hidden // 2
            turned = update[..., half:].flip(0), candidate[..., half:].flip(0)
            later = self._run(*turned, self.filter[:, half:])
            earlier = self._run(update[..., :half], candidate[..., :half], self.filter[:, :half])
            heard = torch.cat([earlier, later.flip(0)], dim=-1)
        else:
            heard = self._run(update, candidate, self.filter)
        return self.output(heard * nn.functional.silu(gate))

    @staticmethod
    def _run(update: Tensor, candidate: Tensor, taps: Tensor) -> Tensor:
        filtered = candidate * taps[0]
        for delay in range(1, KERNEL):
            filtered = filtered + nn.functional.pad(
                candidate[:-delay] * taps[delay], (0, 0) * (candidate.dim() - 1) + (delay, 0)
            )
        return scan(1 - update, update * filtered.float())


def scan(decay: Tensor, value: Tensor) -> Tensor:
    """Compute h[t] = decay[t] h[t - 1] + value[t] over the first axis, from zero.

    Args:
        decay: Shape (steps, ...).
        value: The same shape.

    Returns:
        The same shape.

    """
    return cast("Tensor", cast("Any", _Scan).apply(decay.contiguous(), value.contiguous()))


class _Context(FunctionCtx):
    saved_tensors: tuple[Tensor, ...]


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: _Context, decay: Tensor, value: Tensor) -> Tensor:
        states = torch.empty_like(value)
        states[0] = value[0]
        for step in range(1, len(value)):
            torch.addcmul(value[step], decay[step], states[step - 1], out=states[step])
        ctx.save_for_backward(decay, states)
        return states

    @staticmethod
    def backward(ctx: _Context, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        decay, states = ctx.saved_tensors
        total = gradients[0].clone()
        for step in range(len(total) - 2, -1, -1):
            total[step].addcmul_(decay[step + 1], total[step + 1])
        into_decay = torch.zeros_like(decay)
        torch.mul(total[1:], states[:-1], out=into_decay[1:])
        return into_decay, total
