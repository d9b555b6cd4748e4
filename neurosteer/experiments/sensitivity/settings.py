"""What a recipe says to `sensitivity` alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from neurosteer.experiments.recipe.values import Ascending, takes, whole


@dataclass(frozen=True)
class SensitivitySettings:
    """The numbers of steps at which masks without a penalty on the weights are read."""

    unpenalised_steps: Annotated[
        Ascending[Annotated[int, whole(1)]], takes("a list of whole numbers of at least 1, each once")
    ] = (400, 2000, 6000)
