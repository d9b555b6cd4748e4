"""The tables of the gym, and its CSV files."""

from __future__ import annotations

from collections.abc import Mapping

from neurosteer.experiments.experiment import Rows
from neurosteer.experiments.scope import Scope
from neurosteer.report.numbers import NONE, number
from neurosteer.report.table import Table
from neurosteer.vocabulary import QUESTIONS

from .result import Gym, QuestionSummary
from .sets import ABOUT


def csvs(result: Gym) -> Mapping[str, Rows]:
    return {
        "": result.questions,
        "sets": result.sets,
        "rankings": result.rankings,
        "graded": result.graded,
        "answers": result.answers,
    }


def tables(result: Gym, scope: Scope) -> list[Table]:
    return [_rankings(result), _questions(result), _sets(result)]


def _rankings(result: Gym) -> Table:
    rows = tuple(
        (
            row.ranking,
            number(row.used),
            number(row.used_low),
            number(row.twins),
            number(row.causal),
            f"{row.decoys:.1f}",
            f"{row.with_decoy} of {row.models}",
            f"{row.massive:.1f}",
        )
        for row in result.rankings
    )
    headers = ("ranking", "AUROC used", "lowest", "AUROC twins", "causal", "decoys", "models with one", "massive")
    caption = (
        f"Rankings in {result.models} models: the area for used, joint and shared units against those that are "
        f"not used (twins apart); of the {result.k} best, the causal share, decoys and massive units"
    )
    return Table(caption, headers, rows)


def _questions(result: Gym) -> Table:
    rows = tuple(
        (
            row.question,
            {"hand": "sets by hand", "rankings": "what rankings choose"}[row.chosen_by],
            "yes" if row.truth else "no",
            _counted(row),
            "" if row.rate is None else f"{number(row.rate)} [{number(row.low)}, {number(row.high)}]",
            str(row.undecided),
        )
        for row in result.questions
    )
    headers = ("question", "sets", "true", "holds", "rate [95 % interval]", "cannot tell")
    caption = (
        "How often each question holds where it is true and where it is not (sets of one model share it: the exact "
        "intervals take them as independent)"
    )
    return Table(caption, headers, rows, left=3)


def _sets(result: Gym) -> Table:
    by_set: dict[str, dict[str, list[QuestionSummary]]] = {}
    for row in result.sets:
        by_set.setdefault(row.set, {}).setdefault(row.question, []).append(row)
    rows = tuple(
        (name, ABOUT.get(name, f"the best {result.k} by {name}"), *(_cell(found.get(one, [])) for one in QUESTIONS))
        for name, found in by_set.items()
    )
    caption = "In how many models each question holds of each set; T where it is true, F where it is not"
    return Table(caption, ("set", "what it is", *QUESTIONS), rows, left=2)


def _cell(rows: list[QuestionSummary]) -> str:
    return ", ".join(f"{'T' if row.truth else 'F'} {_counted(row)}" for row in rows)


def _counted(row: QuestionSummary) -> str:
    return f"{row.holds} of {row.decided}" if row.decided else NONE
