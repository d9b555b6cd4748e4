"""An edit as hooks apply it: its part at one layer, and the activations that it may resample from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True, eq=False)
class LayerEdit:
    """One layer's part of an edit: `h[units] <- scale * h[units] + shift`; the shift can differ by depth.

    With `along`, a vector of length 1, only the component along it changes and the rest of h stays as it is; with
    `rest` too it is the other way round.
    """

    units: Int[Tensor, "neuron"]
    scale: float
    shift: Float[Tensor, "neuron"] | Float[Tensor, "depth neuron"]
    along: Float[Tensor, "neuron"] | None = None
    rest: bool = False


@dataclass(frozen=True, eq=False)
class Donor:
    """Activations to resample from: at each depth (position) those of one train sentence, at all units of a layer."""

    values: Float[Tensor, "depth layer unit"]
    layers: tuple[int, ...]

    def at(self, layers: Sequence[int], units: Int[Tensor, "neuron"]) -> Float[Tensor, "depth neuron"]:
        """Those of some units, of each at its layer."""
        rows = torch.tensor([self.layers.index(layer) for layer in layers], dtype=torch.long)
        return self.values[:, rows, units]

    def __repr__(self) -> str:
        depths, layers, width = self.values.shape
        return f"Donor({depths} depths, {layers} layers x {width} units)"
