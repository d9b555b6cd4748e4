"""Two runs of one kind side by side: the JSON of `neurosteer compare`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from neurosteer.vocabulary import Question

Measure = Literal["accuracy", "margin", "change", "topk", "dense"] | Question


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One number of both runs; `difference` is the second less the first, with its 95 % interval."""

    task: str
    measure: Measure  # accuracy, margin and its change (nats), accuracy of the top k or dense probe, or a question
    layer: int | None = None
    method: str | None = None
    first: float
    second: float
    difference: float
    low: float
    high: float
    paired: bool  # whether the interval is over pairs that both runs have; else both count as independent
    pairs: int | None = None  # that both have


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What two runs have in common."""

    kind: str  # of the runs: the command that made them
    first: str  # the runs' names
    second: str
    rows: tuple[Difference, ...]
    only_first: tuple[str, ...]  # tasks
    only_second: tuple[str, ...]
