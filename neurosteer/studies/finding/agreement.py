"""Do two methods rank the same neurons high?"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

from jaxtyping import Float
from torch import Tensor

from neurosteer.neurons import spearman, top_set


def largest_spearman(a: Float[Tensor, "unit"], b: Float[Tensor, "unit"]) -> float | None:
    """The rank correlation if both ranked the units alike: below 1 where one has ties that the other breaks."""
    return spearman(a.sort().values, b.sort().values)


def agreement(scores: Mapping[str, Float[Tensor, "unit"]], k: int) -> list[dict[str, Any]]:
    """For each two methods: Spearman over all units, and the shared part of their top k beside what chance shares.

    Units that a method gives no score above 0 are not among its top.
    """
    top = {method: top_set(values, k) for method, values in scores.items()}
    return [
        {
            "methods": [a, b],
            "spearman": spearman(scores[a], scores[b]),
            "overlap": len(top[a] & top[b]) / k,
            "chance": len(top[a]) * len(top[b]) / len(scores[a]) / k,
        }
        for a, b in combinations(scores, 2)
    ]
