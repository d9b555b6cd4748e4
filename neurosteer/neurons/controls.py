"""Matched controls: neuron sets that should not matter, drawn to resemble the chosen one.

A residual stream has a few units whose activations dwarf all others; a uniformly random control that hits one wrecks
the model, one that misses them all looks harmless. So each chosen unit is answered by one of its nearest neighbours
in mean and variance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from neurosteer.data import UnitStats
from neurosteer.errors import InputError
from neurosteer.seeds import generator

from .sets import NeuronSet

NEAREST = 10
MASSIVE = 10  # times the median unit of the layer, in root mean square over token positions


def matched_controls(
    neurons: NeuronSet, n: int, seed: int = 0, *, reach: str = "own", spare_massive: bool = False
) -> list[NeuronSet]:
    """`n` sets with as many neurons per layer, none of them chosen ones, similar in mean and variance.

    Each chosen unit draws, in random order and without replacement, one of the 10 nearest other units of its layer by
    (mean, log variance) over token positions, both standardised over the layer. What distance remains is kept in
    `about["unmatched"]`: the mean absolute difference, in standard deviations. Where an edit is to `reach` other
    layers, a coordinate draws one for all of them: none of the chosen ones, and near over all the layers reached.
    `spare_massive` leaves massive units out. Raises `InputError` where too few other units are left.
    """
    draw = _Draw.of(neurons, reach, spare_massive)
    return [draw.control(generator(seed, "control", i)) for i in range(n)]


def massive(stats: UnitStats) -> Bool[Tensor, "layer unit"]:
    """Units whose root mean square over token positions is 10 times the median of their layer or more."""
    rms = (stats.token_mean.square() + stats.token_var).sqrt()
    return rms >= MASSIVE * rms.median(dim=1, keepdim=True).values


def without_massive(neurons: NeuronSet, *, reach: str = "own") -> NeuronSet:
    """The neurons that are massive at none of the layers where an edit of this reach touches them."""
    flags = massive(neurons.stats)
    keep = [not bool(flags[_reached(neurons, layer, reach), unit].any()) for layer, unit in neurons]
    kept = torch.tensor(keep, dtype=torch.bool)
    return replace(neurons, layers=neurons.layers[kept], units=neurons.units[kept], scores=neurons.scores[kept])


@dataclass(frozen=True, eq=False)
class _Place:
    """A chosen unit that wants a control: at which rows of the statistics it is edited."""

    unit: int
    rows: list[int]
    pool: int  # units are taken once per pool: a layer, or (-1) all of them


@dataclass(frozen=True, eq=False)
class _Draw:
    """All that does not change from one control set to the next."""

    neurons: NeuronSet
    places: Sequence[_Place]
    features: Float[Tensor, "layer unit 2"]
    free: Mapping[int, Bool[Tensor, "unit"]]  # of each pool, the units that may be drawn
    spared: Bool[Tensor, "layer unit"]  # units that may not be drawn at a layer

    @classmethod
    def of(cls, neurons: NeuronSet, reach: str, spare_massive: bool) -> _Draw:
        width = neurons.stats.token_mean.shape[1]
        places = _own_places(neurons) if reach == "own" else _reaching_places(neurons, reach)
        free: dict[int, Tensor] = {}
        for place in places:
            free.setdefault(place.pool, torch.ones(width, dtype=torch.bool))[place.unit] = False
        flags = massive(neurons.stats)
        return cls(neurons, places, _features(neurons.stats), free, flags if spare_massive else flags & False)

    def control(self, source: torch.Generator) -> NeuronSet:
        free = {pool: units.clone() for pool, units in self.free.items()}
        answers: dict[tuple[int, int], int] = {}
        distances: list[float] = []
        for i in torch.randperm(len(self.places), generator=source).tolist():
            place = self.places[i]
            allowed = free[place.pool] & ~self.spared[place.rows].any(dim=0)
            if not bool(allowed.any()):
                where = "these layers have" if place.pool < 0 else f"layer {place.pool} has"
                raise InputError(
                    f"{where} too few other units for matched controls; take fewer neurons or --controls 0"
                )
            apart = self.features[place.rows] - self.features[place.rows, place.unit][:, None]
            nearest = _nearest(apart.square().sum(dim=(0, 2)), allowed)
            answer = int(nearest[int(torch.randint(len(nearest), (), generator=source))])
            free[place.pool][answer] = False
            answers[place.pool, place.unit] = answer
            distances.append(float(apart[:, answer].abs().mean()))
        pooled = -1 in self.free
        drawn = sorted((layer, answers[-1 if pooled else layer, unit]) for layer, unit in self.neurons)
        return replace(
            self.neurons,
            layers=torch.tensor([layer for layer, _ in drawn], dtype=torch.long),
            units=torch.tensor([unit for _, unit in drawn], dtype=torch.long),
            scores=torch.zeros(len(drawn)),
            about={**self.neurons.about, "control": True, "unmatched": sum(distances) / max(len(distances), 1)},
        )


def _own_places(neurons: NeuronSet) -> list[_Place]:
    return [_Place(unit, _reached(neurons, layer, "own"), layer) for layer, unit in neurons]


def _reaching_places(neurons: NeuronSet, reach: str) -> list[_Place]:
    """One per coordinate, from the first layer at which it is chosen."""
    first: dict[int, int] = {}
    for layer, unit in neurons:
        first.setdefault(unit, layer)
    return [_Place(unit, _reached(neurons, layer, reach), -1) for unit, layer in first.items()]


def _reached(neurons: NeuronSet, layer: int, reach: str) -> list[int]:
    """Rows of the statistics at which an edit of a neuron of this layer acts."""
    layers = neurons.stats.layers
    if reach == "own":
        return [layers.index(layer)]
    return [row for row, other in enumerate(layers) if other >= layer or reach == "all"]


def _nearest(distance: Float[Tensor, "unit"], allowed: Bool[Tensor, "unit"]) -> Int[Tensor, "near"]:
    order = torch.sort(distance.masked_fill(~allowed, torch.inf), stable=True).indices
    return order[: min(NEAREST, int(allowed.sum()))]


def _features(stats: UnitStats) -> Float[Tensor, "layer unit 2"]:
    """Mean and log variance of each unit, standardised over its layer."""
    variance = stats.token_var.double().clamp_min(1e-30)
    values = torch.stack([stats.token_mean.double(), variance.log()], dim=2)
    spread = values.std(dim=1, correction=0, keepdim=True)
    return (values - values.mean(dim=1, keepdim=True)) / torch.where(spread > 0, spread, 1.0)
