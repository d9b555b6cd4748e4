"""States as labelled examples: one layer is one problem, the good sentences are +1 and the bad ones -1."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad


def labelled(
    values: Float[Tensor, "pair side layer unit"],
) -> tuple[Float[Tensor, "layer sample unit"], Float[Tensor, "sample"]]:
    """All good sentences, then all bad ones, of every layer; and their labels."""
    pairs = values.shape[0]
    x = rearrange(values, "pair side layer unit -> layer (side pair) unit")
    y = torch.ones(2 * pairs, device=values.device)
    y[pairs:] = -1
    return x, y


@dataclass(frozen=True, eq=False)
class Standard:
    """Standardises units by mean and standard deviation over train examples; a constant unit is only centred."""

    mean: Float[Tensor, "layer 1 unit"]
    scale: Float[Tensor, "layer 1 unit"]

    @classmethod
    def of(cls, x: Float[Tensor, "layer sample unit"]) -> Standard:
        var, mean = torch.var_mean(x, dim=1, correction=0, keepdim=True)
        scale = var.sqrt()
        return cls(mean, torch.where(scale > 0, scale, 1.0))

    def __call__(self, x: Float[Tensor, "layer sample unit"]) -> Float[Tensor, "layer sample unit"]:
        return (x - self.mean) / self.scale

    @property
    def level(self) -> Float[Tensor, "layer 1 1"]:
        """One scale for a whole layer: the median of its units' standard deviations, which no massive unit sets."""
        return self.scale.quantile(0.5, dim=2, keepdim=True)


def aligned(
    x: Float[Tensor, "layer sample unit"], y: Float[Tensor, "sample"]
) -> tuple[Float[Tensor, "layer row column"], Float[Tensor, "row"]]:
    """Pad units and examples with zeros to multiples of 16; padded examples have label 0, which gives them no weight.

    Every layer, and every product with one, then begins at a 64-byte boundary. On a CPU the last bits of a product
    depend on the alignment, and so without padding on a layer's place among others.
    """
    samples, units = -x.shape[1] % 16, -x.shape[2] % 16
    return pad(x, (0, units, 0, samples)), pad(y, (0, samples))
