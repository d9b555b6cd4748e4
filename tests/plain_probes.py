"""Sparse probes in plain loops: the masked one by the formulas as printed, under autograd, and the L1 path."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from neurosteer.probes import L0Settings
from neurosteer.probes.l1 import LAST, PENALTIES

BETA, GAMMA, ZETA = 2 / 3, -0.1, 1.1  # Louizos et al. 2018
CHUNK = 250  # steps whose noise is drawn at once


@dataclass(frozen=True)
class Drawn:
    """What one generator gives: weights and log alpha at a cold start, and uniform noise for every step."""

    weights: torch.Tensor
    log_alpha: torch.Tensor
    uniform: torch.Tensor

    @classmethod
    def of(cls, source: torch.Generator, steps: int, units: int, settings: L0Settings, group: int = 1) -> Drawn:
        weights, gates = torch.randn(2, units, generator=source)
        sizes = [min(CHUNK, steps - start) for start in range(0, steps, CHUNK)]
        gates = gates[: units // group]
        uniform = torch.cat([torch.rand(size, len(gates), generator=source) for size in sizes])
        return cls(settings.weights_sd * weights, settings.log_alpha + settings.log_alpha_sd * gates, uniform)


def by_autograd(
    x: torch.Tensor,
    y: torch.Tensor,
    drawn: Drawn,
    lam: float,
    settings: L0Settings,
    warm: tuple[torch.Tensor, torch.Tensor] | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Effective weights, gates and bias after all steps, by the formulas as printed; `warm` weights and bias."""
    w, b = warm if warm else (drawn.weights, torch.zeros(()))
    w, b = w.double().clone().requires_grad_(), b.double().clone().requires_grad_()
    log_alpha = drawn.log_alpha.double().clone().requires_grad_()
    betas = (settings.beta1, settings.beta2)
    weights_adam = torch.optim.Adam([w, b], lr=settings.rate_weights, betas=betas)
    gates_adam = torch.optim.Adam([log_alpha], lr=settings.rate_gates, betas=betas)
    optimisers = [weights_adam, gates_adam]

    def share(step: int) -> float:
        return (1 + math.cos(math.pi * step / settings.steps)) / 2 if settings.decay == "cosine" else 1.0

    schedules = [torch.optim.lr_scheduler.LambdaLR(adam, share) for adam in optimisers]
    x, y = x.double(), y.double()
    for row in drawn.uniform.double():
        s = torch.sigmoid((torch.log(row) - torch.log(1 - row) + log_alpha) / BETA)
        mask = torch.clamp(s * (ZETA - GAMMA) + GAMMA, 0, 1) if lam < 1 else torch.ones_like(s)
        mask = mask.repeat_interleave(len(w) // len(mask))
        entropy = torch.nn.functional.binary_cross_entropy_with_logits(x @ (w * mask) + b, (y + 1) / 2)
        penalty = torch.sigmoid(log_alpha - BETA * math.log(-GAMMA / ZETA)).mean()
        loss = lam * entropy + (1 - lam) * penalty + settings.weight_l2 / 2 * (w @ w)
        for adam in optimisers:
            adam.zero_grad()
        loss.backward()
        for adam, schedule in zip(optimisers, schedules, strict=True):
            adam.step()
            schedule.step()
    gate = torch.clamp(torch.sigmoid(log_alpha) * (ZETA - GAMMA) + GAMMA, 0, 1)
    gate = (gate if lam < 1 else torch.ones_like(gate)).repeat_interleave(len(w) // len(gate))
    return (w * gate).detach(), gate.detach(), b.detach()


def plain_l1_order(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How early each unit enters as the penalty falls: in penalties from the end, plus less than 1 for its weight."""
    first = np.abs(x.T @ y).max() / len(y) / 2
    order = weights = np.zeros(x.shape[1])
    for place, penalty in enumerate(np.geomspace(first, LAST * first, PENALTIES)):
        weights = _plain_weights(x, y, penalty, weights)
        size = np.abs(weights)
        entered = (order == 0) & (size > 1e-7)
        order = np.where(entered, PENALTIES - place + size / (1 + size), order)
    return order


def _plain_weights(x: np.ndarray, y: np.ndarray, penalty: float, start: np.ndarray) -> np.ndarray:
    """Of the smallest mean log-loss plus `penalty` times the sum of |w|, by proximal gradient steps."""
    w, step = start, 4 * len(x) / np.linalg.norm(x, 2) ** 2
    for _ in range(20_000):
        slope = -(x.T @ (y / (1 + np.exp(y * (x @ w))))) / len(x)
        moved = w - step * slope
        new = np.sign(moved) * np.maximum(np.abs(moved) - step * penalty, 0)
        if np.abs(new - w).max() < 1e-8:
            break
        w = new
    return w
