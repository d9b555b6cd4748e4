"""Hard concrete gates (Louizos, Welling & Kingma 2018): random numbers in [0, 1] that are often 0 or 1 exactly.

A gate is `clip(s (zeta - gamma) + gamma, 0, 1)` with `s = sigmoid((noise + log_alpha) / beta)` and logistic noise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

_POINTS = 64  # of the noise, over which the mean of a gate is taken


@dataclass(frozen=True)
class Stretch:
    """What their distribution depends on: the temperature, and the interval that is clipped to [0, 1]."""

    beta: float = 2 / 3
    gamma: float = -0.1
    zeta: float = 1.1


STRETCH = Stretch()


def logistic_noise(rows: int, units: int, source: torch.Generator) -> Float[Tensor, "row unit"]:
    """Independent draws."""
    u = torch.rand(rows, units, generator=source).clamp_(1e-6, 1 - 1e-6)
    return u.log() - (1 - u).log()


def open_shift(stretch: Stretch) -> float:
    """P(gate > 0) is the sigmoid of log alpha minus this value."""
    return stretch.beta * math.log(-stretch.gamma / stretch.zeta)


def stretched(soft: Tensor, stretch: Stretch) -> Tensor:
    """Gates, from numbers in [0, 1]."""
    return (soft * (stretch.zeta - stretch.gamma) + stretch.gamma).clamp(0, 1)


def drawn(log_alpha: Float[Tensor, "*#axes"], noise: Float[Tensor, "*#axes"], stretch: Stretch = STRETCH) -> Tensor:
    """Gates, from noise."""
    return stretched(torch.sigmoid((log_alpha + noise) / stretch.beta), stretch)


def mean_and_slope(
    log_alpha: Float[Tensor, "*axes"], stretch: Stretch = STRETCH
) -> tuple[Float[Tensor, "*axes"], Float[Tensor, "*axes"]]:
    """The mean of each gate over its noise, and the derivative of that mean with respect to log alpha."""
    u = (torch.arange(_POINTS, dtype=log_alpha.dtype) + 0.5) / _POINTS
    noise = (u / (1 - u)).log()
    soft = torch.sigmoid((log_alpha[..., None] + noise) / stretch.beta)
    width = stretch.zeta - stretch.gamma
    wide = soft * width + stretch.gamma
    inside = (wide > 0) & (wide < 1)
    slope = (inside * soft * (1 - soft)).mean(dim=-1) * width / stretch.beta
    return wide.clamp(0, 1).mean(dim=-1), slope


def log_alpha_of(mean: float, stretch: Stretch = STRETCH) -> float:
    """The log alpha at which a gate has this mean, by bisection."""
    low, high = torch.tensor(-20.0, dtype=torch.float64), torch.tensor(20.0, dtype=torch.float64)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if float(mean_and_slope(middle, stretch)[0]) < mean else (low, middle)
    return float(low)
