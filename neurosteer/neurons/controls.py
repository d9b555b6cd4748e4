"""Matched controls: neuron sets that should not matter, drawn to resemble the chosen one.

A residual stream has a few units whose activations dwarf all others; a uniformly random control that hits one
wrecks the model, one that misses them all looks harmless. So each chosen unit is answered by one of its nearest
neighbours in mean and variance.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from neurosteer.data import UnitStats
from neurosteer.errors import InputError
from neurosteer.seeds import generator

from .sets import NeuronSet

NEAREST = 10
MASSIVE = 10  # times the median unit of the layer, in root mean square over token positions


def matched_controls(neurons: NeuronSet, n: int, seed: int = 0, *, spare_massive: bool = False) -> list[NeuronSet]:
    """`n` sets with as many neurons per layer, none of them chosen ones, similar in mean and variance.

    Each chosen unit draws, in random order and without replacement, one of the 10 nearest other units of its layer
    by (mean, log variance) over token positions, both standardised over the layer. What distance remains is kept
    in `about["unmatched"]`: the mean absolute difference, in standard deviations. `spare_massive` leaves massive
    units out. Raises `InputError` where a layer has fewer other units than chosen ones.
    """
    return [_draw(neurons, generator(seed, "control", i), spare_massive) for i in range(n)]


def massive(stats: UnitStats) -> Bool[Tensor, "layer unit"]:
    """Units whose root mean square over token positions is 10 times the median of their layer or more."""
    rms = (stats.token_mean.square() + stats.token_var).sqrt()
    return rms >= MASSIVE * rms.median(dim=1, keepdim=True).values


def without_massive(neurons: NeuronSet) -> NeuronSet:
    """The neurons that are not massive."""
    flags = massive(neurons.stats)
    rows = {layer: row for row, layer in enumerate(neurons.stats.layers)}
    keep = torch.tensor([not flags[rows[layer], unit] for layer, unit in neurons], dtype=torch.bool)
    return replace(neurons, layers=neurons.layers[keep], units=neurons.units[keep], scores=neurons.scores[keep])


def _draw(neurons: NeuronSet, source: torch.Generator, spare_massive: bool) -> NeuronSet:
    drawn: list[tuple[int, int]] = []
    distances: list[Tensor] = []
    for row, layer in enumerate(neurons.stats.layers):
        chosen = neurons.units[neurons.layers == layer]
        if len(chosen) == 0:
            continue
        features = _features(neurons.stats, row)
        free = torch.ones(len(features), dtype=torch.bool)
        free[chosen] = False
        if spare_massive:
            free &= ~massive(neurons.stats)[row]
        if int(free.sum()) < len(chosen):
            raise InputError(
                f"layer {layer} has {int(free.sum())} other units for {len(chosen)} chosen ones, too few for "
                "matched controls; take fewer neurons or --controls 0"
            )
        units = _neighbours(features, chosen, free, source)
        drawn += [(layer, unit) for unit in units.tolist()]
        distances.append((features[units] - features[chosen]).abs().flatten())
    drawn.sort()
    return replace(
        neurons,
        layers=torch.tensor([layer for layer, _ in drawn], dtype=torch.long),
        units=torch.tensor([unit for _, unit in drawn], dtype=torch.long),
        scores=torch.zeros(len(drawn)),
        about={**neurons.about, "control": True, "unmatched": float(torch.cat(distances).mean())},
    )


def _neighbours(
    features: Float[Tensor, "unit 2"], chosen: Int[Tensor, "k"], free: Bool[Tensor, "unit"], source: torch.Generator
) -> Int[Tensor, "k"]:
    """One free unit for each chosen one, in the order of the chosen ones."""
    free, answers = free.clone(), torch.empty_like(chosen)
    for place in torch.randperm(len(chosen), generator=source).tolist():
        distance = (features - features[chosen[place]]).norm(dim=1).masked_fill(~free, torch.inf)
        nearest = torch.sort(distance, stable=True).indices[: min(NEAREST, int(free.sum()))]
        answer = nearest[int(torch.randint(len(nearest), (), generator=source))]
        answers[place], free[answer] = answer, False
    return answers


def _features(stats: UnitStats, row: int) -> Float[Tensor, "unit 2"]:
    """Mean and log variance of each unit, standardised over the layer."""
    variance = stats.token_var[row].double().clamp_min(1e-30)
    values = torch.stack([stats.token_mean[row].double(), variance.log()], dim=1)
    spread = values.std(dim=0, correction=0)
    return (values - values.mean(dim=0)) / torch.where(spread > 0, spread, 1.0)
