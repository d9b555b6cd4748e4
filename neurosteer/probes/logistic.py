"""Logistic probes: many problems and several L2 strengths at once.

Minimises `mean log-loss + l2 / 2 * |w|^2` (the bias is free) per problem and strength, in float64 and to a float32's
last digits. The method is Newton's, with steps from conjugate gradients that are cut short while the optimum is far
(Dembo, Eisenstat & Steihaug 1982) and backtracking on the loss, until the Newton decrement is small (Boyd &
Vandenberghe 2004, section 9.5). What preconditions the conjugate gradients is the Cholesky factor of an earlier
Hessian: at first the one at zero, `X'X / 4n`, of which all strengths of a problem share the product; a new one once
solves with the old have become as dear as factorising. So strong penalties never pay for a second factor, and weak
ones on separable data, whose Hessian changes most, pay for few. Problems with more units than samples are turned into
sample space first.

Every problem and strength is fitted by itself, in arithmetic of one thread: a probe's bits depend neither on which
others are fitted beside it nor on how many cores there are. Cores share the problems out. On a CPU this is also
faster than products of all problems at once, since the states of one problem stay in the cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import pad, softplus

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1)  # the L2 strengths that validation data choose from
TOLERANCE = 1e-11  # Newton decrement, squared: twice the loss still to gain, before a last step
STEPS, SOLVES, HALVINGS = 100, 200, 30  # bounds; usual are 10 steps, 50 solves in one of them, and no halving
WORKERS = 4  # problems at a time, at most: each holds its states, and some products, in float64
PATIENCE = 32  # factorising costs about as much as `unknowns / 32` solves


@dataclass(frozen=True, eq=False)
class Probes:
    """Linear probes: the score of an example is `weights . x + bias`, positive for good."""

    weights: Float[Tensor, "problem strength unit"]
    bias: Float[Tensor, "problem strength"]

    def right(
        self, x: Float[Tensor, "problem sample unit"], y: Float[Tensor, "sample"]
    ) -> Bool[Tensor, "problem sample strength"]:
        """Which examples have a score with the sign of the label; a score of 0 is wrong."""
        scores = x @ self.weights.transpose(1, 2) + self.bias[:, None]
        return scores * y[:, None] > 0

    def accuracy(
        self, x: Float[Tensor, "problem sample unit"], y: Float[Tensor, "sample"]
    ) -> Float[Tensor, "problem strength"]:
        """Share of examples that are right."""
        return self.right(x, y).sum(dim=1).cpu().double() / len(y)

    def pick(self, strength: Tensor) -> Probes:
        """One strength per problem (its index), as probes with a strength axis of length 1."""
        at = torch.arange(len(strength)), strength
        return Probes(self.weights[at][:, None], self.bias[at][:, None])


def fit_logistic(
    x: Float[Tensor, "problem sample unit"],
    y: Float[Tensor, "sample"],
    l2: Float[Tensor, "problem strength"],
) -> Probes:
    """Fit every problem at every one of its strengths. `x` should be standardised; labels: 1, -1, or 0 (left out)."""
    labelled = y.nonzero()[:, 0]
    y = y[labelled].double()

    def fit(problem: int) -> Float[Tensor, "strength unit_bias"]:
        return _fit(x[problem].index_select(0, labelled).double(), y, l2[problem].tolist())

    with _pool(x.device) as pool:
        w = torch.stack(list(pool.map(fit, range(len(x)))))
    return Probes(w[..., :-1].float(), w[..., -1].float())


@contextmanager
def _pool(device: torch.device) -> Iterator[ThreadPoolExecutor]:
    """Workers whose arithmetic takes one thread each, on a CPU as many as torch had threads."""
    threads = torch.get_num_threads()
    pool = ThreadPoolExecutor(min(threads, WORKERS) if device.type == "cpu" else 1)
    torch.set_num_threads(1)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)


def _fit(
    x: Float[Tensor, "sample unit"], y: Float[Tensor, "sample"], strengths: list[float]
) -> Float[Tensor, "strength unit_bias"]:
    """Weights, and last the bias, of one problem."""
    samples, units = x.shape
    wide = units > samples
    signed = pad(_sample_space(x) if wide else x, (0, 1), value=1.0) * y[:, None]
    at_zero = signed.T @ signed / (4 * samples)
    out = []
    for l2 in strengths:
        w, margins = _newton(signed, at_zero, l2)
        if wide:  # back: the gradient is zero where the weights are the examples, weighted by how wrong they are
            w = torch.cat([torch.mv(x.T, torch.sigmoid(-margins) * y) / (samples * l2), w[-1:]])
        out.append(w)
    return torch.stack(out)


def _sample_space(x: Float[Tensor, "sample unit"]) -> Float[Tensor, "sample sample"]:
    """Examples with the same inner products, but few units: nothing is lost, as best weights are sums of examples.

    The small ridge is for examples that are equal, or sums of others.
    """
    products = x @ x.T
    products.diagonal().add_(1e-11 * products.diagonal().mean() + 1e-30)
    return torch.linalg.cholesky(products)


def _newton(
    x: Float[Tensor, "sample unknown"], at_zero: Float[Tensor, "unknown unknown"], l2: float
) -> tuple[Float[Tensor, "unknown"], Float[Tensor, "sample"]]:
    """Weights and margins at the optimum. `x` is signed by the labels; its last column is the bias's."""
    samples, unknowns = x.shape
    penalty = torch.full_like(x[0], l2)
    penalty[-1] = 0
    w, margins = torch.zeros_like(x[0]), torch.zeros_like(x[:, 0])
    loss, ridge = _loss(w, margins, penalty), torch.diag(penalty)
    factor, fresh, solves = torch.linalg.cholesky(at_zero + ridge), True, 0
    for _ in range(STEPS):
        wrong = torch.sigmoid(-margins)
        gradient = penalty * w - torch.mv(x.T, wrong) / samples
        curve = wrong * (1 - wrong) / samples
        if not fresh and solves >= unknowns // PATIENCE:
            factor, fresh = torch.linalg.cholesky(x.T @ (curve[:, None] * x) + ridge), True
        step = _solve(factor, -gradient)
        if fresh:
            solves, fresh = 0, False
        else:
            step, solves = _conjugate(x, curve, penalty, factor, gradient, step)
        gain = -float(gradient @ step)
        along = torch.mv(x, step)
        if gain < TOLERANCE:
            return w + step, margins + along
        length, before = 1.0, loss
        for _ in range(HALVINGS):
            loss = _loss(w + length * step, margins + length * along, penalty)
            if loss <= before - 1e-4 * length * gain:
                break
            length /= 2
        w, margins = w + length * step, margins + length * along
    return w, margins


def _loss(w: Float[Tensor, "unknown"], margins: Float[Tensor, "sample"], penalty: Float[Tensor, "unknown"]) -> float:
    return float(softplus(-margins).mean() + (penalty * w) @ w / 2)


def _solve(factor: Float[Tensor, "unknown unknown"], b: Float[Tensor, "unknown"]) -> Float[Tensor, "unknown"]:
    half = torch.linalg.solve_triangular(factor, b[:, None], upper=False)
    return torch.linalg.solve_triangular(factor.T, half, upper=True)[:, 0]


def _conjugate(
    x: Float[Tensor, "sample unknown"],
    curve: Float[Tensor, "sample"],
    penalty: Float[Tensor, "unknown"],
    factor: Float[Tensor, "unknown unknown"],
    gradient: Float[Tensor, "unknown"],
    first: Float[Tensor, "unknown"],
) -> tuple[Float[Tensor, "unknown"], int]:
    """Newton's step by conjugate gradients, and how many solves it took; `first` is the solution by the factor.

    The nearer the optimum, the more exact: a relative residual of at most 0.3, and the fourth root of the decrement.
    """
    step, residual, direction, solves = torch.zeros_like(first), -gradient, first, 0
    size = residual @ first
    enough = float(size) * min(0.09, float(size) ** 0.5)
    while float(size) > enough and solves < SOLVES:
        solves += 1
        image = torch.mv(x.T, curve * torch.mv(x, direction)) + penalty * direction
        length = size / (direction @ image)
        step = step + length * direction
        residual = residual - length * image
        solved = _solve(factor, residual)
        before, size = size, residual @ solved
        direction = solved + size / before * direction
    return step, solves
