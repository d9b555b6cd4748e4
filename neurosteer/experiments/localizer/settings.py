"""What a recipe says to `localizer` alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from neurosteer.experiments.recipe.values import Spanned, takes

Span = Annotated[Spanned, takes("an ascending range of pairs, counted from 0 ('0-199')")]


@dataclass(frozen=True)
class LocalizerSettings:
    """The positions of the pairs that choose the units, and of those that they are judged on."""

    localise: Span = "0-199"
    evaluate: Span = "200-399"
