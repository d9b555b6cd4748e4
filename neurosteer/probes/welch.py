"""Welch's t of every unit: how much its states differ between good and bad sentences.

Units are ranked by |t|, as in the paper. The two groups are paired (each good sentence has a bad one), so whether a
unit differs at all is tested by the paired t of the differences, with Benjamini-Hochberg q-values over all units and
layers of the task. A large |t| means that the unit encodes the contrast, not that the model uses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from scipy import stats
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Welch:
    """`t` (good minus bad, unequal variances), and `p` and `q` of the paired t, each `[layer, unit]`, float64."""

    t: Float[Tensor, "layer unit"]
    p: Float[Tensor, "layer unit"]
    q: Float[Tensor, "layer unit"]

    def significant(self, q: float = 0.05) -> list[int]:
        """The number of significant units of each layer at the false discovery rate `q`."""
        return [int(n) for n in (self.q < q).sum(dim=1)]


def welch(states: Float[Tensor, "all side layer unit"], train: Sequence[int]) -> Welch:
    """Welch's t of good against bad, and significance of the differences, over the `train` pairs (indices).

    A constant unit has t = 0 and p = 1. If both groups are constant and differ, |t| is the largest float. Raises
    `ValueError` for fewer than two pairs.
    """
    if len(train) < 2:
        raise ValueError(f"Welch's t needs at least 2 pairs, got {len(train)}")
    chosen = torch.as_tensor(train)
    rows = [_one_layer(states[:, :, layer][chosen].double()) for layer in range(states.shape[2])]
    t, paired = torch.stack([t for t, _ in rows]), torch.stack([paired for _, paired in rows])
    p = 2 * stats.t.sf(paired.abs().numpy(), df=len(train) - 1)
    q = stats.false_discovery_control(p.ravel(), method="bh").reshape(p.shape)
    return Welch(t, torch.from_numpy(p), torch.from_numpy(q))


def _one_layer(
    states: Float[Tensor, "pair side unit"],
) -> tuple[Float[Tensor, "unit"], Float[Tensor, "unit"]]:
    """Welch's t and the paired t of each unit. `states` is changed in place."""
    n = states.shape[0]
    mean = states.mean(dim=0)
    gap = mean[0] - mean[1]
    spread = (states[:, 0] - states[:, 1]).sub_(gap).square_().sum(dim=0) / (n - 1)  # of the differences
    var = states.sub_(mean).square_().sum(dim=0) / (n - 1)
    return _ratio(gap, var.sum(dim=0) / n).cpu(), _ratio(gap, spread / n).cpu()


def _ratio(gap: Float[Tensor, "unit"], square: Float[Tensor, "unit"]) -> Float[Tensor, "unit"]:
    """`gap / sqrt(square)`, finite in float32; 0 where there is neither gap nor spread."""
    largest = torch.finfo(torch.float32).max
    return torch.where(gap == 0, 0.0, gap / square.sqrt()).clamp(-largest, largest)
