"""A neuron set, or the component along a direction, as a swap takes it."""

from __future__ import annotations

from collections.abc import Sequence

from neurosteer.forward import Places, Swap
from neurosteer.neurons import Direction, NeuronSet


def swap_of(target: NeuronSet | Direction, places: Sequence[Places], *, to_mean: bool = False) -> Swap:
    """Its values from each reading's donor; or moved to their mean at the same places."""
    neurons = target.neurons if isinstance(target, Direction) else target
    at = {layer: neurons.layers == layer for layer in sorted(set(neurons.layers.tolist()))}
    means = neurons.at("token_mean") if to_mean else None
    return Swap(
        {layer: neurons.units[own] for layer, own in at.items()},
        places,
        to=None if means is None else {layer: means[own] for layer, own in at.items()},
        along={layer: target.vector[own] for layer, own in at.items()} if isinstance(target, Direction) else None,
    )
