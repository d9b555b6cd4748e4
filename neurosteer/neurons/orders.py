"""All units of some layers in the order of a ranking, and matched orders for comparison.

The first k of an order are a neuron set, for every k at once. A matched order is shuffled within the blocks of like
units (see `matched_controls`): each place keeps its block, so that its first k hold as many units of every block as
the first k of the order itself, whatever k is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from jaxtyping import Int
from torch import Tensor

from neurosteer.seeds import generator

from .controls import unit_blocks
from .head_controls import head_blocks
from .ranking import Ranking
from .sets import NeuronSet

Order: TypeAlias = Int[Tensor, "place 2"]  # (layer, unit) or (layer, head), best first


@dataclass(frozen=True, eq=False)
class UnitPool:
    """All units of some layers, of which an order keeps the first."""

    like: NeuronSet  # of which model, site and statistics they are
    layers: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many units, or heads, these layers have together."""
        return len(self.layers) * self._width

    @property
    def _width(self) -> int:
        return self.like.stats.token_mean.shape[1] // self.like.group

    def without(self, kept: Sequence[tuple[int, int]]) -> NeuronSet:
        """All units, or heads, of these layers but the kept ones."""
        gone = set(kept)
        rest = [(layer, one) for layer in self.layers for one in range(self._width) if (layer, one) not in gone]
        return self.like.with_members(rest, {**self.like.metadata, "complement": True})


def order_of(ranking: Ranking, layers: Sequence[int]) -> Order:
    """The units, or heads, of these layers, highest score first; ties go to the lower layer and index.

    Example:
        >>> order_of(ranking, [1])[:2].tolist()
        [[1, 256], [1, 167]]
    """
    rows = [ranking.layers.index(layer) for layer in layers]
    scores = ranking.member_scores[rows]
    width = scores.shape[1]
    best = scores.flatten().sort(descending=True, stable=True).indices
    return torch.stack([torch.tensor(list(layers))[best // width], best % width], dim=1)


def shuffled_orders(order: Order, like: NeuronSet, n: int, seed: int) -> list[Order]:
    """`n` orders in which each place of `order` holds a unit of the same layer and block, or a head of the block.

    Order i has a generator of its own: it is the same one however many are drawn. Raises `InputError` where nobody
    has measured the statistics of these units.

    Example:
        >>> first, second = shuffled_orders(order_of(ranking, [1]), ranking.top(1), 2, 0)
        >>> first.shape, bool((first == second).all())
        (torch.Size([384, 2]), False)
    """
    block = _blocks_of_heads(order, like) if like.group > 1 else _blocks_of_units(order, like)
    places = [(block == one).nonzero()[:, 0] for one in block.unique()]
    found = []
    for i in range(n):
        source, mixed = generator(seed, "order", i), order.clone()
        for members in places:
            mixed[members] = order[members[torch.randperm(len(members), generator=source)]]
        found.append(mixed)
    return found


def _blocks_of_units(order: Order, like: NeuronSet) -> Int[Tensor, "place"]:
    """The layer and block of each place."""
    block = torch.empty(len(order), dtype=torch.long)
    for i, layer in enumerate(order[:, 0].unique().tolist()):
        at = order[:, 0] == layer
        of_layer = unit_blocks(like.stats, [like.stats.layers.index(layer)])
        block[at] = i * len(of_layer) + of_layer[order[at, 1]]
    return block


def _blocks_of_heads(order: Order, like: NeuronSet) -> Int[Tensor, "place"]:
    """The block of each place, which may be of several layers."""
    blocks = head_blocks(like.stats, like.group)
    of_head = {head: number for number, block in enumerate(blocks) for head in block}
    return torch.tensor([of_head[int(layer), int(head)] for layer, head in order], dtype=torch.long)
