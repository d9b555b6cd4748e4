"""What `Ranking.compare` finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from neurosteer.shown import table_html

from .record import frame

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Shared:
    """How far two rankings agree on the same units."""

    spearman: float | None  # rank correlation over all units, -1 to 1; None where either scores all units alike
    topk: int  # how many of the best are looked at
    overlap: float  # share of the top k that both have, 0 to 1
    chance: float  # what two sets of these sizes share if they are drawn at random


@dataclass(frozen=True)
class LayerComparison(Shared):
    """Of one layer."""

    layer: int = field(kw_only=True)


@dataclass(frozen=True)
class RankingComparison(Shared):
    """Of the units of all layers together, and of each layer that both rankings have."""

    layers: tuple[LayerComparison, ...] = field(kw_only=True)

    def to_frame(self) -> pd.DataFrame:
        """A row per layer: `layer`, `spearman` (NaN where there is none), `topk`, `overlap`, `chance`."""
        table = frame(self.layers).astype({"spearman": float})
        return table[["layer", *(name for name in table if name != "layer")]]

    def __repr__(self) -> str:
        alike = "no Spearman" if self.spearman is None else f"Spearman {self.spearman:.2f}"
        top = f"top {self.topk}: {self.overlap:.2f} shared, {self.chance:.2f} by chance"
        return f"RankingComparison({alike}, {top}; {len(self.layers)} layers)"

    def _repr_html_(self) -> str:
        return table_html(repr(self), self.to_frame())
