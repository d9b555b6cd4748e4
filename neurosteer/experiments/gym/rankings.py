"""The rankings that are graded, and how: by where they put the units of which it is known what they do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import stats

from neurosteer.gym import GymPlan
from neurosteer.vocabulary import Method

from .result import RankingGrade


@dataclass(frozen=True)
class Variation:
    """A ranking method under settings of its own."""

    name: str
    method: Method
    steps: int = 1  # of attribution


MORE_STEPS = 10


def variations(methods: Sequence[Method]) -> tuple[Variation, ...]:
    """Every method as it comes, and attribution by the mean gradient of a path too: one gradient misses twins."""
    plain = tuple(Variation(method, method) for method in methods)
    more = [Variation(f"attribution, {MORE_STEPS} steps", "attribution", MORE_STEPS)]
    return (*plain, *(more if "attribution" in methods else []))


def grade(
    ranking: str, scores: Float[np.ndarray, "unit"], chosen: Sequence[int], plan: GymPlan, seed: int
) -> RankingGrade:
    """How well the scores tell used units from others, and what is among the chosen."""
    used, twins = plan.of("used", "together", "shared"), plan.of("twin")
    others = sorted(set(range(len(scores))) - {*used, *twins})
    picked = set(chosen)
    return RankingGrade(
        ranking=ranking,
        seed=seed,
        used=area(scores[list(used)], scores[others]),
        twins=area(scores[list(twins)], scores[others]),
        decoys=len(picked & set(plan.of("decoy"))),
        massive=len(picked & set(plan.of("massive"))),
        twins_found=len(picked & set(twins)),
        causal=len(picked & set(plan.causal)),
        k=len(picked),
    )


def area(above: Float[np.ndarray, "unit"], below: Float[np.ndarray, "other"]) -> float:
    """Under the ROC curve: how often a score of the first is above one of the second; a tie is half."""
    found = stats.mannwhitneyu(above, below, alternative="greater", method="asymptotic").statistic
    return float(found / (len(above) * len(below)))
