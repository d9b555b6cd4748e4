"""Neurons as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Int
from torch import Tensor

from neurosteer.data import UnitStats

from .grains import grain_of
from .stats import is_measured, massive

if TYPE_CHECKING:
    import pandas as pd


def neuron_frame(
    stats: UnitStats,
    rows: Int[Tensor, "member"],
    units: Int[Tensor, "member"],
    scores: Float[Tensor, "member"],
    group: int = 1,
) -> pd.DataFrame:
    """`layer`, `unit` or `head`, `score`, `massive`, a row per member, of which `units` are the first units.

    `rows` are those of its layer in the statistics.
    """
    import pandas as pd

    members = units // group
    heavy = pd.array(massive(stats, group)[rows, members].tolist(), dtype="boolean")
    heavy[~is_measured(stats)[rows].numpy()] = pd.NA
    layers = torch.tensor(stats.layers)[rows]
    columns = {"layer": layers.numpy(), grain_of(group): members.numpy(), "score": scores.numpy(), "massive": heavy}
    return pd.DataFrame(columns)
