"""One neuron's activation at every token of some texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from neurosteer.forward.check import can_share_prefixes
from neurosteer.forward.forest import Pack, Tokens, plan
from neurosteer.forward.loop import packing_for, sweep
from neurosteer.model import Model
from neurosteer.progress import Progress
from neurosteer.results.card import TokenActivations
from neurosteer.vocabulary import Site


def activations(
    model: Model, sequences: Sequence[Tokens], *, site: Site, layer: int, unit: int, progress: Progress
) -> list[np.ndarray]:
    """Its value at each token of each sequence, BOS among them (float32)."""
    groups = [[sequence] for sequence in sequences]
    packs = plan(groups, packing_for(model), shared=can_share_prefixes(model, groups, progress))
    found: dict[int, np.ndarray] = {}

    def visit(pack: Pack, _: int, values: Tensor) -> None:
        column = values[:, :, unit].float().cpu().numpy()
        for text, row, path in zip(pack.sequences.tolist(), pack.rows.tolist(), pack.paths, strict=True):
            found[text] = column[row, path]

    sweep(model, packs, site=site, layers=[layer], visit=visit, what="activations, tokens", progress=progress)
    return [found[i] for i in range(len(sequences))]


def highest(rows: Sequence[TokenActivations], most: int) -> tuple[TokenActivations, ...]:
    """The sentences with the highest activations, each token sequence once, highest first."""
    return _first(sorted(rows, key=lambda row: -row.highest), most)


def lowest(rows: Sequence[TokenActivations], most: int) -> tuple[TokenActivations, ...]:
    """The sentences with the lowest activations, lowest first."""
    return _first(sorted(rows, key=lambda row: row.lowest), most)


def _first(rows: Sequence[TokenActivations], most: int) -> tuple[TokenActivations, ...]:
    kept: dict[tuple[str, ...], TokenActivations] = {}
    for row in rows:
        if len(kept) == most:
            break
        kept.setdefault(row.tokens, row)
    return tuple(kept.values())
