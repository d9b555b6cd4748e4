"""What a recipe says to `frontier` alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from neurosteer.experiments.recipe.values import Ascending, number, takes, whole
from neurosteer.vocabulary import MOST_DRAWS

Budgets = Ascending[Annotated[float, number("a number above 0", gt=0.0)]]


@dataclass(frozen=True)
class FrontierSettings:
    """Whether the units of all layers are chosen from together, the budgets in nats, and how masks are trained."""

    pooled: Annotated[bool, takes("true or false", strict=True)] = False
    budgets: Annotated[Budgets, takes("a list of numbers above 0, each once")] = (0.02, 0.05, 0.1, 0.2)
    mask_seeds: Annotated[int, whole(1, MOST_DRAWS, "each seed is minutes of training")] = 1
    mask_steps: Annotated[int | None, whole(1)] = None  # None: neurosteer's own (see MaskSettings)
