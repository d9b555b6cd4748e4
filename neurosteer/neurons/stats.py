"""Statistics of a site's units: as arrays of an artefact, of two sets together, and which units are massive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neurosteer.data import UnitStats
from neurosteer.errors import InputError
from neurosteer.vocabulary import Stat

STATS: tuple[str, ...] = get_args(Stat)
MASSIVE = 10  # times the median unit of the layer, in root mean square over token positions


def massive(stats: UnitStats, group: int = 1) -> Bool[Tensor, "layer member"]:
    """Units whose root mean square over token positions is 10 times the median of their layer or more.

    The same of heads, whose `group` units go together.

    Example:
        >>> massive(ranking.stats).shape
        torch.Size([3, 384])
    """
    rms = sizes(stats, group)
    return rms >= MASSIVE * rms.median(dim=1, keepdim=True).values


def sizes(stats: UnitStats, group: int = 1) -> Float[Tensor, "layer member"]:
    """The root mean square of every unit over token positions, or of the `group` units of every head."""
    squares = stats.token_mean.square() + stats.token_var
    return squares.unflatten(1, (-1, group)).mean(dim=2).sqrt()


def unmeasured(layers: Sequence[int], width: int) -> UnitStats:
    """Statistics that nobody has measured: NaN."""
    nothing = torch.full((len(layers), width), torch.nan)
    return UnitStats(nothing, nothing, nothing, nothing, tokens=0, layers=tuple(layers))


def is_measured(stats: UnitStats) -> Bool[Tensor, "layer"]:
    """Whether the statistics of each layer are known."""
    return stats.token_mean.isfinite().all(dim=1)


def check_measured(stats: UnitStats, rows: Sequence[int]) -> None:
    """Raise `InputError` where the statistics of one of these rows are unknown."""
    if not bool(is_measured(stats)[list(rows)].all()):
        raise InputError(
            "nobody has measured the means and variances of these neurons' layers: take the neurons from a find (in "
            "Python: ranking.pick, or NeuronSet.of(..., stats=ranking.stats))"
        )


def joined_stats(first: UnitStats, second: UnitStats) -> UnitStats:
    """Statistics of the layers of both: of each layer those of the first that has measured it."""
    rows = {}
    for stats in (second, first):
        measured = is_measured(stats).tolist()
        for row, layer in enumerate(stats.layers):
            if measured[row] or layer not in rows:
                rows[layer] = stats, row
    layers = tuple(sorted(rows))
    values = {
        name: torch.stack([getattr(stats, name)[row] for stats, row in (rows[layer] for layer in layers)])
        for name in STATS
    }
    return UnitStats(**values, tokens=first.tokens or second.tokens, layers=layers)


def stats_arrays(stats: UnitStats) -> dict[str, np.ndarray]:
    """The statistics as arrays of an artefact; `stats_from` reads them back."""
    arrays = {name: getattr(stats, name).numpy() for name in STATS}
    return arrays | {"stats_layers": np.array(stats.layers), "stats_tokens": np.array([stats.tokens])}


def stats_from(arrays: Mapping[str, np.ndarray]) -> UnitStats:
    """What `stats_arrays` made arrays of."""
    values = {name: torch.from_numpy(arrays[name]) for name in STATS}
    layers = tuple(int(layer) for layer in arrays["stats_layers"])
    return UnitStats(**values, tokens=int(arrays["stats_tokens"][0]), layers=layers)
