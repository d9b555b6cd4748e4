"""The gym on the page: how often questions hold, and what rankings put first."""

from __future__ import annotations

from collections.abc import Iterator

from neurosteer.experiments.scope import Scope
from neurosteer.report.pages.charts import Chart, Choice, Row, Series, level
from neurosteer.report.pages.ranges import Mark, ranges_chart
from neurosteer.results import Estimate
from neurosteer.vocabulary import LEVEL, QUESTIONS

from .result import Gym
from .sets import HAND

TRUE, FALSE = Series("true: it should hold", 0), Series("not true: it should not", 1)
USED, TWINS = Series("used units", 0), Series("redundant twins", 1)
PARTS = {
    "causal": Series("the preference rests on them", 0),
    "decoys": Series("decoys", 1),
    "massive": Series("massive", 7),
}


def rate_charts(result: Gym, scope: Scope) -> list[Chart]:
    """How often each question holds, where it is true and where not."""
    marks = []
    for question in QUESTIONS:
        for row in result.questions:
            if row.question == question:
                more: Row = {"by": row.chosen_by, "held": f"{row.holds} of {row.decided}"}
                rate = Estimate(row.rate, row.low, row.high)
                marks.append(Mark(question, TRUE if row.truth else FALSE, rate, more=more))
    options = [(HAND, "sets by hand"), ("rankings", f"the best {result.k} of each ranking")]
    return [
        ranges_chart(
            "rates",
            "How often each question holds",
            "The share of sets, over all models, with an exact 95 % interval.",
            marks,
            "holds (share of sets)",
            on_hover={"held": "holds in"},
            levels=level(LEVEL, f"{LEVEL:g}", at="x"),
            choices=[Choice("shown", "Sets", options)],
            filtered="datum.by == shown",
        )
    ]


def ranking_charts(result: Gym, scope: Scope) -> list[Chart]:
    """Areas, model by model; and what is among the best."""
    areas = [
        Mark(row.ranking, look, Estimate(value), small=True, more={"model": row.seed})
        for row in result.graded
        for look, value in ((USED, row.used), (TWINS, row.twins))
    ]
    areas += [
        Mark(row.ranking, look, Estimate(value), more={"model": "mean of all"})
        for row in result.rankings
        for look, value in ((USED, row.used), (TWINS, row.twins))
    ]
    return [
        ranges_chart(
            "areas",
            "Used against not used",
            "Area under the ROC curve: small marks are models, large ones means.",
            areas,
            "area under the ROC curve",
            on_hover={"model": "model"},
            levels=level(0.5, "chance .50", at="x"),
        ),
        ranges_chart(
            "chosen",
            f"What is among the best {result.k}",
            "Units of the best, mean over models.",
            list(_chosen(result)),
            f"units of the best {result.k}",
        ),
    ]


def _chosen(result: Gym) -> Iterator[Mark]:
    for ranking in result.rankings:
        graded = [row for row in result.graded if row.ranking == ranking.ranking]
        for of, look in PARTS.items():
            yield Mark(ranking.ranking, look, Estimate(sum(getattr(row, of) for row in graded) / len(graded)))
