"""Probes at every layer: dense, top-k, random-k and L0-masked, each fitted on train and judged on the other parts.

Layers are worked through in blocks, so that memory stays bounded; a layer's numbers do not depend on its block.
Validation data choose (L2 strength, lambda); test data are only reported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from neurosteer.data import EosStates
from neurosteer.probes import GATES, STRENGTHS, Probes, Standard, fit_l0, fit_logistic, labelled
from neurosteer.progress import QUIET, Progress
from neurosteer.seeds import generator

from .agreement import spearman

LAMBDAS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)
ENOUGH = 0.95  # the share of the dense probe's validation accuracy that the chosen lambda must reach
_BLOCK = 8
Parts = Mapping[str, Sequence[int]]  # "train", "validation", "test" -> positions of pairs


@dataclass(frozen=True)
class Settings:
    """What a sweep over layers is asked for."""

    task: str
    k: int
    methods: tuple[str, ...]
    lambdas: tuple[float, ...] = LAMBDAS
    draws: int = 5
    seed: int = 0


@dataclass(frozen=True)
class Accuracy:
    """Of one probe: `validation` chooses, `test` is reported."""

    validation: float
    test: float


@dataclass(frozen=True)
class Masked:
    """The L0 probe of the chosen lambda; `reached` is False where no lambda came close enough to the dense probe."""

    lam: float
    kept: float
    accuracy: Accuracy
    reached: bool
    spearman: float | None  # of the gates and |t|; None where either are all equal


@dataclass(frozen=True, eq=False)
class Used:
    """What attribution predicts, per unit of every layer: the ranking on train, and the drop on validation."""

    train: Float[Tensor, "layer unit"]
    validation: Float[Tensor, "layer unit"]

    def at(self, rows: slice) -> Used:
        return Used(self.train[rows], self.validation[rows])


@dataclass(frozen=True, eq=False)
class LayerResult:
    """One layer."""

    layer: int
    l2: float
    dense: Accuracy
    topk: Mapping[str, Accuracy]  # by method
    scores: Mapping[str, Float[Tensor, "unit"]]  # the ranking of each method
    random: tuple[float, ...] = ()  # test accuracies of the draws
    l0: Masked | None = None
    direction: Float[Tensor, "unit"] | None = None  # of the dense probe, of unit length, for raw activations
    std: float = 0.0  # of the train states along it
    drop: float | None = None  # predicted on validation when the top k by attribution are ablated


@dataclass(frozen=True, eq=False)
class _Examples:
    """A block of layers as standardised examples, by part."""

    layers: tuple[int, ...]
    x: Mapping[str, Float[Tensor, "layer sample unit"]] = field(default_factory=dict)
    y: Mapping[str, Float[Tensor, "sample"]] = field(default_factory=dict)
    scale: Float[Tensor, "layer 1 unit"] | None = None  # what the units were divided by

    @classmethod
    def of(cls, states: EosStates, parts: Parts, rows: slice, device: torch.device) -> _Examples:
        block = states.values[:, :, rows]  # a view: only what the indices pick is read
        cut = {part: labelled(block[torch.as_tensor(indices)].to(device)) for part, indices in parts.items()}
        standard = Standard.of(cut["train"][0])
        x = {part: standard(x) for part, (x, _) in cut.items()}
        return cls(states.layers[rows], x, {part: y for part, (_, y) in cut.items()}, standard.scale)

    def only(self, units: Int[Tensor, "layer k"], used: Bool[Tensor, "layer k"] | None) -> _Examples:
        """The same examples, reduced to some units of each layer."""
        picked = {part: x.gather(2, units[:, None].expand(-1, x.shape[1], -1)) for part, x in self.x.items()}
        if used is not None:
            picked = {part: x * used[:, None].to(x.device) for part, x in picked.items()}
        return _Examples(self.layers, picked, self.y)

    def directions(self, probes: Probes) -> tuple[Float[Tensor, "layer unit"], Float[Tensor, "layer"]]:
        """The probe of each layer as a direction of raw activations, and the spread of the train states along it."""
        assert self.scale is not None
        weights = probes.weights[:, 0]
        raw = weights / self.scale[:, 0]
        length = raw.norm(dim=1)
        spread = (self.x["train"] @ weights[..., None])[..., 0].std(dim=1, correction=0)
        return (raw / length[:, None]).cpu(), (spread / length).cpu()

    def fit(self, l2: Float[Tensor, "layer strength"]) -> Probes:
        return fit_logistic(self.x["train"], self.y["train"], l2)

    def accuracy(self, probes: Probes, part: str) -> Float[Tensor, "layer strength"]:
        return probes.accuracy(self.x[part], self.y[part]).cpu()

    def judge(self, probes: Probes) -> list[Accuracy]:
        """Of one probe per layer."""
        validation, test = (self.accuracy(probes, part)[:, 0].tolist() for part in ("validation", "test"))
        return [Accuracy(v, t) for v, t in zip(validation, test, strict=True)]


def probe_layers(
    states: EosStates,
    parts: Parts,
    t: Float[Tensor, "layer unit"],
    settings: Settings,
    *,
    device: torch.device,
    what: str,
    used: Used | None = None,
    progress: Progress = QUIET,
) -> list[LayerResult]:
    """Fit and judge the probes of every layer. `t` is Welch's t on the train pairs, `used` what attribution says."""
    results: list[LayerResult] = []
    total = len(states.layers)
    progress.step(what, 0, total)
    for start in range(0, total, _BLOCK):
        rows = slice(start, start + _BLOCK)
        examples = _Examples.of(states, parts, rows, device)
        results += _block(examples, t[rows].abs().float(), used and used.at(rows), settings)
        progress.step(what, len(results), total)
    return results


def _block(
    examples: _Examples, t: Float[Tensor, "layer unit"], used: Used | None, settings: Settings
) -> list[LayerResult]:
    strengths = torch.tensor(STRENGTHS, device=examples.x["train"].device)
    every = examples.fit(strengths.expand(len(examples.layers), -1))
    choice = _best(examples.accuracy(every, "validation"))
    best = every.pick(choice)
    dense, l2 = examples.judge(best), strengths[choice][:, None]
    directions, spread = examples.directions(best)

    scores: dict[str, Tensor] = {"welch": t} if "welch" in settings.methods else {}
    masked: list[Masked | None] = [None] * len(examples.layers)
    if "l0" in settings.methods:
        warm = every.pick(torch.full_like(choice, STRENGTHS.index(GATES.warm_l2)))
        masked_, scores["l0"] = _masked(examples, t, warm, dense, settings)
        masked = list(masked_)
    if used is not None:
        scores["attribution"] = used.train.float()

    chosen = {method: top_units(scores[method], settings.k) for method in settings.methods}
    open_ = {method: scores[method].gather(1, units) > 0 for method, units in chosen.items()}
    topk = {method: _judge_units(examples, units, l2, open_[method]) for method, units in chosen.items()}
    drops: list[float | None] = [None] * len(examples.layers)
    if used is not None:
        predicted = used.validation.gather(1, chosen["attribution"])
        drops = (predicted * open_["attribution"]).sum(dim=1).tolist()
    random = random_accuracies(examples, chosen[settings.methods[0]], l2, settings, settings.k)
    return [
        LayerResult(
            layer=layer,
            l2=STRENGTHS[int(choice[i])],
            dense=dense[i],
            topk={method: topk[method][i] for method in settings.methods},
            scores={method: scores[method][i] for method in settings.methods},
            random=tuple(float(accuracy[i]) for accuracy in random),
            l0=masked[i],
            direction=directions[i],
            std=float(spread[i]),
            drop=drops[i],
        )
        for i, layer in enumerate(examples.layers)
    ]


def _best(validation: Float[Tensor, "layer strength"]) -> Int[Tensor, "layer"]:
    """Index of the best strength; of equal ones the strongest (the last)."""
    return validation.shape[1] - 1 - validation.flip(1).argmax(dim=1)


def _masked(
    examples: _Examples,
    t: Float[Tensor, "layer unit"],
    warm: Probes,
    dense: Sequence[Accuracy],
    settings: Settings,
) -> tuple[list[Masked], Float[Tensor, "layer unit"]]:
    """The masked probe of each layer at the smallest lambda that is good enough, and its units' effective weights."""
    lambdas = sorted(settings.lambdas)
    noise = [[generator(settings.seed, settings.task, layer, "l0")] * len(lambdas) for layer in examples.layers]
    l0 = fit_l0(examples.x["train"], examples.y["train"], lambdas, warm, noise)
    validation, test = (examples.accuracy(l0.probes, part) for part in ("validation", "test"))
    masked, scores = [], []
    for i in range(len(examples.layers)):
        good = [j for j in range(len(lambdas)) if validation[i, j] >= ENOUGH * dense[i].validation]
        j = good[0] if good else int(validation[i].argmax())
        gates = l0.gates[i, j].cpu()
        rho, kept = spearman(t[i], gates), float((gates > 0).float().mean())
        masked.append(Masked(lambdas[j], kept, Accuracy(float(validation[i, j]), float(test[i, j])), bool(good), rho))
        scores.append(l0.probes.weights[i, j].abs().cpu())
    return masked, torch.stack(scores)


def top_units(scores: Float[Tensor, "layer unit"], k: int) -> Int[Tensor, "layer k"]:
    """The k highest-scoring units of each layer, ascending; ties go to the lower index."""
    order = torch.sort(scores, dim=1, descending=True, stable=True).indices
    return order[:, :k].sort(dim=1).values


def _judge_units(
    examples: _Examples,
    units: Int[Tensor, "layer k"],
    l2: Float[Tensor, "layer 1"],
    used: Bool[Tensor, "layer k"] | None = None,
) -> list[Accuracy]:
    """Accuracy of a probe on some units of each layer; those not `used` are blanked out."""
    small = examples.only(units.to(l2.device), used)
    return small.judge(small.fit(l2))


def random_accuracies(
    examples: _Examples,
    top: Int[Tensor, "layer k"],
    l2: Float[Tensor, "layer 1"],
    settings: Settings,
    size: int,
) -> list[list[float]]:
    """Test accuracies `[draw][layer]` of probes on `size` random units outside the top ones; none if few are left."""
    width = examples.x["train"].shape[2]
    if width - top.shape[1] < size:
        return []
    accuracies = []
    for draw in range(settings.draws):
        units = torch.stack(
            [_draw(width, top[i], size, settings, layer, draw) for i, layer in enumerate(examples.layers)]
        )
        accuracies.append([accuracy.test for accuracy in _judge_units(examples, units, l2)])
    return accuracies


def _draw(
    width: int, top: Int[Tensor, "k"], size: int, settings: Settings, layer: int, draw: int
) -> Int[Tensor, "size"]:
    outside = torch.ones(width, dtype=torch.bool)
    outside[top] = False
    rest = outside.nonzero().flatten()
    source = generator(settings.seed, settings.task, layer, "random", size, draw)
    return rest[torch.randperm(len(rest), generator=source)[:size]].sort().values


def random_equivalent(
    states: EosStates, parts: Parts, result: LayerResult, settings: Settings, *, device: torch.device
) -> float | None:
    """How many times k random units reach the test accuracy of a layer's top k, interpolated between set sizes.

    Sizes double from k as far as units remain; None where none of them reaches it.
    """
    row = states.layers.index(result.layer)
    examples = _Examples.of(states, parts, slice(row, row + 1), device)
    method = settings.methods[0]
    top, goal = top_units(result.scores[method][None], settings.k), result.topk[method].test
    l2 = torch.full((1, 1), result.l2, device=device)
    before, multiple = 0.5, 1
    while drawn := random_accuracies(examples, top, l2, settings, multiple * settings.k):
        mean = sum(accuracy for (accuracy,) in drawn) / len(drawn)
        if mean >= goal:
            return 1.0 if multiple == 1 else multiple / 2 * (1 + (goal - before) / (mean - before))
        before, multiple = mean, multiple * 2
    return None
