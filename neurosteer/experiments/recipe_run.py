"""`RecipeRun`: what `run_recipe` gives, and `open_run` of its folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from neurosteer.shown import quoted
from neurosteer.vocabulary import counted

if TYPE_CHECKING:
    from .outcome import Outcome


@dataclass(frozen=True)
class RecipeRun:
    """A run's folder, and its outcome."""

    folder: Path
    outcome: Outcome
    computed: int  # units that this process computed just now

    @property
    def results(self) -> Path:
        """The outcome as JSON, without the tables that are CSV files beside it."""
        return self.folder / "results.json"

    @property
    def page(self) -> Path:
        """Tables, figures and verdicts on one page."""
        return self.folder / "index.html"

    @property
    def figures(self) -> list[Path]:
        """The figures, as PNG."""
        return sorted(self.folder.glob("*.png"))

    def __repr__(self) -> str:
        judged = counted(len(self.outcome.verdicts), "verdict")
        return f"RecipeRun({quoted(self.folder.name)}, {quoted(', '.join(self.outcome.results))}, {judged})"
