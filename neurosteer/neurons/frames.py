"""Neurons as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Int
from torch import Tensor

from neurosteer.data import UnitStats

from .stats import is_measured, massive

if TYPE_CHECKING:
    import pandas as pd


def neuron_frame(
    stats: UnitStats, rows: Int[Tensor, "neuron"], units: Int[Tensor, "neuron"], scores: Float[Tensor, "neuron"]
) -> pd.DataFrame:
    """`layer`, `unit`, `score`, `massive`, a row per neuron; `rows` are those of its layer in the statistics."""
    import pandas as pd

    heavy = pd.array(massive(stats)[rows, units].tolist(), dtype="boolean")
    heavy[~is_measured(stats)[rows].numpy()] = pd.NA
    layers = torch.tensor(stats.layers)[rows]
    return pd.DataFrame({"layer": layers.numpy(), "unit": units.numpy(), "score": scores.numpy(), "massive": heavy})
