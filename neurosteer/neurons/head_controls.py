"""Matched controls of heads: heads of the same layer, or of neighbouring ones where a layer has few, like in norm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from neurosteer.data import UnitStats
from neurosteer.errors import InputError
from neurosteer.seeds import generator

from .sets import NeuronSet
from .stats import check_measured, is_measured, massive, sizes

FEWEST = 10  # heads of a block, where there are so many
Head = tuple[int, int]  # layer and head


def matched_heads(neurons: NeuronSet, n: int, seed: int = 0) -> list[NeuronSet]:
    """`n` sets with as many heads from every block of like ones as the set has there, its own not excepted.

    Layers that follow one another are joined until they have 10 heads together; a layer of 10 or more stands alone.
    The heads of such a run of layers are halved at their median norm (root mean square over token positions and
    units), and the halves again, as long as both keep 10; massive heads are parted from the others beforehand. So the
    blocks are a function of the statistics alone, and a set that was drawn by lot is one draw among n + 1.

    Their metadata are those of `matched_controls`: `overlap`, and `unmatched`, the earth mover's distance of the log
    norms in standard deviations. Raises `InputError` for heads whose statistics nobody has measured.
    """
    check_measured(neurons.stats, [neurons.stats.layers.index(layer) for layer, _ in neurons.members])
    blocks, norms = head_blocks(neurons.stats, neurons.group), _norms(neurons.stats, neurons.group)
    return [_control(neurons, blocks, norms, seed, i) for i in range(n)]


def head_blocks(stats: UnitStats, group: int) -> list[list[Head]]:
    """All heads of the layers that are measured, in blocks of like ones."""
    norms, heavy = _norms(stats, group), massive(stats, group)
    measured = [layer for layer, known in zip(stats.layers, is_measured(stats).tolist(), strict=True) if known]
    blocks = []
    for run in _runs(measured, heavy.shape[1]):
        heads = [(layer, head) for layer in run for head in range(heavy.shape[1])]
        for kind in (False, True):
            part = [one for one in heads if bool(heavy[stats.layers.index(one[0]), one[1]]) == kind]
            blocks += _halved(sorted(part, key=lambda one: (norms[one], one))) if part else []
    return blocks


def _runs(layers: Sequence[int], heads: int) -> list[list[int]]:
    """Layers that are pooled: neighbours, in their order; what is left at the end of a stretch joins its last run."""
    size, found = -(-FEWEST // heads), []
    for stretch in _stretches(layers):
        runs = [stretch[start : start + size] for start in range(0, len(stretch), size)]
        if len(runs) > 1 and len(runs[-1]) < size:
            last = runs.pop()
            runs[-1] += last
        found += runs
    return found


def _stretches(layers: Sequence[int]) -> list[list[int]]:
    """Ascending layers, parted where one is missing between them."""
    found: list[list[int]] = []
    for layer in layers:
        if found and layer == found[-1][-1] + 1:
            found[-1].append(layer)
        else:
            found.append([layer])
    return found


def _halved(heads: list[Head]) -> list[list[Head]]:
    """Heads in the order of their norms, in blocks of 10 to 20, or of all where they are fewer."""
    if len(heads) < 2 * FEWEST:
        return [heads]
    middle = len(heads) // 2
    return [*_halved(heads[:middle]), *_halved(heads[middle:])]


def _norms(stats: UnitStats, group: int) -> Mapping[Head, float]:
    """The log norm of every head."""
    logs: Float[Tensor, "layer head"] = sizes(stats, group).double().clamp_min(1e-15).log()
    rows = zip(stats.layers, logs.tolist(), strict=True)
    return {(layer, head): value for layer, row in rows for head, value in enumerate(row)}


def _control(
    neurons: NeuronSet, blocks: Sequence[Sequence[Head]], norms: Mapping[Head, float], seed: int, i: int
) -> NeuronSet:
    chosen, drawn, apart = set(neurons.members), [], 0.0
    for number, block in enumerate(blocks):
        own = sorted((one for one in block if one in chosen), key=norms.__getitem__)
        order = torch.randperm(len(block), generator=generator(seed, "control", i, "heads", number)).tolist()
        theirs = sorted((block[place] for place in order[: len(own)]), key=norms.__getitem__)
        drawn += theirs
        apart += sum(abs(norms[one] - norms[other]) for one, other in zip(own, theirs, strict=True))
    if len(drawn) < len(chosen):
        raise InputError("these heads are of layers whose statistics nobody has measured: take them from a find")
    every = torch.tensor(list(norms.values()), dtype=torch.double)
    spread = float(every[every.isfinite()].std(correction=0)) or 1.0
    about = {
        "control": True,
        "overlap": len(set(drawn) & chosen) / max(len(chosen), 1),
        "unmatched": apart / spread / max(len(chosen), 1),
    }
    return neurons.with_members(drawn, {**neurons.metadata, **about})
