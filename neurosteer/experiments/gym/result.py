"""What the gym has found: how each ranking and each question does where the answer is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from neurosteer.results import key
from neurosteer.shown import short_repr
from neurosteer.vocabulary import Question

NAME = "gym"


@dataclass(frozen=True)
class RankingGrade:
    """One ranking of one model. Areas are under the ROC curve: .5 is chance, 1 puts all used units first."""

    ranking: str
    seed: int
    used: float  # area: used, together and shared units against all others, twins left out
    twins: float  # area of the twins against units that are not used
    decoys: int  # of the top k
    massive: int
    twins_found: int
    causal: int  # of the top k: used, together, shared and twins
    k: int  # how many it chose: units whose score is not above 0 are never chosen


@dataclass(frozen=True)
class AskedQuestion:
    """One question about one set of one model, and what is true of it."""

    seed: int
    set: str
    chosen_by: str  # hand, or the ranking
    question: Question
    truth: bool
    holds: bool | None
    value: float | None
    low: float | None
    high: float | None
    p: float | None
    expected: float | None  # the value by the plan, without noise; where it is a share of the own preference
    why: str

    __repr__ = short_repr


@dataclass(frozen=True)
class RankingSummary:
    """A ranking over all models: means, and the ends over models."""

    ranking: str
    models: int
    used: float
    used_low: float  # the least of all models
    twins: float
    decoys: float  # of the top k, mean
    with_decoy: int  # models in whose top k there is one
    massive: float
    causal: float  # of those chosen, mean share

    __repr__ = short_repr


@dataclass(frozen=True)
class QuestionSummary:
    """A question over the sets of one kind and all models, with an exact 95 % interval of its rate."""

    question: Question
    chosen_by: str
    set: str  # "all" or one of them
    truth: bool
    decided: Annotated[int, key("asked")]
    holds: int
    rate: float | None
    low: float | None
    high: float | None
    undecided: Annotated[int, key("untold")]  # cannot tell

    __repr__ = short_repr


@dataclass(frozen=True)
class Gym:
    experiment: str
    models: int
    k: int
    controls: int
    nulls: int
    rankings: Sequence[RankingSummary]
    questions: Sequence[QuestionSummary]  # of all sets together
    sets: Sequence[QuestionSummary]  # of each set
    graded: Sequence[RankingGrade]
    answers: Sequence[AskedQuestion]

    __repr__ = short_repr
