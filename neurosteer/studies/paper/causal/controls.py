"""Controls of a source, which its neuron sets of one size share: each costs as many passes as a set itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from neurosteer.neurons import NeuronSet, matched_controls
from neurosteer.seeds import generator


def controls_of(sets: Sequence[NeuronSet], n: int, seed: int) -> dict[int, list[NeuronSet]]:
    """Controls that the sets of one source share, whatever the method and the target, by the size of the sets.

    None of their units is in any of the sets; they are matched to all of these taken together. Those for a smaller
    set are parts of those for a larger one.
    """
    sizes = sorted({len(chosen) for chosen in sets} - {0}, reverse=True)
    drawn = matched_controls(union(sets), n, seed) if sizes else []
    return {
        size: [_some(control, size, generator(seed, "some", i)) for i, control in enumerate(drawn)] for size in sizes
    }


def union(sets: Sequence[NeuronSet]) -> NeuronSet:
    """The neurons of one layer that are in any of the sets."""
    units = torch.cat([chosen.units for chosen in sets]).unique()
    layers = torch.full_like(units, sets[0].stats.layers[0])
    return replace(sets[0], layers=layers, units=units, scores=torch.zeros(len(units)))


def _some(neurons: NeuronSet, size: int, source: torch.Generator) -> NeuronSet:
    kept = torch.randperm(len(neurons), generator=source)[:size].sort().values
    return replace(neurons, layers=neurons.layers[kept], units=neurons.units[kept], scores=neurons.scores[kept])
