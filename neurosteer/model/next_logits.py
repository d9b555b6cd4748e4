"""Next-token logits at some nodes of a pass; of a large vocabulary computed part by part, when they are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.checkpoint import checkpoint

WHOLE = 65_536  # words of a vocabulary up to which all logits of a pass are computed at once
PART = 2**23  # logits of one part, above

Unembed = Callable[[Float[Tensor, "pick unit"]], Float[Tensor, "pick vocab"]]


def _as_they_are(logits: Tensor) -> Tensor:
    return logits


@dataclass(frozen=True, eq=False)
class NextLogits:
    """The logits at the nodes that were picked, in their order.

    `values` are the logits themselves, or the states from which `unembed` makes them, in parts of `size` picks.
    """

    values: Float[Tensor, "pick unit"]
    size: int
    unembed: Unembed = _as_they_are
    then: Unembed = _as_they_are

    @property
    def device(self) -> torch.device:
        return self.values.device

    @property
    def parts(self) -> Sequence[tuple[int, int]]:
        """First pick, and the one after the last, of every part; without picks one empty part."""
        starts = range(0, max(1, len(self)), max(1, self.size))
        return [(start, min(start + self.size, len(self))) for start in starts]

    def read(self, start: int, end: int, read: Callable[[Float[Tensor, "pick vocab"]], Tensor]) -> Tensor:
        """What `read` makes of a part's logits. For gradients the part is computed again instead of kept."""
        values = self.values[start:end] if (start, end) != (0, len(self)) else self.values
        if values.requires_grad and len(self) > self.size:
            found: Tensor = checkpoint(self._read, read, values, use_reentrant=False, preserve_rng_state=False)
            return found
        return self._read(read, values)

    def _read(self, read: Callable[[Float[Tensor, "pick vocab"]], Tensor], values: Tensor) -> Tensor:
        return read(self.then(self.unembed(values)))

    def log_softmax(self) -> NextLogits:
        """Their log-probabilities, in float32."""
        if len(self) <= self.size:
            return replace(self, values=self.read(0, len(self), _log_softmax), unembed=_as_they_are)
        return replace(self, then=_log_softmax)

    def whole(self) -> Float[Tensor, "pick vocab"]:
        """All of them."""
        return torch.cat([self.read(start, end, _as_they_are) for start, end in self.parts])

    def __len__(self) -> int:
        return len(self.values)


def part_size(vocabulary: int) -> int | None:
    """How many picks are unembedded at once; None for all."""
    return None if vocabulary <= WHOLE else max(1, PART // vocabulary)


def _log_softmax(logits: Tensor) -> Tensor:
    return torch.log_softmax(logits.float(), dim=-1)
