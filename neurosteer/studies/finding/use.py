"""Used, not only encoded: what the margin is predicted to lose when a unit is ablated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor

from neurosteer.data import UnitStats
from neurosteer.errors import InputError
from neurosteer.forward import attribute
from neurosteer.model import Model
from neurosteer.pairs import Pairs
from neurosteer.progress import Progress
from neurosteer.vocabulary import FIXED_REFERENCES, FixedReference, Site

from .layers import Used


@dataclass(frozen=True)
class Ablation:
    """The ablation that attribution predicts."""

    site: Site
    layers: Sequence[int]
    to: FixedReference
    steps: int

    @property
    def asked(self) -> dict[str, Any]:
        """What a ranking records of it."""
        return {"to": self.to, "steps": self.steps}


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
    return found.drop(stats.token_mean if ablation.to == "mean" else None)


def predict_use(
    model: Model,
    train: Pairs,
    validation: Pairs,
    ablation: Ablation,
    stats: UnitStats,
    *,
    cache: bool = True,
    progress: Progress,
) -> Used:
    """On train pairs, which rank, and on validation pairs, which choose the layer."""
    parts = (train, validation)
    return Used(*(predict_drop(model, pairs, ablation, stats, cache=cache, progress=progress) for pairs in parts))
