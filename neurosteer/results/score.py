"""How often a model prefers the grammatical sentence: the JSON of `neurosteer score`.

Margins are in nats, accuracies and shares in [0, 1].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from neurosteer.shown import short_repr, table_html
from neurosteer.vocabulary import Convention

from .find import Interval
from .pairs_used import PairsUsed
from .record import frame

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class TokenCount:
    """What the number of tokens alone gives away."""

    differ: float  # share of pairs whose sentences differ in it
    accuracy: float  # of "the sentence of fewer tokens is good", a tie one half


@dataclass(frozen=True, kw_only=True)
class FrameScore:
    """The scores of balanced pairs in one frame."""

    frame: str  # first or second
    pairs: int
    accuracy: float
    margin: float


@dataclass(frozen=True, kw_only=True)
class TaskScore:
    """One element of `results`; the margin is the mean over pairs, and a tie counts as wrong."""

    task: str
    phenomenon: str | None
    data: PairsUsed
    convention: Convention
    accuracy: float
    accuracy_interval: Interval | None = None  # 95 %; None in runs of before
    margin: float
    pairs: int
    groups: int | None = None  # of pairs that share an item or a sentence; None in runs of before
    ties: int
    same_tokens: int  # pairs whose sentences are the same tokens to the model
    token_count: TokenCount
    notices: tuple[str, ...] = ()
    frames: tuple[FrameScore, ...] = ()  # empty but for balanced pairs
    csv: str | None = None  # a row per pair

    __repr__ = short_repr


@dataclass(frozen=True, kw_only=True)
class MeanScore:
    """Mean accuracy over tasks, of which each counts as much."""

    tasks: int
    accuracy: float


@dataclass(frozen=True, kw_only=True)
class _Phenomenon:  # as the first of two bases: its field comes first in the JSON
    phenomenon: str | None


@dataclass(frozen=True, kw_only=True)
class PhenomenonScore(MeanScore, _Phenomenon):
    """The mean over the tasks of one phenomenon."""


@dataclass(frozen=True, kw_only=True)
class ScoreSummary:
    phenomena: tuple[PhenomenonScore, ...]  # by name
    overall: MeanScore


@dataclass(frozen=True, kw_only=True)
class _TaskScores:
    results: tuple[TaskScore, ...]


@dataclass(frozen=True, kw_only=True)
class ScoreRun(ScoreSummary, _TaskScores):
    """The scores of some tasks, and their means."""

    def __repr__(self) -> str:
        return f"ScoreRun({self.overall.tasks} tasks, mean accuracy {self.overall.accuracy:.3f})"

    def _repr_html_(self) -> str:
        return table_html(repr(self), self.to_frame())

    def to_frame(self) -> pd.DataFrame:
        """A row per task: its phenomenon, accuracy with interval, mean margin (nats), number of pairs and of ties."""
        rows = frame(self.results)
        ends = [row.accuracy_interval or (None, None) for row in self.results]
        rows["low"], rows["high"] = (list(some) for some in zip(*ends, strict=True))
        return rows[["task", "phenomenon", "accuracy", "low", "high", "margin", "pairs", "ties"]]
