"""Where and when: which layer and which region of factorial items the preference follows.

Each cell swaps one region (the cause, what stands between, the last token before the outcome) at one layer between
the two causes: all units of the layer, and the coordinates of the set, or the component along the direction.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from neurosteer.forward import Swap, preferences
from neurosteer.model import Model
from neurosteer.neurons import Direction, NeuronSet
from neurosteer.progress import QUIET, Progress
from neurosteer.results.evidence import MapCell
from neurosteer.sites import KNOWN_SITES
from neurosteer.vocabulary import REGIONS, Region, counted

from .factorial import Factorial, gap_of, other_cause, towards_the_donor

MOST_ITEMS = 40


def map_of(
    model: Model,
    found: Factorial,
    target: NeuronSet | Direction,
    *,
    layers: Sequence[int] | None = None,
    most: int = MOST_ITEMS,
    progress: Progress = QUIET,
) -> tuple[MapCell, ...]:
    """The effect of a swap at every layer (or some) and region, over the first `most` items that have the region.

    The set's coordinates are those that it has at the layer; of a set, or direction, of one layer of the residual
    stream, the same ones at every layer. Items whose contexts have different lengths have only the region `last`.
    """
    items = found.first(most)
    regions: tuple[Region, ...] = REGIONS if found.form == "aligned" else ("last",)
    places = {region: other_cause(items, region) for region in regions}
    having = {region: np.array([bool(one.positions) for one in places[region][::2]]) for region in regions}
    neurons = target.neurons if isinstance(target, Direction) else target
    width = neurons.stats.token_mean.shape[1]
    cells, swaps = [], []
    for layer in range(model.n_layers) if layers is None else layers:
        for region in regions:
            if not having[region].any():
                continue
            chosen = coordinates(neurons, layer)
            cells.append((layer, region, chosen is not None))
            swaps.append(Swap({layer: torch.arange(width)}, places[region]))
            if chosen is not None:
                along = {layer: target.vector} if isinstance(target, Direction) else None
                swaps.append(Swap({layer: chosen}, places[region], along=along))
    what = f"map: {counted(len(swaps), 'swap')} of {counted(len(items.items), 'item')}, tokens"
    values = preferences(model, items.groups, swaps, site=neurons.site, what=what, progress=progress)
    moved, whole_way = iter(towards_the_donor(values)), gap_of(values)
    made = []
    for layer, region, both in cells:
        has = having[region]
        gap = float(whole_way[has].sum())
        whole = float(next(moved)[has].sum()) / gap
        chosen_too = float(next(moved)[has].sum()) / gap if both else None
        made.append(MapCell(layer=layer, region=region, whole=whole, chosen=chosen_too, items=int(has.sum())))
    return tuple(made)


def coordinates(neurons: NeuronSet, layer: int) -> Tensor | None:
    """The set's units at a layer; None where it has none there."""
    own = sorted(set(neurons.layers.tolist()))
    if layer in own:
        return neurons.units[neurons.layers == layer]
    return neurons.units if len(own) == 1 and KNOWN_SITES[neurons.site].stream else None
