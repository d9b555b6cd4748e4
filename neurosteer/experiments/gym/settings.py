"""What a recipe says to `gym` alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from neurosteer.experiments.recipe.values import CHANGES_NO_UNIT, whole
from neurosteer.vocabulary import MOST_DRAWS


@dataclass(frozen=True)
class GymSettings:
    """The number of models; the first has the recipe's seed."""

    seeds: Annotated[int, whole(1, MOST_DRAWS, "each seed is a model")] = field(default=20, metadata=CHANGES_NO_UNIT)
