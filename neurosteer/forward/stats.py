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
        self._waiting: dict[int, tuple[int, Tensor, Tensor]] = {}  # by layer: tokens, mean, squares

    def add(self, layer: int, values: Float[Tensor, "row node unit"], counts: Int[Tensor, "row node"]) -> None:
        """Count each node's activation as often as `counts` says, from the next `commit` on.

        Until then another call for the layer takes its place.
        """
        new = int(counts.sum())
        flat, weight = values.flatten(0, 1).float(), counts.flatten().to(values.device, torch.float32)
        mean = weight @ flat / max(new, 1)
        squares = weight @ (flat - mean).square()
        self._waiting[layer] = new, mean.cpu().double(), squares.cpu().double()

    def commit(self) -> None:
        """What was added now counts."""
        for layer, (new, mean, squares) in self._waiting.items():
            old, total = self.tokens[layer], self.tokens[layer] + new
            shift = mean - self.mean[layer]
            self.mean[layer] += shift * (new / max(total, 1))
            self.squares[layer] += squares + shift.square() * (old * new / max(total, 1))
            self.tokens[layer] = total
        self._waiting.clear()

    def finish(self) -> TokenStats:
        """The statistics so far (float32)."""
        tokens = self.tokens[0]
        return TokenStats(self.mean.float(), (self.squares / max(tokens, 1)).float(), tokens)
