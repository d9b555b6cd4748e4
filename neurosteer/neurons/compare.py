"""Do two rankings score the same units high?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Protocol

from jaxtyping import Float
from torch import Tensor

from neurosteer.errors import InputError
from neurosteer.results import LayerComparison, RankingComparison, Shared
from neurosteer.vocabulary import Site

from .topk import best_units, resolve_topk


class Scored(Protocol):
    """A `Ranking`, as far as it is compared."""

    @property
    def model(self) -> str: ...

    @property
    def site(self) -> Site: ...

    @property
    def group(self) -> int: ...

    @property
    def layers(self) -> tuple[int, ...]: ...

    @property
    def member_scores(self) -> Float[Tensor, "layer member"]: ...


def spearman(a: Float[Tensor, "unit"], b: Float[Tensor, "unit"]) -> float | None:
    """Rank correlation over units; None where either are all equal.

    Example:
        >>> spearman(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.1, 0.5, 0.7]))
        1.0
    """
    from scipy import stats

    if any(bool((values == values[0]).all()) for values in (a, b)):
        return None
    return float(stats.spearmanr(a.numpy(), b.numpy()).statistic)


def top_set(scores: Float[Tensor, "unit"], topk: int) -> set[int]:
    """The `topk` best units among those whose score is above 0."""
    return set(best_units(scores, topk, above=0.0).tolist()) - {-1}


def compare_rankings(ours: Scored, theirs: Scored, topk: int | str) -> RankingComparison:
    """Rank correlation and shared top k, all layers together and each. See `Ranking.compare`."""
    if (ours.model, ours.site) != (theirs.model, theirs.site):
        raise InputError("these rankings belong to different models or sites")
    if ours.group != theirs.group:
        raise InputError("one of these rankings is of heads, the other of units")
    layers = [layer for layer in ours.layers if layer in theirs.layers]
    if not layers:
        raise InputError("these rankings have no layer in common")
    a, b = (one.member_scores[[one.layers.index(layer) for layer in layers]] for one in (ours, theirs))
    rows = [LayerComparison(**asdict(_shared(a[row], b[row], topk)), layer=layer) for row, layer in enumerate(layers)]
    return RankingComparison(**asdict(_shared(a.flatten(), b.flatten(), topk)), layers=tuple(rows))


def _shared(a: Float[Tensor, "unit"], b: Float[Tensor, "unit"], topk: int | str) -> Shared:
    count = resolve_topk(topk, len(a))
    ours, theirs = top_set(a, count), top_set(b, count)
    return Shared(
        spearman=spearman(a, b),
        topk=count,
        overlap=len(ours & theirs) / count,
        chance=len(ours) * len(theirs) / len(a) / count,
    )
