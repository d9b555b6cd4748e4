"""L0-masked probes of 6 lambdas at every layer of one task: one tensor program against one probe at a time.

    pip install -e ".[bench]"
    python recipes/benchmarks/l0_grid.py --data FOLDER_OF_BLIMP_FILES --task intransitive

Both train on the same loss with the same gates, optimiser, steps and noise, from the same dense probes. The plain
loop is what one would write: one probe, autograd, Adam. It takes turns with ours; with `--every N` it trains only
each N-th probe and its time is multiplied, since 180 probes of 400 steps take minutes.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from dataclasses import dataclass

import torch
from rich.console import Console
from torch.nn.functional import binary_cross_entropy_with_logits

import neurosteer as ns
from neurosteer.probes import GATES, STRENGTHS, Probes, Standard, fit_l0, fit_logistic, labelled
from neurosteer.seeds import generator

LAMBDAS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)


@dataclass
class Problem:
    """Standardised examples of every layer, and the dense probes that masks start from."""

    task: str
    x: torch.Tensor
    y: torch.Tensor
    test: torch.Tensor
    labels: torch.Tensor
    dense: Probes

    def noise(self, layer: int) -> torch.Generator:
        return generator(0, self.task, layer, "l0")


def one_probe(problem: Problem, layer: int, lam: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Weights, gates and bias of a single masked probe."""
    x, target = problem.x[layer], (problem.y + 1) / 2
    w = problem.dense.weights[layer, 0].clone().requires_grad_()
    b = problem.dense.bias[layer, 0].clone().requires_grad_()
    log_alpha = torch.full_like(w, GATES.log_alpha).requires_grad_()
    adam = torch.optim.Adam(
        [{"params": [w, b], "lr": GATES.rate_weights}, {"params": [log_alpha], "lr": GATES.rate_gates}]
    )
    u = torch.rand(GATES.steps, len(w), generator=problem.noise(layer)).clamp(1e-6, 1 - 1e-6)
    for row in u:
        soft = torch.sigmoid((row.log() - (1 - row).log() + log_alpha) / GATES.beta)
        gate = (soft * (GATES.zeta - GATES.gamma) + GATES.gamma).clamp(0, 1) if lam < 1 else torch.ones_like(w)
        open_ = torch.sigmoid(log_alpha - GATES.beta * math.log(-GATES.gamma / GATES.zeta)).mean()
        loss = lam * binary_cross_entropy_with_logits(x @ (w * gate) + b, target) + (1 - lam) * open_
        adam.zero_grad()
        loss.backward()
        adam.step()
    with torch.no_grad():
        gate = (torch.sigmoid(log_alpha) * (GATES.zeta - GATES.gamma) + GATES.gamma).clamp(0, 1)
        gate = gate if lam < 1 else torch.ones_like(gate)
        return w * gate, gate, b


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="blimp", help="as in neurosteer find")
    parser.add_argument("--task", default="intransitive")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--every", type=int, default=6)
    options = parser.parse_args()

    problem = load(options.model, options.task, options.data, options.pairs)
    layers = len(problem.x)
    jobs = [(layer, j) for layer in range(layers) for j in range(len(LAMBDAS))][:: options.every]
    plain_seconds, our_seconds = [], []
    for turn in range(options.turns):
        start = time.perf_counter()
        mine = fit_l0(
            problem.x, problem.y, LAMBDAS, problem.dense, [[problem.noise(i)] * len(LAMBDAS) for i in range(layers)]
        )
        our_seconds.append(time.perf_counter() - start)
        start = time.perf_counter()
        theirs = {job: one_probe(problem, job[0], LAMBDAS[job[1]]) for job in jobs[turn :: options.turns]}
        share = len(theirs) / (layers * len(LAMBDAS))
        plain_seconds.append((time.perf_counter() - start) / share)
        gaps = [_gap(problem, mine.probes, mine.gates, job, theirs[job]) for job in theirs]
        worst = [max(column) for column in zip(*gaps, strict=True)]
        print(f"turn {turn + 1}: ours {our_seconds[-1]:.1f} s, one at a time {plain_seconds[-1]:.1f} s, {worst}")
    ratios = sorted(p / o for p, o in zip(plain_seconds, our_seconds, strict=True))
    Console().print(
        f"{layers} layers x {len(LAMBDAS)} lambdas, {problem.x.shape[1]} examples of {problem.x.shape[2]} units: "
        f"ours {statistics.median(our_seconds):.1f} s, one at a time {statistics.median(plain_seconds):.1f} s, "
        f"{statistics.median(ratios):.1f} times ({ratios[0]:.1f} to {ratios[-1]:.1f})"
    )


def load(model_name: str, task: str, source: str, n: int) -> Problem:
    model = ns.load_model(model_name)
    pairs = ns.load_pairs(task, source=source, n=n)
    train, _, test = (torch.as_tensor(part) for part in pairs.split().indices.values())
    values = ns.eos_states(model, pairs).values
    (x, y), (test_x, labels) = labelled(values[train]), labelled(values[test])
    standard = Standard.of(x)
    x = standard(x)
    assert GATES.warm_l2 in STRENGTHS
    dense = fit_logistic(x, y, torch.full((len(x), 1), GATES.warm_l2))
    return Problem(task, x, y, standard(test_x), labels, dense)


def _gap(
    problem: Problem, probes: Probes, gates: torch.Tensor, job: tuple[int, int], other: tuple[torch.Tensor, ...]
) -> tuple[float, float]:
    """How far accuracy and kept share of one probe are apart."""
    (layer, j), (weights, gate, bias) = job, other
    scores = [
        problem.test[layer] @ w + b for w, b in ((probes.weights[layer, j], probes.bias[layer, j]), (weights, bias))
    ]
    mine, theirs = (float((score * problem.labels > 0).float().mean()) for score in scores)
    kept = float((gates[layer, j] > 0).float().mean()) - float((gate > 0).float().mean())
    return abs(mine - theirs), abs(kept)


if __name__ == "__main__":
    main()
