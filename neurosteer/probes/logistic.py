"""Logistic probes: many problems and several L2 strengths at once.

Minimises `mean log-loss + l2 / 2 * |w|^2` (the bias is free) per problem and strength. The log-loss curves at
most like `X'X / 4n` (Boehning 1992), so steps in that metric never overshoot; Nesterov's momentum with restarts
(O'Donoghue & Candes 2015) makes them few. A weak strength on separable data is ill-conditioned, hence the doubles. A
problem that has converged is frozen, and no product of a problem reads another's numbers: on a CPU a probe's bits do
not depend on which others are fitted beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from .examples import aligned

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1)  # the L2 strengths that validation data choose from
STEPS = 1000
TOLERANCE = 1e-9  # squared gradient norm in the metric: about twice the loss still to gain


@dataclass(frozen=True, eq=False)
class Probes:
    """Linear probes: the score of an example is `weights . x + bias`, positive for good."""

    weights: Float[Tensor, "problem strength unit"]
    bias: Float[Tensor, "problem strength"]

    def accuracy(
        self, x: Float[Tensor, "problem sample unit"], y: Float[Tensor, "sample"]
    ) -> Float[Tensor, "problem strength"]:
        """Share of examples whose score has the sign of the label; a score of 0 is wrong."""
        scores = x @ self.weights.transpose(1, 2) + self.bias[:, None]
        return (scores * y[:, None] > 0).sum(dim=1).cpu().double() / len(y)

    def pick(self, strength: Tensor) -> Probes:
        """One strength per problem (its index), as probes with a strength axis of length 1."""
        at = torch.arange(len(strength)), strength
        return Probes(self.weights[at][:, None], self.bias[at][:, None])


def fit_logistic(
    x: Float[Tensor, "problem sample unit"],
    y: Float[Tensor, "sample"],
    l2: Float[Tensor, "problem strength"],
) -> Probes:
    """Fit every problem at every one of its strengths. `x` should be standardised; labels are +1 and -1."""
    if x.shape[0] == 1:  # a batch of one takes other kernels, with other last bits
        twice = fit_logistic(x.expand(2, -1, -1), y, l2.expand(2, -1))
        return Probes(twice.weights[:1], twice.bias[:1])
    units = x.shape[-1]
    with_bias = torch.cat([torch.ones_like(x[..., :1]), x], dim=-1)
    (x, y), l2 = aligned(with_bias.double(), y.double()), l2.double()
    penalty = l2[:, :, None].repeat(1, 1, x.shape[-1])
    penalty[..., 0] = 0
    metric = _Metric(x, l2, int(y.count_nonzero()))
    w = torch.zeros_like(penalty)
    ahead, momentum, done = w, torch.ones_like(l2), torch.zeros_like(l2, dtype=torch.bool)
    for _ in range(STEPS):
        gradient = _gradient(x, y, ahead) + penalty * ahead
        step = metric.solve(gradient)
        new = torch.where(done[..., None], w, ahead - step)
        uphill = (gradient * (new - w)).sum(-1) > 0
        momentum = torch.where(uphill, 1.0, momentum)
        following = (1 + (1 + 4 * momentum.square()).sqrt()) / 2
        push = torch.where(uphill | done, 0.0, (momentum - 1) / following)
        ahead, w, momentum = new + push[..., None] * (new - w), new, following
        done = done | ((gradient * step).sum(-1) < TOLERANCE)
        if bool(done.all()):
            break
    return Probes(w[..., 1 : units + 1].float(), w[..., 0].float())


def _gradient(
    x: Float[Tensor, "problem sample unit"],
    y: Float[Tensor, "sample"],
    w: Float[Tensor, "problem strength unit"],
) -> Float[Tensor, "problem strength unit"]:
    scores = torch.bmm(x, w.transpose(1, 2))
    residual = -y[:, None] * torch.sigmoid(-y[:, None] * scores) / y.count_nonzero()
    return torch.bmm(x.transpose(1, 2), residual).transpose(1, 2)


class _Metric:
    """Solves `(X'X / 4n + penalty) s = g`; in sample space where there are more units than samples."""

    def __init__(
        self, x: Float[Tensor, "problem sample unit"], l2: Float[Tensor, "problem strength"], samples: int
    ) -> None:
        self.x, self.l2, self.wide = x, l2, x.shape[2] > x.shape[1]
        scale = 4 * samples
        gram = (x @ x.transpose(1, 2) if self.wide else x.transpose(1, 2) @ x) / scale
        ridge = torch.ones_like(gram[0, 0])
        if not self.wide:
            ridge[0] = 1e-6  # the bias is free; this keeps the factorisation safe
        full = gram[:, None] + l2[..., None, None] * torch.diag(ridge)
        self.inverse = torch.cholesky_inverse(torch.linalg.cholesky(full))
        self.scale = scale

    def solve(self, g: Float[Tensor, "problem strength unit"]) -> Float[Tensor, "problem strength unit"]:
        if not self.wide:
            return (self.inverse @ g[..., None])[..., 0]
        inner = torch.bmm(self.x, g.transpose(1, 2)).transpose(1, 2)  # problem strength sample
        inner = (self.inverse @ inner[..., None])[..., 0]
        back = torch.bmm(self.x.transpose(1, 2), inner.transpose(1, 2)).transpose(1, 2)
        return (g - back / self.scale) / self.l2[..., None]
