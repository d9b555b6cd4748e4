"""Matched controls: neuron sets that should not matter, drawn to resemble the chosen one.

A residual stream has a few units whose activations dwarf all others; a uniformly random control that hits one wrecks
the model, one that misses them all looks harmless. So the units of a layer are parted into small blocks of like mean
and variance, and a control has as many units of every block as the chosen set.

A control may hold units of the set itself. Were they barred, a set of 40 of 576 units that was drawn by lot would be
called unusual in 8 to 9 % of cases instead of 5: what is barred can only be in the set, so the controls would be more
like one another than like it. With them, and with blocks that no choice of units has shaped, a set drawn by lot is
one draw among n + 1 at any size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter

import torch
from jaxtyping import Float, Int
from torch import Tensor

from neurosteer.data import UnitStats
from neurosteer.errors import InputError
from neurosteer.seeds import generator
from neurosteer.vocabulary import MOST_CONTROLS, Reach

from .head_controls import matched_heads
from .sets import NeuronSet
from .stats import check_measured, massive

SMALLEST = 10  # units of a block, where there are so many


def matched_controls(neurons: NeuronSet, n: int, seed: int = 0, *, reach: Reach = "own") -> list[NeuronSet]:
    """`n` sets with as many neurons per layer, each drawn independently from the blocks that the set's own come from.

    The units of a layer are halved at the median of their mean or log variance over token positions (standardised
    over the layer; of that which spreads more, and of the mean first), and the halves again, as long as both keep
    10 units; massive units are parted from the others beforehand. So the blocks are a function of the statistics
    alone. Of every block a control draws as many units as the set has there, the set's own not excepted. Where an
    edit is to `reach` other layers, a coordinate is answered by one for all of them, in blocks by the average over
    the layers reached. Heads have blocks of their own, see `matched_heads`.

    Args:
        neurons: the set that the controls resemble.
        n: how many controls, at most 100,000.
        seed: decides what is drawn. Control i has a generator of its own: it is the same one however many are drawn.
        reach: of the edit that they are controls for.

    Returns:
        Neuron sets with two more entries in `metadata`: `overlap`, the share of the set's neurons that a control has
        too, and `unmatched`, how far its units are from the set's, in standard deviations: the earth mover's distance
        of their means and of their log variances, averaged (0 for the set itself).

    Raises:
        InputError: for fewer than 0 or more than 100,000 controls, and for a set without statistics.

    Example:
        >>> first, second = matched_controls(ranking.top(3), 2)
        >>> len(first), first.metadata["control"], list(first) == list(second)
        (3, True, False)
    """
    check_count(n)
    if neurons.group > 1:
        return matched_heads(neurons, n, seed)
    pools = list(_pools(neurons, reach)) if n else []
    return [_control(neurons, pools, seed, i) for i in range(n)]


def check_count(n: int) -> None:
    """Raises `InputError` for a number of controls that cannot be drawn."""
    if not 0 <= n <= MOST_CONTROLS:
        raise InputError(f"controls must be from 0 to {MOST_CONTROLS:,}, not {n}")


def without_massive(neurons: NeuronSet, *, reach: Reach = "own") -> NeuronSet:
    """The neurons that are massive at none of the layers where an edit of this reach touches them.

    A neuron whose statistics nobody has measured counts as not massive.

    Example:
        >>> len(without_massive(ranking.top(3)))
        3
    """
    flags = massive(neurons.stats, neurons.group)
    kept = torch.tensor(
        [not bool(flags[_rows(neurons, layer, reach), unit // neurons.group].any()) for layer, unit in neurons],
        dtype=torch.bool,
    )
    return replace(neurons, layers=neurons.layers[kept], units=neurons.units[kept], scores=neurons.scores[kept])


@dataclass(frozen=True, eq=False)
class _Pool:
    """Neurons that draw their controls together: those of one layer, or all where an edit reaches other layers."""

    neurons: list[tuple[int, int]]
    blocks: Int[Tensor, "width"]  # the block of each unit, from 0
    features: Float[Tensor, "row width 2"]  # at the layers where they are edited

    def draw(self, source: torch.Generator) -> tuple[list[tuple[int, int]], float]:
        """As many units of every block, at random, in the place of the chosen ones, and their distance from them."""
        chosen = torch.tensor(sorted({unit for _, unit in self.neurons}))
        chosen = chosen[self.blocks[chosen].argsort(stable=True)]
        shuffled = torch.randperm(len(self.blocks), generator=source)
        shuffled = shuffled[self.blocks[shuffled].argsort(stable=True)]  # block after block
        block, sizes = self.blocks[shuffled], self.blocks.bincount()
        place = torch.arange(len(shuffled)) - (sizes.cumsum(0) - sizes)[block]  # of a unit in its block, by lot
        drawn = shuffled[place < self.blocks[chosen].bincount(minlength=len(sizes))[block]]
        answer = dict(zip(chosen.tolist(), drawn.tolist(), strict=True))
        mine, theirs = (self.features[:, units].sort(dim=1).values for units in (chosen, drawn))
        return [(layer, answer[unit]) for layer, unit in self.neurons], float((mine - theirs).abs().mean())


def _pools(neurons: NeuronSet, reach: Reach) -> Iterator[_Pool]:
    features = _features(neurons.stats)
    parts = [list(part) for _, part in groupby(neurons, key=itemgetter(0))] if reach == "own" else [list(neurons)]
    for part in filter(None, parts):
        rows = _rows(neurons, part[0][0], reach)
        yield _Pool(part, unit_blocks(neurons.stats, rows), features[rows])


def unit_blocks(stats: UnitStats, rows: Sequence[int]) -> Int[Tensor, "width"]:
    """The block of like units that each unit belongs to, counted from 0, by its statistics in the mean over rows.

    Raises `InputError` where nobody has measured them.
    """
    check_measured(stats, rows)
    blocks = torch.empty(stats.token_mean.shape[1], dtype=torch.long)
    points, heavy = _features(stats)[list(rows)].mean(dim=0), massive(stats)[list(rows)].any(dim=0)
    of_both = [block for kind in (~heavy, heavy) for block in _blocks(kind.nonzero()[:, 0], points)]
    for index, block in enumerate(of_both):
        blocks[block] = index
    return blocks


def _rows(neurons: NeuronSet, layer: int, reach: Reach) -> list[int]:
    """Rows of the statistics at which an edit of neurons of this layer acts."""
    layers = neurons.stats.layers
    if reach == "own":
        return [layers.index(layer)]
    return [row for row, other in enumerate(layers) if other >= layer or reach == "all"]


def _blocks(units: Int[Tensor, "unit"], points: Float[Tensor, "width 2"]) -> Iterator[Int[Tensor, "member"]]:
    """The units in blocks of like (mean, log variance), of 10 to 20 or of all where they are fewer."""
    if len(units) < 2 * SMALLEST:
        yield from [units] if len(units) else []
        return
    mean, variance = points[units].std(dim=0, correction=0).tolist()
    axis = 1 if variance > mean + 1e-9 else 0  # a whole layer spreads by 1 in both
    order = units[torch.sort(points[units, axis], stable=True).indices]
    for half in (order[: len(order) // 2], order[len(order) // 2 :]):
        yield from _blocks(half, points)


def _control(neurons: NeuronSet, pools: list[_Pool], seed: int, i: int) -> NeuronSet:
    drawn, apart = [], 0.0
    for pool in pools:
        units, distance = pool.draw(generator(seed, "control", i, pool.neurons[0][0]))
        drawn += units
        apart += distance * len(units) / len(neurons)
    drawn = sorted(drawn)
    shared = len(set(drawn) & set(neurons)) / max(len(neurons), 1)
    return replace(
        neurons,
        layers=torch.tensor([layer for layer, _ in drawn], dtype=torch.long),
        units=torch.tensor([unit for _, unit in drawn], dtype=torch.long),
        scores=torch.zeros(len(drawn)),
        metadata={**neurons.metadata, "control": True, "overlap": shared, "unmatched": apart},
    )


def _features(stats: UnitStats) -> Float[Tensor, "layer unit 2"]:
    """Mean and log variance of each unit, standardised over its layer."""
    variance = stats.token_var.double().clamp_min(1e-30)
    values = torch.stack([stats.token_mean.double(), variance.log()], dim=2)
    spread = values.std(dim=1, correction=0, keepdim=True)
    return (values - values.mean(dim=1, keepdim=True)) / torch.where(spread > 0, spread, 1.0)
