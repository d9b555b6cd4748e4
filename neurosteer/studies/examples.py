"""EOS states as standardised examples of a block of layers, and the probes that are fitted and judged on them.

Layers are worked through in blocks, so that memory stays bounded; a layer's numbers do not depend on its block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from einops import reduce
from jaxtyping import Bool, Float, Int
from torch import Tensor

from neurosteer.data import EosStates
from neurosteer.neurons import best_units, units_of_members
from neurosteer.probes import STRENGTHS, Probes, Standard, fit_logistic, labelled
from neurosteer.seeds import generator

BLOCK = 8  # layers that are worked on at once
Parts = Mapping[str, Sequence[int]]  # "train", "validation", "test" -> positions of pairs


@dataclass(frozen=True)
class ProbeAccuracy:
    """Of one probe: `validation` chooses, `test` is reported."""

    validation: float
    right: tuple[int, ...]  # sentences of each test pair that are right: 0, 1 or 2

    @property
    def test(self) -> float:
        return sum(self.right) / (2 * len(self.right))


@dataclass(frozen=True, eq=False)
class Examples:
    """A block of layers as standardised examples, by part."""

    layers: tuple[int, ...]
    x: Mapping[str, Float[Tensor, "layer sample unit"]] = field(default_factory=dict)
    y: Mapping[str, Float[Tensor, "sample"]] = field(default_factory=dict)
    standard: Standard | None = None  # how the units were standardised

    @classmethod
    def of(cls, states: EosStates, parts: Parts, rows: slice, device: torch.device) -> Examples:
        block = states.values[:, :, rows]  # a view: only what the indices pick is read
        values = {part: block[torch.as_tensor(indices)].to(device) for part, indices in parts.items()}
        return cls.of_values(states.layers[rows], values)

    @classmethod
    def of_values(
        cls, layers: Sequence[int], values: Mapping[str, Float[Tensor, "pair side layer unit"]]
    ) -> Examples:
        """The states of each part, standardised over those of train."""
        cut = {part: labelled(states) for part, states in values.items()}
        standard = Standard.of(cut["train"][0])
        x = {part: standard(x) for part, (x, _) in cut.items()}
        return cls(tuple(layers), x, {part: y for part, (_, y) in cut.items()}, standard)

    def only(self, units: Int[Tensor, "layer k"], used: Bool[Tensor, "layer k"] | None = None) -> Examples:
        """The same examples, reduced to some units of each layer; those not `used` are blanked out."""
        picked = {part: x.gather(2, units[:, None].expand(-1, x.shape[1], -1)) for part, x in self.x.items()}
        if used is not None:
            picked = {part: x * used[:, None].to(x.device) for part, x in picked.items()}
        return Examples(self.layers, picked, self.y)

    def rotated(self, rotation: Float[Tensor, "unit axis"]) -> Examples:
        """The same examples in another basis, whose axes are the columns of `rotation`."""
        return replace(self, x={part: x @ rotation.to(x) for part, x in self.x.items()}, standard=None)

    def directions(self, probes: Probes) -> tuple[Float[Tensor, "layer unit"], Float[Tensor, "layer"]]:
        """The probe of each layer as a direction of raw activations, and the spread of the train states along it.

        Both are 0 where the states are all alike.
        """
        assert self.standard is not None
        weights = probes.weights[:, 0]
        raw = weights / self.standard.scale[:, 0]
        length = raw.norm(dim=1).clamp_min(torch.finfo(raw.dtype).tiny)
        spread = (self.x["train"] @ weights[..., None])[..., 0].std(dim=1, correction=0)
        return (raw / length[:, None]).cpu(), (spread / length).cpu()

    def mean_directions(self) -> tuple[Float[Tensor, "layer unit"], Float[Tensor, "layer"]]:
        """From the mean of bad to that of good train states, for raw activations, and their spread along it."""
        assert self.standard is not None
        x, scale = self.x["train"], self.standard.scale[:, 0]
        raw = (x[:, self.y["train"] > 0].mean(dim=1) - x[:, self.y["train"] < 0].mean(dim=1)) * scale
        along = raw / raw.norm(dim=1, keepdim=True).clamp_min(torch.finfo(raw.dtype).tiny)
        return along.cpu(), self._along(along, "train").std(dim=1, correction=0).cpu()

    def judge_along(self, directions: Float[Tensor, "layer unit"]) -> list[ProbeAccuracy]:
        """What is right of each layer where a state counts as good beyond the middle of the train means."""
        y = self.y["train"]
        along = self._along(directions, "train")
        middle = (along[:, y > 0].mean(dim=1) + along[:, y < 0].mean(dim=1)) / 2
        right = {
            part: ((self._along(directions, part) > middle[:, None]) == (self.y[part] > 0))
            for part in ("validation", "test")
        }
        of_pair = reduce(right["test"].int(), "layer (side pair) -> layer pair", "sum", side=2)
        validation = right["validation"].double().mean(dim=1).tolist()
        return [ProbeAccuracy(v, tuple(r)) for v, r in zip(validation, of_pair.tolist(), strict=True)]

    def _along(self, directions: Float[Tensor, "layer unit"], part: str) -> Float[Tensor, "layer sample"]:
        """Raw states along a direction of raw activations, but for a constant."""
        assert self.standard is not None
        return (self.x[part] @ (directions.to(self.x[part]) * self.standard.scale[:, 0])[..., None])[..., 0]

    def fit(self, l2: Float[Tensor, "layer strength"]) -> Probes:
        return fit_logistic(self.x["train"], self.y["train"], l2)

    def accuracy(self, probes: Probes, part: str) -> Float[Tensor, "layer strength"]:
        """The share of sentences that are right; half of them where the probe knows nothing."""
        found = probes.accuracy(self.x[part], self.y[part]).cpu()
        return found.masked_fill(_knows_nothing(probes), 0.5)

    def right(self, probes: Probes, part: str) -> Int[Tensor, "layer strength pair"]:
        """How many sentences of each pair are right; one where the probe knows nothing."""
        right = probes.correct(self.x[part], self.y[part])
        of_pair = reduce(right.int(), "layer (side pair) strength -> layer strength pair", "sum", side=2).cpu()
        return of_pair.masked_fill(_knows_nothing(probes)[..., None], 1)

    def judge(self, probes: Probes) -> list[ProbeAccuracy]:
        """Of one probe per layer."""
        validation, right = self.accuracy(probes, "validation")[:, 0], self.right(probes, "test")[:, 0]
        return [ProbeAccuracy(v, tuple(r)) for v, r in zip(validation.tolist(), right.tolist(), strict=True)]

    def judge_units(
        self, units: Int[Tensor, "layer k"], l2: Float[Tensor, "layer 1"], used: Bool[Tensor, "layer k"] | None = None
    ) -> list[ProbeAccuracy]:
        """Of a probe on some units of each layer; where none is used, half of the sentences are right."""
        small = self.only(units.to(l2.device), used)
        judged = small.judge(small.fit(l2))
        if used is None:
            return judged
        nothing = [ProbeAccuracy(0.5, (1,) * len(one.right)) for one in judged]
        return [some if any_ else none for some, none, any_ in zip(judged, nothing, used.any(dim=1), strict=True)]


def _knows_nothing(probes: Probes) -> Bool[Tensor, "layer strength"]:
    """Which probes score every state 0: those of states that are all alike, as before the first block at EOS."""
    return ((probes.weights == 0).all(dim=2) & (probes.bias == 0)).cpu()


@dataclass(frozen=True, eq=False)
class Dense:
    """The dense probe of each layer: at every strength, and at the one chosen on validation."""

    every: Probes
    choice: Int[Tensor, "layer"]  # index of the strength
    judged: Sequence[ProbeAccuracy]

    @property
    def best(self) -> Probes:
        return self.every.pick(self.choice)

    @property
    def l2(self) -> Float[Tensor, "layer 1"]:
        """The strength that all other probes of the layer share."""
        return torch.tensor(STRENGTHS, device=self.every.weights.device)[self.choice][:, None]


def fit_dense(examples: Examples) -> Dense:
    """The dense probes of the layers, their strength chosen on validation."""
    strengths = torch.tensor(STRENGTHS, device=examples.x["train"].device)
    every = examples.fit(strengths.expand(len(examples.layers), -1))
    choice = best_strength(examples.accuracy(every, "validation"))
    return Dense(every, choice, examples.judge(every.pick(choice)))


def best_strength(validation: Float[Tensor, "layer strength"]) -> Int[Tensor, "layer"]:
    """Index of the best strength; of equal ones the strongest (the last)."""
    return validation.shape[1] - 1 - validation.flip(1).argmax(dim=1)


def top_units(scores: Float[Tensor, "layer unit"], k: int) -> Int[Tensor, "layer k"]:
    """The k highest-scoring units of each layer, ascending; ties go to the lower index."""
    return best_units(scores, k).sort(dim=1).values


def random_units(width: int, top: Int[Tensor, "k"], size: int, source: torch.Generator) -> Int[Tensor, "size"]:
    """Units (or heads) drawn from those that are not among the top ones, ascending."""
    outside = torch.ones(width, dtype=torch.bool)
    outside[top] = False
    rest = outside.nonzero().flatten()
    return rest[torch.randperm(len(rest), generator=source)[:size]].sort().values


def random_accuracies(
    examples: Examples,
    top: Int[Tensor, "layer k"],
    l2: Float[Tensor, "layer 1"],
    size: int,
    *,
    draws: int,
    task: str,
    seed: int,
    group: int = 1,
) -> list[list[ProbeAccuracy]]:
    """Accuracies `[draw][layer]` of probes on `size` random units outside the top ones; none if few are left.

    Of heads, whose `group` units go together, `top` and `size` count whole heads.
    """
    width = examples.x["train"].shape[2] // group
    rest = width - top.shape[1]
    if rest < size or not draws:
        return []
    accuracies = []
    for draw in range(draws if size < rest else 1):
        units = torch.stack(
            [
                random_units(width, top[i], size, generator(seed, task, layer, "random", size, draw))
                for i, layer in enumerate(examples.layers)
            ]
        )
        accuracies.append(examples.judge_units(units_of_members(units, group), l2))
    return accuracies if size < rest else accuracies * draws  # all of the rest is one set, however often it is drawn
