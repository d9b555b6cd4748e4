"""Used, not only encoded: what the margin is predicted to lose when a unit is ablated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from neurosteer.data import UnitStats
from neurosteer.errors import InputError
from neurosteer.forward import attribute
from neurosteer.model import Model
from neurosteer.pairs import Pairs
from neurosteer.progress import Progress
from neurosteer.results import Json
from neurosteer.vocabulary import FIXED_REFERENCES, FixedReference, Site


@dataclass(frozen=True)
class Ablation:
    """The ablation that attribution predicts."""

    site: Site
    layers: Sequence[int]
    to: FixedReference
    steps: int  # over which gradients are averaged

    @property
    def settings(self) -> dict[str, Json]:
        """What a ranking records of it."""
        return {"to": self.to, "steps": self.steps}


@dataclass(frozen=True, eq=False)
class AttributionRanking:
    """The predicted drop of the mean margin (nats) for every unit of every layer."""

    train: Float[Tensor, "layer unit"]  # the ranking
    validation: Float[Tensor, "layer unit"]


def check_attribution(to: str, steps: int) -> None:
    """Raise `InputError` for an ablation that no gradient predicts."""
    if to not in FIXED_REFERENCES:
        raise InputError(f"attribution predicts ablation to {' or '.join(FIXED_REFERENCES)}, not to '{to}'")
    if steps < 1:
        raise InputError(f"steps must be at least 1, not {steps}")


def predict_drop(
    model: Model, pairs: Pairs, ablation: Ablation, stats: UnitStats, *, cache: bool, progress: Progress
) -> Float[Tensor, "layer unit"]:
    """The predicted drop of the pairs' mean margin for every unit (nats); negative where it would rise."""
    found = attribute(
        model,
        pairs,
        site=ablation.site,
        layers=ablation.layers,
        to=ablation.to,
        steps=ablation.steps,
        cache=cache,
        progress=progress,
    )
    return found.drop(stats.reference(ablation.to))


def attribution_ranking(
    model: Model,
    train: Pairs,
    validation: Pairs,
    ablation: Ablation,
    stats: UnitStats,
    *,
    cache: bool = True,
    progress: Progress,
) -> AttributionRanking:
    """What attribution predicts on train pairs, which rank, and on validation pairs, which choose the layer."""
    parts = (train, validation)
    return AttributionRanking(
        *(predict_drop(model, pairs, ablation, stats, cache=cache, progress=progress) for pairs in parts)
    )
