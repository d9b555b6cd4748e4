"""What a recipe says of how stable sets are: of how many parts of the train pairs, and how many times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from neurosteer.experiments.recipe.values import whole
from neurosteer.vocabulary import MOST_DRAWS


@dataclass(frozen=True)
class StabilitySettings:
    """Disjoint parts of the train pairs; and how often they are dealt, and pairs split anew."""

    folds: Annotated[int, whole(2, MOST_DRAWS, "each fold is a search")] = 2
    repeats: Annotated[int, whole(1, MOST_DRAWS, "each repeat is a search")] = 5
