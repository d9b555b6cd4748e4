"""Probes at every layer: dense, top-k, random-k and L0-masked, each fitted on train and judged on the other parts.

Validation data choose (L2 strength, lambda); test data are only reported.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from neurosteer.data import EosStates
from neurosteer.neurons import spearman
from neurosteer.probes import L0, STRENGTHS, L0Settings, Welch, l1_order
from neurosteer.progress import QUIET, Progress
from neurosteer.studies.bootstrap import Groups, interval, resampled_pairs
from neurosteer.studies.examples import (
    BLOCK,
    Accuracy,
    Dense,
    Examples,
    Parts,
    chosen_lambda,
    fit_dense,
    fit_masks,
    mask_noise,
    random_accuracies,
    top_units,
)
from neurosteer.studies.matching import matching_size, random_sizes
from neurosteer.vocabulary import Method

from .attribution_ranking import AttributionRanking
from .state_scores import state_scores

LAMBDAS = (0.1, 0.2, 0.4, 0.8, 0.95, 1.0)  # masks from next to no unit to a third, and all units


@dataclass(frozen=True)
class Settings:
    """What a sweep over layers is asked for."""

    task: str
    topk: int
    methods: tuple[Method, ...]
    lambdas: tuple[float, ...] = LAMBDAS
    draws: int = 5
    seed: int = 0
    l0: L0Settings = L0  # how masks are trained


@dataclass(frozen=True)
class Masked:
    """The L0 probe of the chosen lambda; `reached` is False where no lambda came close enough to the dense probe."""

    lam: float
    kept: float
    accuracy: Accuracy
    reached: bool
    spearman: float | None  # of the gates and |t|; None where either are all equal


@dataclass(frozen=True, eq=False)
class LayerResult:
    """One layer."""

    layer: int
    l2: float
    dense: Accuracy
    topk: Mapping[Method, Accuracy]
    scores: Mapping[Method, Float[Tensor, "unit"]]  # the ranking of each method
    random: tuple[Accuracy, ...] = ()  # of the draws
    l0: Masked | None = None
    direction: Float[Tensor, "unit"] | None = None  # of the dense probe, of unit length, for raw activations
    std: float = 0.0  # of the train states along it
    drop: float | None = None  # predicted on validation when the top k by attribution are ablated


def probe_layers(
    states: EosStates,
    parts: Parts,
    test: Welch,
    settings: Settings,
    *,
    device: torch.device,
    what: str,
    attribution: AttributionRanking | None = None,
    progress: Progress = QUIET,
) -> list[LayerResult]:
    """Fit and judge the probes of every layer.

    `test` is Welch's on the train pairs; `attribution` ranks, and predicts a drop on validation pairs.
    """
    given = state_scores(states.values, parts["train"], test, settings.methods)
    if attribution is not None:
        given["attribution"] = attribution.train.float()
    results: list[LayerResult] = []
    total = len(states.layers)
    progress.step(what, 0, total)
    for start in range(0, total, BLOCK):
        rows = slice(start, start + BLOCK)
        examples = Examples.of(states, parts, rows, device)
        own = {method: scores[rows] for method, scores in given.items()}
        predicted = None if attribution is None else attribution.validation[rows]
        results += _block(examples, test.t[rows].abs().float(), own, predicted, settings)
        progress.step(what, len(results), total)
    return results


def _block(
    examples: Examples,
    t: Float[Tensor, "layer unit"],
    given: Mapping[Method, Float[Tensor, "layer unit"]],
    predicted: Float[Tensor, "layer unit"] | None,
    settings: Settings,
) -> list[LayerResult]:
    dense = fit_dense(examples)
    directions, spread = examples.directions(dense.best)

    scores: dict[Method, Tensor] = dict(given)
    masked: list[Masked | None] = [None] * len(examples.layers)
    if "l0" in settings.methods:
        masked_, scores["l0"] = _masked(examples, t, dense, settings)
        masked = list(masked_)
    if "l1" in settings.methods:
        scores["l1"] = l1_order(examples.x["train"], examples.y["train"])

    chosen = {method: top_units(scores[method], settings.topk) for method in settings.methods}
    open_ = {method: scores[method].gather(1, units) > 0 for method, units in chosen.items()}
    topk = {method: examples.judge_units(units, dense.l2, open_[method]) for method, units in chosen.items()}
    drops: list[float | None] = [None] * len(examples.layers)
    if predicted is not None:
        of_chosen = predicted.gather(1, chosen["attribution"])
        drops = (of_chosen * open_["attribution"]).sum(dim=1).tolist()
    random = _random(examples, chosen[settings.methods[0]], dense.l2, settings, settings.topk)
    return [
        LayerResult(
            layer=layer,
            l2=STRENGTHS[int(dense.choice[i])],
            dense=dense.judged[i],
            topk={method: topk[method][i] for method in settings.methods},
            scores={method: scores[method][i] for method in settings.methods},
            random=tuple(draw[i] for draw in random),
            l0=masked[i],
            direction=directions[i],
            std=float(spread[i]),
            drop=drops[i],
        )
        for i, layer in enumerate(examples.layers)
    ]


def _masked(
    examples: Examples, t: Float[Tensor, "layer unit"], dense: Dense, settings: Settings
) -> tuple[list[Masked], Float[Tensor, "layer unit"]]:
    """The masked probe of each layer at the smallest lambda that is good enough, and its units' effective weights."""
    lambdas = sorted(settings.lambdas)
    l0 = fit_masks(examples, lambdas, mask_noise(settings.task, examples.layers, settings.seed), settings.l0)
    validation, right = examples.accuracy(l0.probes, "validation"), examples.right(l0.probes, "test")
    masked, scores = [], []
    for i in range(len(examples.layers)):
        j, reached = chosen_lambda(validation[i].tolist(), dense.judged[i].validation)
        gates = l0.gates[i, j].cpu()
        rho, kept = spearman(t[i], gates), float((gates > 0).float().mean())
        accuracy = Accuracy(float(validation[i, j]), tuple(right[i, j].tolist()))
        masked.append(Masked(lambdas[j], kept, accuracy, reached, rho))
        scores.append(l0.probes.weights[i, j].abs().cpu())
    return masked, torch.stack(scores)


def _random(
    examples: Examples, top: Int[Tensor, "layer k"], l2: Float[Tensor, "layer 1"], settings: Settings, size: int
) -> list[list[Accuracy]]:
    return random_accuracies(examples, top, l2, size, draws=settings.draws, task=settings.task, seed=settings.seed)


@dataclass(frozen=True)
class Equivalent:
    """How many times k random units reach the test accuracy of the top k: 1 is once or less, infinity never."""

    times: float
    low: float
    high: float  # of the 95 % interval over test pairs


def random_equivalent(
    states: EosStates,
    parts: Parts,
    result: LayerResult,
    settings: Settings,
    *,
    device: torch.device,
    groups: Groups | None = None,
) -> Equivalent | None:
    """How many random units the top k of a layer are worth; None where too few are left to draw from.

    Larger sets are tried until the interval has an upper end, or none is left. `groups` are those of the test pairs.
    """
    row = states.layers.index(result.layer)
    examples = Examples.of(states, parts, slice(row, row + 1), device)
    method = settings.methods[0]
    top = top_units(result.scores[method][None], settings.topk)
    l2 = torch.full((1, 1), result.l2, device=device)
    shares, found = [pair_shares([result.topk[method]])], None
    width = examples.x["train"].shape[2]
    sizes = random_sizes(settings.topk, width) if 2 * settings.topk <= width else ()
    for tried, size in enumerate(sizes, 1):
        drawn = _random(examples, top, l2, settings, size)
        shares.append(pair_shares([draw[0] for draw in drawn]))
        found = _equivalent(np.stack(shares), sizes[:tried], settings, groups)
        if math.isfinite(max(found.times, found.high)):
            break
    return found


def pair_shares(accuracies: Sequence[Accuracy]) -> Float[np.ndarray, "pair"]:
    """The share of each test pair's sentences that is right, in the mean over probes."""
    return np.array([accuracy.right for accuracy in accuracies]).mean(axis=0) / 2


def _equivalent(
    shares: Float[np.ndarray, "set pair"], sizes: Sequence[int], settings: Settings, groups: Groups | None
) -> Equivalent:
    """Of the top k (the first of `shares`) among random sets of some sizes (the others)."""
    resamples = resampled_pairs(shares, task=settings.task, seed=settings.seed, groups=groups)
    accuracies = np.vstack([shares.mean(axis=1).round(12), resamples])
    times = matching_size(accuracies[:, 0], accuracies[:, 1:], sizes) / settings.topk
    (low,), (high,) = interval(times[1:, None])
    return Equivalent(float(times[0]), float(low), float(high))
