"""The masked probe by the formulas as printed, under autograd, one at a time."""

from __future__ import annotations

import math

import torch

from neurosteer.probes import GATES

BETA, GAMMA, ZETA = 2 / 3, -0.1, 1.1  # Louizos et al. 2018


def by_autograd(
    x: torch.Tensor, y: torch.Tensor, w: torch.Tensor, b: torch.Tensor, lam: float, u: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Weights, gates and bias after one Adam step per row of uniform noise `u`, by the formulas as printed."""
    w, b = w.double().clone().requires_grad_(), b.double().clone().requires_grad_()
    log_alpha = torch.full_like(w, GATES.log_alpha).requires_grad_()
    adam = torch.optim.Adam(
        [{"params": [w, b], "lr": GATES.rate_weights}, {"params": [log_alpha], "lr": GATES.rate_gates}]
    )
    x, y, u = x.double(), y.double(), u.double()
    for row in u:
        s = torch.sigmoid((torch.log(row) - torch.log(1 - row) + log_alpha) / BETA)
        mask = torch.clamp(s * (ZETA - GAMMA) + GAMMA, 0, 1) if lam < 1 else torch.ones_like(s)
        entropy = torch.nn.functional.binary_cross_entropy_with_logits(x @ (w * mask) + b, (y + 1) / 2)
        penalty = torch.sigmoid(log_alpha - BETA * math.log(-GAMMA / ZETA)).mean()
        adam.zero_grad()
        (lam * entropy + (1 - lam) * penalty).backward()
        adam.step()
    gate = torch.clamp(torch.sigmoid(log_alpha) * (ZETA - GAMMA) + GAMMA, 0, 1)
    gate = gate if lam < 1 else torch.ones_like(gate)
    return (w * gate).detach(), gate.detach(), b.detach()
