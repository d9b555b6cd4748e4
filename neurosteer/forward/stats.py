"""Running mean and variance over token positions, from packs in which one node stands for many sentences."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from neurosteer.data import TokenStats


class TokenMoments:
    """Weighted mean and variance per (layer, unit), merged pack by pack (Chan, Golub & LeVeque 1979)."""

    def __init__(self, layers: int, width: int) -> None:
        self.mean = torch.zeros(layers, width, dtype=torch.float64)
        self.squares = torch.zeros(layers, width, dtype=torch.float64)
        self.tokens = [0] * layers

    def add(self, layer: int, values: Float[Tensor, "row node unit"], counts: Int[Tensor, "row node"]) -> None:
        """Count each node's activation as often as `counts` says."""
        new = int(counts.sum())
        if new == 0:
            return
        flat, weight = values.flatten(0, 1).float(), counts.flatten().to(values.device, torch.float32)
        mean = weight @ flat / new
        squares = (weight @ (flat - mean).square()).cpu().double()
        old, total = self.tokens[layer], self.tokens[layer] + new
        shift = mean.cpu().double() - self.mean[layer]
        self.mean[layer] += shift * (new / total)
        self.squares[layer] += squares + shift.square() * (old * new / total)
        self.tokens[layer] = total

    def finish(self) -> TokenStats:
        """The statistics so far (float32)."""
        tokens = self.tokens[0]
        return TokenStats(self.mean.float(), (self.squares / max(tokens, 1)).float(), tokens)
