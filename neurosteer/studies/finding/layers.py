"""Probes at every layer: dense, top-k, random-k and L0-masked, each fitted on train and judged on the other parts.

Validation data choose (L2 strength, lambda); test data are only reported.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from neurosteer.data import EosStates
from neurosteer.neurons import grain_of, member_scores, spearman, units_of_members
from neurosteer.probes import L0, STRENGTHS, L0Settings, Welch, l1_order
from neurosteer.progress import QUIET, Progress
from neurosteer.studies.bootstrap import Groups, interval, resampled_pairs
from neurosteer.studies.examples import (
    BLOCK,
    Dense,
    Examples,
    Parts,
    ProbeAccuracy,
    fit_dense,
    random_accuracies,
    top_units,
)
from neurosteer.studies.masked_probes import chosen_lambda, fit_masks, mask_noise
from neurosteer.studies.masks import MASK, MaskSettings
from neurosteer.studies.matching import matching_size, random_sizes
from neurosteer.vocabulary import DirectionKind, Grain, Method

from .attribution_ranking import AttributionRanking
from .state_scores import state_scores

LAMBDAS = (0.1, 0.2, 0.4, 0.8, 0.95, 1.0)  # masks from next to no unit to a third, and all units


@dataclass(frozen=True)
class ProbeSettings:
    """What a sweep over layers is asked for."""

    task: str
    topk: int
    methods: tuple[Method, ...]
    lambdas: tuple[float, ...] = LAMBDAS
    draws: int = 5
    seed: int = 0
    l0: L0Settings = L0  # how masks of probes are trained
    directions: tuple[DirectionKind, ...] = ()  # along which it is reported what can be read
    group: int = 1  # units that rank together, as those of a head
    mask: MaskSettings = MASK  # how causal masks are

    @property
    def by(self) -> Grain:
        """What is ranked."""
        return grain_of(self.group)


@dataclass(frozen=True)
class Masked:
    """The L0 probe of the chosen lambda; `reached` is False where no lambda came close enough to the dense probe."""

    lam: float
    kept: float
    accuracy: ProbeAccuracy
    reached: bool
    spearman: float | None  # of the gates and |t|; None where either are all equal


@dataclass(frozen=True, eq=False)
class LayerResult:
    """One layer."""

    layer: int
    l2: float
    dense: ProbeAccuracy
    topk: Mapping[Method, ProbeAccuracy]
    scores: Mapping[Method, Float[Tensor, "member"]]  # the ranking of each method, of units or of heads
    random: tuple[ProbeAccuracy, ...] = ()  # of the draws
    l0: Masked | None = None
    directions: Mapping[DirectionKind, tuple[Float[Tensor, "unit"], float]] = field(default_factory=dict)
    along: Mapping[DirectionKind, ProbeAccuracy] = field(default_factory=dict)  # read along each of them alone
    drop: float | None = None  # predicted on validation when the top k by attribution are ablated


def probe_layers(
    states: EosStates,
    parts: Parts,
    test: Welch,
    settings: ProbeSettings,
    *,
    device: torch.device,
    what: str,
    attribution: AttributionRanking | None = None,
    mask: Float[Tensor, "layer unit"] | None = None,
    progress: Progress = QUIET,
) -> list[LayerResult]:
    """Fit and judge the probes of every layer.

    `test` is Welch's on the train pairs; `attribution` ranks, and predicts a drop on validation pairs; `mask` has
    the scores of a causal mask.
    """
    group = settings.group
    known_scores = state_scores(states.values, parts["train"], test, settings.methods)
    if attribution is not None:
        known_scores["attribution"] = attribution.train.float()
    if mask is not None:
        known_scores["causal-l0"] = mask
    known_scores = {method: member_scores(scores, method, group) for method, scores in known_scores.items()}
    expected = None if attribution is None else member_scores(attribution.validation, "attribution", group)
    t = member_scores(test.t.abs().float(), "welch", group)
    results: list[LayerResult] = []
    total = len(states.layers)
    progress.step(what, 0, total)
    for start in range(0, total, BLOCK):
        rows = slice(start, start + BLOCK)
        examples = Examples.of(states, parts, rows, device)
        own = {method: scores[rows] for method, scores in known_scores.items()}
        predicted = None if expected is None else expected[rows]
        results += _block(examples, t[rows], own, predicted, settings)
        progress.step(what, len(results), total)
    return results


def _block(
    examples: Examples,
    t: Float[Tensor, "layer member"],
    known_scores: Mapping[Method, Float[Tensor, "layer member"]],
    predicted: Float[Tensor, "layer member"] | None,
    settings: ProbeSettings,
) -> list[LayerResult]:
    dense = fit_dense(examples)
    found: dict[DirectionKind, tuple[Tensor, Tensor]] = {
        "mean": examples.mean_directions(),
        "probe": examples.directions(dense.best),
    }
    along = {kind: examples.judge_along(found[kind][0]) for kind in settings.directions}

    scores: dict[Method, Tensor] = dict(known_scores)
    masked: list[Masked | None] = [None] * len(examples.layers)
    if "l0" in settings.methods:
        masked_, scores["l0"] = _masked(examples, t, dense, settings)
        masked = list(masked_)
    if "l1" in settings.methods:
        scores["l1"] = l1_order(examples.x["train"], examples.y["train"])

    chosen = {method: top_units(scores[method], settings.topk) for method in settings.methods}
    open_ = {method: scores[method].gather(1, units) > 0 for method, units in chosen.items()}
    group = settings.group
    topk = {
        method: examples.judge_units(
            units_of_members(some, group), dense.l2, open_[method].repeat_interleave(group, dim=1)
        )
        for method, some in chosen.items()
    }
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
            directions={kind: (vectors[i], float(spread[i])) for kind, (vectors, spread) in found.items()},
            along={kind: accuracies[i] for kind, accuracies in along.items()},
            drop=drops[i],
        )
        for i, layer in enumerate(examples.layers)
    ]


def _masked(
    examples: Examples, t: Float[Tensor, "layer member"], dense: Dense, settings: ProbeSettings
) -> tuple[list[Masked], Float[Tensor, "layer member"]]:
    """The masked probe of each layer at the smallest lambda that is good enough, and its units' effective weights."""
    lambdas, group = sorted(settings.lambdas), settings.group
    noise = mask_noise(settings.task, examples.layers, settings.seed)
    l0 = fit_masks(examples, lambdas, noise, settings.l0, group)
    validation, right = examples.accuracy(l0.probes, "validation"), examples.right(l0.probes, "test")
    masked, scores = [], []
    for i in range(len(examples.layers)):
        j, reached = chosen_lambda(validation[i].tolist(), dense.judged[i].validation)
        gates = l0.gates[i, j, ::group].cpu()
        rho, kept = spearman(t[i], gates), float((gates > 0).float().mean())
        accuracy = ProbeAccuracy(float(validation[i, j]), tuple(right[i, j].tolist()))
        masked.append(Masked(lambdas[j], kept, accuracy, reached, rho))
        scores.append(member_scores(l0.probes.weights[i, j].abs().cpu(), "l0", group))
    return masked, torch.stack(scores)


def _random(
    examples: Examples, top: Int[Tensor, "layer k"], l2: Float[Tensor, "layer 1"], settings: ProbeSettings, size: int
) -> list[list[ProbeAccuracy]]:
    return random_accuracies(
        examples,
        top,
        l2,
        size,
        draws=settings.draws,
        task=settings.task,
        seed=settings.seed,
        group=settings.group,
    )


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
    settings: ProbeSettings,
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
    width = examples.x["train"].shape[2] // settings.group
    sizes = random_sizes(settings.topk, width) if 2 * settings.topk <= width else ()
    for tried, size in enumerate(sizes, 1):
        drawn = _random(examples, top, l2, settings, size)
        shares.append(pair_shares([draw[0] for draw in drawn]))
        found = _equivalent(np.stack(shares), sizes[:tried], settings, groups)
        if math.isfinite(max(found.times, found.high)):
            break
    return found


def pair_shares(accuracies: Sequence[ProbeAccuracy]) -> Float[np.ndarray, "pair"]:
    """The share of each test pair's sentences that is right, in the mean over probes."""
    return np.array([accuracy.right for accuracy in accuracies]).mean(axis=0) / 2


def _equivalent(
    shares: Float[np.ndarray, "set pair"], sizes: Sequence[int], settings: ProbeSettings, groups: Groups | None
) -> Equivalent:
    """Of the top k (the first of `shares`) among random sets of some sizes (the others)."""
    resamples = resampled_pairs(shares, task=settings.task, seed=settings.seed, groups=groups)
    accuracies = np.vstack([shares.mean(axis=1).round(12), resamples])
    times = matching_size(accuracies[:, 0], accuracies[:, 1:], sizes) / settings.topk
    (low,), (high,) = interval(times[1:, None])
    return Equivalent(float(times[0]), float(low), float(high))
