"""All units of some layers in the order of a ranking, and matched orders for comparison.

The first k of an order are a neuron set, for every k at once. A matched order is shuffled within the blocks of like
units (see `matched_controls`): each place keeps its block, so that its first k hold as many units of every block as
the first k of the order itself, whatever k is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import torch
from jaxtyping import Int
from torch import Tensor

from neurosteer.seeds import generator

from .controls import unit_blocks
from .ranking import Ranking
from .sets import NeuronSet

Order: TypeAlias = Int[Tensor, "place 2"]  # (layer, unit), best first


@dataclass(frozen=True, eq=False)
class Units:
    """All units of some layers, of which an order keeps the first."""

    like: NeuronSet  # of which model, site and statistics they are
    layers: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many units these layers have together."""
        return len(self.layers) * self.like.stats.token_mean.shape[1]

    def without(self, kept: Sequence[tuple[int, int]]) -> NeuronSet:
        """All units of these layers but the kept ones."""
        width = self.like.stats.token_mean.shape[1]
        gone = set(kept)
        rest = [(layer, unit) for layer in self.layers for unit in range(width) if (layer, unit) not in gone]
        table = torch.tensor(rest, dtype=torch.long).reshape(-1, 2)
        scores = torch.zeros(len(rest))
        metadata = {**self.like.metadata, "complement": True}
        return replace(self.like, layers=table[:, 0], units=table[:, 1], scores=scores, metadata=metadata)


def order_of(ranking: Ranking, layers: Sequence[int]) -> Order:
    """The units of these layers, highest score first; ties go to the lower layer and index.

    >>> order_of(ranking, [1])[:2].tolist()
    [[1, 23], [1, 9]]
    """
    rows = [ranking.layers.index(layer) for layer in layers]
    width = ranking.scores.shape[1]
    best = ranking.scores[rows].flatten().sort(descending=True, stable=True).indices
    return torch.stack([torch.tensor(list(layers))[best // width], best % width], dim=1)


def shuffled_orders(order: Order, like: NeuronSet, n: int, seed: int) -> list[Order]:
    """`n` orders in which each place of `order` holds a unit of the same layer and block, by lot.

    Order i has a generator of its own: it is the same one however many are drawn. Raises `InputError` where nobody
    has measured the statistics of these units.

    >>> first, second = shuffled_orders(order_of(ranking, [1]), ranking.top(1), 2, 0)
    >>> first.shape, bool((first == second).all())
    (torch.Size([32, 2]), False)
    """
    block = torch.empty(len(order), dtype=torch.long)
    for i, layer in enumerate(order[:, 0].unique().tolist()):
        at = order[:, 0] == layer
        of_layer = unit_blocks(like.stats, [like.stats.layers.index(layer)])
        block[at] = i * len(of_layer) + of_layer[order[at, 1]]
    places = [(block == one).nonzero()[:, 0] for one in block.unique()]
    found = []
    for i in range(n):
        source, mixed = generator(seed, "order", i), order.clone()
        for members in places:
            mixed[members] = order[members[torch.randperm(len(members), generator=source)]]
        found.append(mixed)
    return found
