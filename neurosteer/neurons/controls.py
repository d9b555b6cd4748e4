"""Matched controls: neuron sets that should not matter, drawn to resemble the chosen one.

A residual stream has a few units whose activations dwarf all others; a uniformly random control that hits one wrecks
the model, one that misses them all looks harmless. So the units of a layer are parted into small blocks of like mean
and variance, and each chosen unit is answered by another one of its block.

Blocks, and not the nearest neighbours of each chosen unit: those few would come again in most controls, which would
then be more like one another than like the chosen set, and a set chosen by lot would stand out among them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from operator import itemgetter

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from neurosteer.data import UnitStats
from neurosteer.errors import InputError
from neurosteer.seeds import generator

from .sets import NeuronSet

OTHERS = 10  # at least so many units of a block are no chosen ones
MASSIVE = 10  # times the median unit of the layer, in root mean square over token positions


def matched_controls(neurons: NeuronSet, n: int, seed: int = 0, *, reach: str = "own") -> list[NeuronSet]:
    """`n` sets with as many neurons per layer, none of them chosen ones, similar in mean and variance.

    The units of a layer are halved at the median of their mean or log variance over token positions (standardised
    over the layer; of that which spreads more, and of the mean first), and the halves again, as long as both keep
    10 units that are not chosen and no fewer such than chosen ones. Those of a block are dealt like cards, to each
    control as many as the block has chosen ones: none comes again before the deck is used up. What distance
    remains is kept in `about["unmatched"]`: the mean absolute difference between a chosen unit and the one dealt
    for it, in standard deviations. Where an edit is to `reach` other layers, a coordinate is answered by one for
    all of them, alike on average over the layers reached. Where no chosen unit is massive, no control holds a
    massive one. Raises `InputError` where too few other units are left.
    """
    if not n:
        return []
    features, flags = _features(neurons.stats), massive(neurons.stats)
    drawn: list[list[tuple[int, int]]] = [[] for _ in range(n)]
    apart: list[list[float]] = [[] for _ in range(n)]
    for pool, rows in _pools(neurons, reach):
        here = features[rows]
        chosen = torch.zeros(here.shape[1], dtype=torch.bool)
        chosen[[unit for _, unit in pool]] = True
        flagged = flags[rows].any(dim=0)
        allowed = torch.ones_like(chosen) if bool((flagged & chosen).any()) else ~flagged
        for block in _blocks(allowed.nonzero()[:, 0], here.mean(dim=0), chosen):
            mine, others = block[chosen[block]], block[~chosen[block]]
            if not len(mine):
                continue
            if len(others) < len(mine):
                where = f"layer {pool[0][0]} has" if reach == "own" else "these layers have"
                raise InputError(
                    f"{where} too few other units for matched controls; take fewer neurons or --controls 0"
                )
            hands = _deal(others, len(mine), generator(seed, "control", rows[0], int(block.min())))
            for i, hand in zip(range(n), hands, strict=False):
                answer = dict(zip(mine.tolist(), hand.tolist(), strict=True))
                drawn[i] += [(layer, answer[unit]) for layer, unit in pool if unit in answer]
                apart[i] += (here[:, mine] - here[:, hand]).abs().mean(dim=(0, 2)).tolist()
    return [_control(neurons, *parts) for parts in zip(drawn, apart, strict=True)]


def massive(stats: UnitStats) -> Bool[Tensor, "layer unit"]:
    """Units whose root mean square over token positions is 10 times the median of their layer or more."""
    rms = (stats.token_mean.square() + stats.token_var).sqrt()
    return rms >= MASSIVE * rms.median(dim=1, keepdim=True).values


def without_massive(neurons: NeuronSet, *, reach: str = "own") -> NeuronSet:
    """The neurons that are massive at none of the layers where an edit of this reach touches them."""
    flags = massive(neurons.stats)
    kept = torch.tensor(
        [not bool(flags[_rows(neurons, layer, reach), unit].any()) for layer, unit in neurons], dtype=torch.bool
    )
    return replace(neurons, layers=neurons.layers[kept], units=neurons.units[kept], scores=neurons.scores[kept])


def _pools(neurons: NeuronSet, reach: str) -> Iterator[tuple[list[tuple[int, int]], list[int]]]:
    """The neurons that draw their controls together, and the rows of the statistics at which they are edited."""
    pools = [list(part) for _, part in groupby(neurons, key=itemgetter(0))] if reach == "own" else [list(neurons)]
    for pool in filter(None, pools):
        yield pool, _rows(neurons, pool[0][0], reach)


def _rows(neurons: NeuronSet, layer: int, reach: str) -> list[int]:
    """Rows of the statistics at which an edit of neurons of this layer acts."""
    layers = neurons.stats.layers
    if reach == "own":
        return [layers.index(layer)]
    return [row for row, other in enumerate(layers) if other >= layer or reach == "all"]


def _blocks(
    units: Int[Tensor, "unit"], points: Float[Tensor, "width 2"], chosen: Bool[Tensor, "width"]
) -> Iterator[Int[Tensor, "member"]]:
    """The units in blocks of like (mean, log variance), each with enough others for its chosen ones."""
    mean, variance = points[units].std(dim=0, correction=0).tolist()
    axis = 1 if variance > mean + 1e-9 else 0  # a whole layer spreads by 1 in both
    order = units[torch.sort(points[units, axis], stable=True).indices]
    halves = order[: len(order) // 2], order[len(order) // 2 :]
    if all(int((~chosen[half]).sum()) >= max(OTHERS, int(chosen[half].sum())) for half in halves):
        for half in halves:
            yield from _blocks(half, points, chosen)
    else:
        yield units


def _deal(units: Int[Tensor, "other"], size: int, source: torch.Generator) -> Iterator[Int[Tensor, "size"]]:
    """Hands of this many units without end; a new deck is shuffled when the last one is used up."""
    while True:
        deck = units[torch.randperm(len(units), generator=source)]
        yield from deck[: len(deck) - len(deck) % size].split(size)


def _control(neurons: NeuronSet, drawn: Sequence[tuple[int, int]], apart: Sequence[float]) -> NeuronSet:
    drawn = sorted(drawn)
    return replace(
        neurons,
        layers=torch.tensor([layer for layer, _ in drawn], dtype=torch.long),
        units=torch.tensor([unit for _, unit in drawn], dtype=torch.long),
        scores=torch.zeros(len(drawn)),
        about={**neurons.about, "control": True, "unmatched": sum(apart) / max(len(apart), 1)},
    )


def _features(stats: UnitStats) -> Float[Tensor, "layer unit 2"]:
    """Mean and log variance of each unit, standardised over its layer."""
    variance = stats.token_var.double().clamp_min(1e-30)
    values = torch.stack([stats.token_mean.double(), variance.log()], dim=2)
    spread = values.std(dim=1, correction=0, keepdim=True)
    return (values - values.mean(dim=1, keepdim=True)) / torch.where(spread > 0, spread, 1.0)
