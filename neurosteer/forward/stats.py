"""Running mean and variance over token positions, from packs in which one node stands for many sentences."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from neurosteer.data import TokenStats
from neurosteer.model import to_device

from .device_copy import DeviceCopies
from .forest import Pack

Array = np.ndarray


class TokenMoments:
    """Weighted mean and variance per (layer, unit), merged pack by pack (Chan, Golub & LeVeque 1979).

    `counts(pack)` says how many tokens of all sentences each node stands for.
    """

    def __init__(self, layers: int, width: int, counts: Callable[[Pack], Int[Array, "row node"]]) -> None:
        self.mean = torch.zeros(layers, width, dtype=torch.float64)
        self.squares = torch.zeros(layers, width, dtype=torch.float64)
        self.tokens = 0
        self._counts = lru_cache(maxsize=1)(counts)
        self._weights = lru_cache(maxsize=8)(self._weigh)  # of one pack, for each device
        self._waiting: dict[int, tuple[Tensor, Tensor]] = {}  # by layer: mean, squares
        self._pack: Pack | None = None

    def add(self, pack: Pack, layer: int, values: Float[Tensor, "row node unit"]) -> None:
        """Add a layer's activations of a pack. They count once the pack is sent and has arrived.

        Those of a pack that did not finish are dropped when the next pack begins.
        """
        if pack is not self._pack:
            self._waiting.clear()
            self._pack = pack
        flat, weight = values.flatten(0, 1).float(), self._weights(pack, values.device)
        mean = weight @ flat / weight.sum().clamp_min(1)
        self._waiting[layer] = mean, weight @ (flat - mean).square()

    def send(self, pack: Pack, copies: DeviceCopies) -> None:
        """Merge the moments of the pack, once all of its layers are added."""
        new, layers = int(self._counts(pack).sum()), list(self._waiting)
        waiting = [part for both in self._waiting.values() for part in both]
        self._waiting.clear()

        def arrive(arrived: list[Tensor]) -> None:
            total = self.tokens + new
            for layer, mean, squares in zip(layers, arrived[::2], arrived[1::2], strict=True):
                shift = mean.double() - self.mean[layer]
                self.mean[layer] += shift * (new / max(total, 1))
                self.squares[layer] += squares.double() + shift.square() * (self.tokens * new / max(total, 1))
            self.tokens = total

        copies.send(waiting, arrive)

    def finish(self) -> TokenStats:
        """The statistics of all packs that have arrived (float32)."""
        return TokenStats(self.mean.float(), (self.squares / max(self.tokens, 1)).float(), self.tokens)

    def _weigh(self, pack: Pack, device: torch.device) -> Float[Tensor, "node"]:
        return to_device(torch.from_numpy(self._counts(pack)).flatten().float(), device)
