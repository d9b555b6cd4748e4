"""What several models say: in how many tasks the contrast is encoded and used, and whether the same neurons stay."""

from __future__ import annotations

from collections.abc import Sequence

from neurosteer.experiments.experiment import Results
from neurosteer.experiments.scope import Scope
from neurosteer.report.numbers import number, percent
from neurosteer.report.table import ranged, spread
from neurosteer.results import Verdict
from neurosteer.vocabulary import LEVEL

from .result import ENCODED, NAME, USED, Models
from .tables import shares

MOST = 6  # models that a reading lists


def verdicts(results: Results, scope: Scope) -> list[Verdict]:
    result: Models = results[NAME]
    return [_encoded(result), _used(result), _kept(result, ENCODED, 3), _kept(result, USED, 4)]


def _encoded(result: Models) -> Verdict:
    said = "; ".join(
        f"{row.model}: {row.encoded} of {row.tasks} tasks (dense {ranged(row.dense)}, top k {ranged(row.topk)}, "
        f"baseline {number(row.known.value)})"
        for row in spread(result.means, MOST)
    )
    return Verdict.counted(
        "models 1",
        "The contrast is encoded.",
        "the dense probe is right more often than the best baseline of words or tokens, by an interval above 0",
        sum(row.encoded for row in result.rows),
        len(result.rows),
        "tasks in models",
        f"{said}.{_first(result, [(row.encoded, row.tasks) for row in result.means], 'encoded')}",
    )


def _used(result: Models) -> Verdict:
    said = "; ".join(
        f"{row.model}: {row.used} of {row.decided} tasks"
        + ("" if row.lost.value is None else f" (lost {shares(row.lost)}, controls {percent(row.control)})")
        + (f", cannot tell in {row.tasks - row.decided}" if row.decided < row.tasks else "")
        for row in spread(result.means, MOST)
    )
    return Verdict.counted(
        "models 2",
        "The neurons are used.",
        "the share of the margin lost without them has an interval above 0, and p is at most .05 among matched sets",
        sum(row.used is True for row in result.rows),
        sum(row.used is not None for row in result.rows),
        "tasks in models",
        f"{said}.{_first(result, [(row.used, row.tasks) for row in result.means], 'used')}",
    )


def _kept(result: Models, method: str, number_of_claim: int) -> Verdict:
    rows = [row for row in result.kept if row.method == method]
    means = [row for row in result.kept_means if row.method == method]
    about = {ENCODED: "that encode", USED: "that are used"}[method]
    said = "; ".join(
        f"{row.earlier} to {row.later}: {ranged(row.overlap)} (by chance {number(row.chance, 3)})"
        for row in spread(means, MOST)
    )
    none = "No two models of one width follow each other"
    return Verdict.counted(
        f"models {number_of_claim}",
        f"Of the neurons {about} ({method}) more stay than chance has it.",
        "two models in a row share more of their top k than sets drawn by lot, p at most .05",
        sum(row.p <= LEVEL for row in rows),
        len(rows),
        "comparisons",
        f"{said or none}.",
    )


def _first(result: Models, counts: Sequence[tuple[int, int]], what: str) -> str:
    """Where it is so in most tasks for the first time, where the axis has a direction."""
    if result.axis == "order":
        return ""
    for row, (count, of) in zip(result.means, counts, strict=True):
        if 2 * count > of:
            return f" In most tasks {what} first at {row.model}."
    return f" In most tasks {what} in none of the models."
