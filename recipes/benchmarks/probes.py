"""Probes of EOS states: masks one at a time, top-k probes by scikit-learn, Welch's t by scipy, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from scipy import stats
from sklearn.linear_model import LogisticRegression
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

import neurosteer as ns
from neurosteer.data import EosStates
from neurosteer.pairs import Pairs
from neurosteer.probes import L0, L0Probes, fit_l0, welch
from neurosteer.seeds import generator
from neurosteer.studies.examples import Dense, Examples, fit_dense, top_units

from .parts import InParts
from .setup import Setup
from .turns import Comparison, Side, take_turns

LAMBDAS = (0.1, 0.2, 0.4, 0.8, 0.95, 1.0)
CHUNK = 250  # steps whose noise is drawn at once
SIZES = tuple(2**i for i in range(10))  # of the top-k sweep
PARTS_OF_MASKS, PARTS_OF_LAYERS = 10, 5  # the peer does one part of the masks, or of the layers' sweeps, in a turn


@dataclass(frozen=True)
class Problem:
    """The states of a task, as examples, and the dense probes that masks start from."""

    pairs: Pairs
    states: EosStates
    train: list[int]
    examples: Examples
    dense: Dense

    @classmethod
    def of(cls, setup: Setup, pairs: Pairs) -> Problem:
        states, split = ns.eos_states(setup.load(), pairs), pairs.split()
        every = slice(0, len(states.layers))
        examples = Examples.of(states, split.indices, every, torch.device("cpu"))
        return cls(pairs, states, list(split.indices["train"]), examples, fit_dense(examples))

    def noise(self, layer: int) -> torch.Generator:
        return generator(0, self.pairs.task, layer, "l0")


def compare_masks(setup: Setup, pairs: Pairs) -> Iterator[Comparison]:
    """Same loss, gates, optimiser, rates, steps, start and noise; the peer trains a part each turn."""
    problem = Problem.of(setup, pairs)
    layers = len(problem.states.layers)
    x, y = problem.examples.x["train"], problem.examples.y["train"]
    jobs = [(layer, j) for layer in range(layers) for j in range(len(LAMBDAS))]
    one_by_one = InParts(jobs, lambda job: _mask(problem, *job), PARTS_OF_MASKS)
    loop = Side("one probe at a time (autograd, Adam)", one_by_one, share=one_by_one.share)
    ours = Side(
        "neurosteer",
        lambda: fit_l0(x, y, LAMBDAS, [[problem.noise(i)] * len(LAMBDAS) for i in range(layers)]),
    )
    take_turns([loop, ours], setup.repeats, setup.say)
    gaps = [_gaps(problem, ours.result, job, other) for job, other in one_by_one.found.items()]
    accuracy, kept = (max(column) for column in zip(*gaps, strict=True))
    apart = f"accuracy {accuracy:.1%}, kept {kept:.1%}"
    yield Comparison("L0 grid, 6 lambdas, all layers", pairs.task, loop, ours, len(jobs), "probe", 10.0, apart)


def _mask(problem: Problem, layer: int, j: int) -> tuple[Tensor, Tensor, Tensor]:
    """Effective weights, gates and bias of a single masked probe, as one would train it."""
    x, target = problem.examples.x["train"][layer], (problem.examples.y["train"] + 1) / 2
    lam, stretch, source = LAMBDAS[j], L0.zeta - L0.gamma, problem.noise(layer)
    weights, gates = torch.randn(2, x.shape[1], generator=source)
    w, b = (L0.weights_sd * weights).requires_grad_(), torch.zeros((), requires_grad=True)
    log_alpha = (L0.log_alpha + L0.log_alpha_sd * gates).requires_grad_()
    adam = torch.optim.Adam(
        [{"params": [w, b], "lr": L0.rate_weights}, {"params": [log_alpha], "lr": L0.rate_gates}],
        betas=(L0.beta1, L0.beta2),
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(adam, L0.rate)
    shift = L0.beta * math.log(-L0.gamma / L0.zeta)
    for first in range(0, L0.steps, CHUNK):
        drawn = torch.rand(min(CHUNK, L0.steps - first), len(w), generator=source).clamp(1e-6, 1 - 1e-6)
        for noise in drawn.log() - (1 - drawn).log():
            if lam < 1:
                gate = (torch.sigmoid((noise + log_alpha) / L0.beta) * stretch + L0.gamma).clamp(0, 1)
                loss = lam * binary_cross_entropy_with_logits(x @ (w * gate) + b, target)
                loss = loss + (1 - lam) * torch.sigmoid(log_alpha - shift).mean()
            else:
                loss = binary_cross_entropy_with_logits(x @ w + b, target)
            loss = loss + L0.weight_l2 / 2 * (w @ w)
            adam.zero_grad()
            loss.backward()
            adam.step()
            schedule.step()
    with torch.no_grad():
        gate = (torch.sigmoid(log_alpha) * stretch + L0.gamma).clamp(0, 1)
        gate = gate if lam < 1 else torch.ones_like(gate)
        return w * gate, gate, b


def _gaps(
    problem: Problem, ours: L0Probes, job: tuple[int, int], other: tuple[Tensor, Tensor, Tensor]
) -> tuple[float, float]:
    """How far test accuracy and kept share of one probe are apart."""
    (layer, j), (weights, gate, bias) = job, other
    x, y = problem.examples.x["test"][layer], problem.examples.y["test"]
    both = ((ours.probes.weights[layer, j], ours.probes.bias[layer, j]), (weights, bias))
    mine, theirs = (float(((x @ w + b) * y > 0).float().mean()) for w, b in both)
    kept = float((ours.gates[layer, j] > 0).float().mean() - (gate > 0).float().mean())
    return abs(mine - theirs), abs(kept)


def compare_topk(setup: Setup, pairs: Pairs) -> Iterator[Comparison]:
    """Logistic probes on the k units with the largest |t|, at the layer's own L2 strength."""
    problem = Problem.of(setup, pairs)
    t = welch(problem.states.values, problem.train).t.abs()
    sizes = [k for k in SIZES if k <= t.shape[1]]
    layers = range(len(problem.states.layers))
    one_by_one = InParts(layers, lambda layer: _by_sklearn(problem, t, sizes, layer), PARTS_OF_LAYERS)
    loop = Side("scikit-learn, one probe at a time", one_by_one, share=one_by_one.share)
    ours = Side("neurosteer", lambda: _by_neurosteer(problem, t, sizes))
    take_turns([loop, ours], setup.repeats, setup.say)
    gap = max(float(np.abs(ours.result[:, layer] - row).max()) for layer, row in one_by_one.found.items())
    apart = f"accuracy {gap:.1%}"
    job = f"top-k sweep, {len(sizes)} k, all layers"
    yield Comparison(job, pairs.task, loop, ours, ours.result.size, "probe", 2.0, apart)


def _by_sklearn(problem: Problem, t: Tensor, sizes: list[int], layer: int) -> list[float]:
    """Test accuracy of one layer for each k, with scikit-learn's own solver and tolerance."""
    x, y = (
        {part: each[part].double().numpy() for part in ("train", "test")}
        for each in ({part: x[layer] for part, x in problem.examples.x.items()}, problem.examples.y)
    )
    strength = float(problem.dense.l2[layer, 0])
    found = []
    for k in sizes:
        units = top_units(t[layer : layer + 1], k)[0].numpy()
        probe = LogisticRegression(C=1 / (strength * len(y["train"])), max_iter=10_000)
        probe.fit(x["train"][:, units], y["train"])
        found.append(probe.score(x["test"][:, units], y["test"]))
    return found


def _by_neurosteer(problem: Problem, t: Tensor, sizes: list[int]) -> np.ndarray:
    found = [problem.examples.judge_units(top_units(t, k), problem.dense.l2) for k in sizes]
    return np.array([[accuracy.test for accuracy in row] for row in found])


def compare_welch(setup: Setup, pairs: Pairs) -> Iterator[Comparison]:
    """t of every unit, and the paired t's p and Benjamini-Hochberg q."""
    states, train = ns.eos_states(setup.load(), pairs), list(pairs.split().indices["train"])
    values = states.values.clone()
    loop = Side("scipy, layer by layer", lambda: _by_scipy(values, train))
    ours = Side("neurosteer", lambda: welch(values, train))
    take_turns([loop, ours], setup.repeats, setup.say)
    apart = float(np.abs(loop.result[0] - ours.result.t.numpy()).max())
    assert np.allclose(loop.result[1], ours.result.q.numpy(), atol=1e-6)
    count = ours.result.t.numel()
    yield Comparison("Welch's t, all layers", pairs.task, loop, ours, count, "unit", 2.0, f"t {apart:.0e}")


def _by_scipy(values: Tensor, train: list[int]) -> tuple[np.ndarray, np.ndarray]:
    ts, ps = [], []
    for layer in range(values.shape[2]):
        good, bad = (values[train, side, layer].double().numpy() for side in (0, 1))
        ts.append(stats.ttest_ind(good, bad, equal_var=False).statistic)
        ps.append(stats.ttest_rel(good, bad).pvalue)
    p = np.stack(ps)
    return np.stack(ts), stats.false_discovery_control(p.ravel()).reshape(p.shape)
