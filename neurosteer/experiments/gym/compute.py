"""From what single models gave to rates over all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import TypeVar

from scipy import stats

from neurosteer.experiments.experiment import Work
from neurosteer.experiments.scope import Scope
from neurosteer.report.table import mean
from neurosteer.results import read_record
from neurosteer.runner.units import Read
from neurosteer.vocabulary import QUESTIONS

from .result import NAME, AskedQuestion, Gym, QuestionSummary, RankingGrade, RankingSummary
from .units import ANSWERS, RANKINGS, seeds_of, unit_name

ALL = "all"
T = TypeVar("T")


def compute(read: Read, work: Work, scope: Scope) -> Gym:
    seeds = seeds_of(work)
    graded = [
        read_record(RankingGrade, row) for seed in seeds for row in read(unit_name(RANKINGS, seed)).values["rows"]
    ]
    answers = [
        read_record(AskedQuestion, row) for seed in seeds for row in read(unit_name(ANSWERS, seed)).values["rows"]
    ]
    return Gym(
        experiment=NAME,
        models=len(seeds),
        k=work.design.k,
        controls=work.recipe.controls,
        nulls=work.recipe.nulls,
        rankings=[ranking_summary(rows) for rows in _parted(graded, lambda row: row.ranking)],
        questions=question_summaries(answers),
        sets=set_summaries(answers),
        graded=graded,
        answers=answers,
    )


def ranking_summary(rows: Sequence[RankingGrade]) -> RankingSummary:
    """One ranking over all models."""
    return RankingSummary(
        ranking=rows[0].ranking,
        models=len(rows),
        used=_mean([row.used for row in rows]),
        used_low=min(row.used for row in rows),
        twins=_mean([row.twins for row in rows]),
        decoys=_mean([float(row.decoys) for row in rows]),
        with_decoy=sum(row.decoys > 0 for row in rows),
        massive=_mean([float(row.massive) for row in rows]),
        causal=_mean([row.causal / row.k for row in rows if row.k]),
    )


def question_summaries(answers: Sequence[AskedQuestion]) -> list[QuestionSummary]:
    """Each question over all sets by hand, and over all that rankings chose, where it is true and where it is not."""
    groups = [(question, by, truth) for question, by, truth in product(QUESTIONS, (True, False), (True, False))]
    found = []
    for question, by_hand, truth in groups:
        rows = [
            row for row in answers if (row.question, row.chosen_by == "hand", row.truth) == (question, by_hand, truth)
        ]
        if rows:
            found.append(question_summary(rows, "hand" if by_hand else "rankings", ALL))
    return found


def set_summaries(answers: Sequence[AskedQuestion]) -> list[QuestionSummary]:
    """Each question of each set; where the truth differs between models, both."""
    parts = _parted(answers, lambda row: (row.set, row.question, row.truth))
    return [question_summary(rows, rows[0].chosen_by, rows[0].set) for rows in parts]


def question_summary(rows: Sequence[AskedQuestion], by: str, name: str) -> QuestionSummary:
    decided = [row for row in rows if row.holds is not None]
    holds = sum(bool(row.holds) for row in decided)
    ends = stats.binomtest(holds, len(decided)).proportion_ci(method="exact") if decided else None
    return QuestionSummary(
        question=rows[0].question,
        chosen_by=by,
        set=name,
        truth=rows[0].truth,
        decided=len(decided),
        holds=holds,
        rate=holds / len(decided) if decided else None,
        low=None if ends is None else float(ends.low),
        high=None if ends is None else float(ends.high),
        undecided=len(rows) - len(decided),
    )


def _parted(rows: Sequence[T], of: Callable[[T], object]) -> list[list[T]]:
    """Rows with the same key, in the order in which keys first come."""
    parts: dict[object, list[T]] = {}
    for row in rows:
        parts.setdefault(of(row), []).append(row)
    return list(parts.values())


def _mean(values: Sequence[float]) -> float:
    found = mean(values)
    return float("nan") if found is None else found
