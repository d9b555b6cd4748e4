"""Do two methods rank the same neurons high?"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

from jaxtyping import Float
from torch import Tensor

from neurosteer.neurons import spearman, top_set
from neurosteer.results import Agreement
from neurosteer.vocabulary import Method


def largest_spearman(a: Float[Tensor, "unit"], b: Float[Tensor, "unit"]) -> float | None:
    """The rank correlation if both ranked the units alike: below 1 where one has ties that the other breaks."""
    return spearman(a.sort().values, b.sort().values)


def agreement(scores: Mapping[Method, Float[Tensor, "unit"]], topk: int) -> tuple[Agreement, ...]:
    """For each two methods: Spearman over all units, and the shared part of their top k beside what chance shares.

    Units that a method gives no score above 0 are not among its top.
    """
    top = {method: top_set(values, topk) for method, values in scores.items()}
    return tuple(
        Agreement(
            methods=(a, b),
            spearman=spearman(scores[a], scores[b]),
            overlap=len(top[a] & top[b]) / topk,
            chance=len(top[a]) * len(top[b]) / len(scores[a]) / topk,
        )
        for a, b in combinations(scores, 2)
    )
