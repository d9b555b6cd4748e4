"""States as labelled examples: one layer is one problem, the good sentences are +1 and the bad ones -1."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


def labelled(
    values: Float[Tensor, "pair side layer unit"],
) -> tuple[Float[Tensor, "layer sample unit"], Float[Tensor, "sample"]]:
    """All good sentences, then all bad ones, of every layer; and their labels."""
    pairs = values.shape[0]
    x = values.permute(2, 1, 0, 3).flatten(1, 2)
    y = torch.ones(2 * pairs, device=values.device)
    y[pairs:] = -1
    return x, y


@dataclass(frozen=True, eq=False)
class Standard:
    """Mean and standard deviation of every unit over train examples; a constant unit is left at its scale."""

    mean: Float[Tensor, "layer 1 unit"]
    scale: Float[Tensor, "layer 1 unit"]

    @classmethod
    def of(cls, x: Float[Tensor, "layer sample unit"]) -> Standard:
        var, mean = torch.var_mean(x, dim=1, correction=0, keepdim=True)
        scale = var.sqrt()
        return cls(mean, torch.where(scale > 0, scale, 1.0))

    def __call__(self, x: Float[Tensor, "layer sample unit"]) -> Float[Tensor, "layer sample unit"]:
        return (x - self.mean) / self.scale
