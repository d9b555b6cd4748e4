"""Logistic probes: many problems and several L2 strengths at once.

Minimises `mean log-loss + l2 / 2 * |w|^2` (no penalty on the bias) per problem and strength, in float64 and to the
last digits of a float32. The method is Newton's, with steps from conjugate gradients that stop early while the
optimum is far (Dembo, Eisenstat & Steihaug 1982) and backtracking on the loss, until the Newton decrement is small
(Boyd & Vandenberghe 2004, section 9.5). The preconditioner of the conjugate gradients is the Cholesky factor of an
earlier Hessian: at first of the one at zero, `X'X / 4n`, a product that all strengths of a problem share; a new
factor is computed once solves with the old one cost as much. So strong penalties never need a second factor, and weak
ones on separable data, whose Hessian changes most, need few. Problems with more units than samples are first
transformed into sample space.

Every problem and strength is fitted by itself, in one thread: the bits of a probe depend neither on the others that
are fitted nor on the number of cores, which work on different problems. On a CPU this is also faster than products of
all problems at once, since the states of one problem stay in the cache.
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

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1)  # L2 strengths, of which validation data choose one
TOLERANCE = 1e-11  # squared Newton decrement: twice the loss that remains to be gained, before a last step
STEPS, SOLVES, HALVINGS = 100, 200, 30  # upper bounds; usual are 10 steps, 50 solves per step and no halving
WORKERS = 4  # problems at a time, at most: each has its states and some products in float64 in memory
PATIENCE = 32  # factorising costs about as much as `unknowns / 32` solves


@dataclass(frozen=True, eq=False)
class Probes:
    """Linear probes: the score of an example is `weights . x + bias`, positive for good."""

    weights: Float[Tensor, "problem strength unit"]
    bias: Float[Tensor, "problem strength"]

    def correct(
        self, x: Float[Tensor, "problem sample unit"], y: Float[Tensor, "sample"]
    ) -> Bool[Tensor, "problem sample strength"]:
        """Which examples are classified correctly; a score of 0 counts as wrong."""
        scores = x @ self.weights.transpose(1, 2) + self.bias[:, None]
        return scores * y[:, None] > 0

    def accuracy(
        self, x: Float[Tensor, "problem sample unit"], y: Float[Tensor, "sample"]
    ) -> Float[Tensor, "problem strength"]:
        """Share of examples that are classified correctly."""
        return self.correct(x, y).sum(dim=1).cpu().double() / len(y)

    def pick(self, strength: Tensor) -> Probes:
        """Select one strength per problem (by index): probes with a strength axis of length 1."""
        at = torch.arange(len(strength)), strength
        return Probes(self.weights[at][:, None], self.bias[at][:, None])


def fit_logistic(
    x: Float[Tensor, "problem sample unit"],
    y: Float[Tensor, "sample"],
    l2: Float[Tensor, "problem strength"],
) -> Probes:
    """Fit every problem at each of its strengths. `x` should be standardised; labels are 1, -1, or 0 (not used)."""
    used = y.nonzero()[:, 0]
    y = y[used].double()

    def fit(problem: int) -> Float[Tensor, "strength unit_bias"]:
        return _fit(x[problem].index_select(0, used).double(), y, l2[problem].tolist())

    with _pool(x.device) as pool:
        w = torch.stack(list(pool.map(fit, range(len(x)))))
    return Probes(w[..., :-1].float(), w[..., -1].float())


@contextmanager
def _pool(device: torch.device) -> Iterator[ThreadPoolExecutor]:
    """Workers of one torch thread each; on a CPU as many as torch had threads."""
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
    """Weights of one problem, with the bias last."""
    samples, units = x.shape
    wide = units > samples
    signed = pad(_sample_space(x) if wide else x, (0, 1), value=1.0) * y[:, None]
    at_zero = signed.T @ signed / (4 * samples)
    out = []
    for l2 in strengths:
        w, margins = _newton(signed, at_zero, l2)
        if wide:  # back to units: at the optimum the weights are a sum of the examples, weighted by their errors
            w = torch.cat([torch.mv(x.T, torch.sigmoid(-margins) * y) / (samples * l2), w[-1:]])
        out.append(w)
    return torch.stack(out)


def _sample_space(x: Float[Tensor, "sample unit"]) -> Float[Tensor, "sample sample"]:
    """Examples with the same inner products, but as few units as samples: optimal weights are sums of examples.

    A small ridge is added for examples that are equal, or sums of others.
    """
    products = x @ x.T
    products.diagonal().add_(1e-11 * products.diagonal().mean() + 1e-30)
    factor: Tensor = torch.linalg.cholesky(products)
    return factor


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
    solution: Tensor = torch.linalg.solve_triangular(factor.T, half, upper=True)
    return solution[:, 0]


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
