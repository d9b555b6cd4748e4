"""What a recipe says to `causal` alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from neurosteer.experiments.recipe import Recipe
from neurosteer.experiments.recipe.values import CHANGES_NO_UNIT, Line, Several, takes, whole
from neurosteer.vocabulary import CAUSAL_METHODS, CausalMethod

MeasuredTasks = Literal["phenomena", "all"] | Several[Line]


@dataclass(frozen=True)
class CausalSettings:
    """The tasks whose cells are measured: `phenomena` is one of each; and the train pairs of an attribution."""

    measured: Annotated[MeasuredTasks, takes("phenomena, all or a list of tasks, each once")] = field(
        default="phenomena", metadata=CHANGES_NO_UNIT
    )
    attribution_pairs: Annotated[int, whole(1)] = 100


def causal_methods(recipe: Recipe) -> tuple[CausalMethod, ...]:
    """Those of the methods that `causal` knows."""
    return tuple(known for method in recipe.methods for known in CAUSAL_METHODS if known == method)
