"""Sensitivity on the page: a line for each way to train, one training at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from neurosteer.experiments.scope import Scope
from neurosteer.report.numbers import lambda_text, percent
from neurosteer.report.pages.charts import Chart, Choice, Series
from neurosteer.report.pages.curves import Curve, Point, curves_chart
from neurosteer.results import Estimate

from .result import LayerPoint, Sensitivity

SHADES = {"standardised": 0, "raw": 1, "scaled": 2}  # as in the figure: blue, orange, green


def charts(result: Sensitivity, scope: Scope) -> list[Chart]:
    """At equal lambda."""
    at = lambda_text(result.lam)
    return [
        _chart("kept", f"Units kept at λ = {at}", "units kept (share of all)", result, lambda row: row.kept),
        _chart(
            "agreement",
            f"Agreement of |t| and gate at λ = {at}",
            "Spearman, share of what ties allow",
            result,
            lambda row: Estimate(row.agreement),
        ),
    ]


def equal_share_charts(result: Sensitivity, scope: Scope) -> list[Chart]:
    """At an equal share of units kept."""
    share = percent(result.share)
    return [
        _chart(
            "needed",
            "Units needed for 95 % of the dense accuracy",
            "units needed (share of all)",
            result,
            lambda row: row.needed,
        ),
        _chart(
            "relative-equal",
            f"Accuracy at {share} of the units",
            "accuracy / dense accuracy",
            result,
            lambda row: Estimate(row.relative_equal),
        ),
        _chart(
            "agreement-equal",
            f"Agreement of |t| and gate at {share} of the units",
            "Spearman, share of what ties allow",
            result,
            lambda row: Estimate(row.agreement_equal),
        ),
    ]


def _chart(name: str, title: str, y: str, result: Sensitivity, value: Callable[[LayerPoint], Estimate]) -> Chart:
    curves = []
    for line in result.lines:
        rows = [row for row in result.by_layer if row.line == line]
        points = [Point(row.layer, value(row), {"training": row.training}) for row in rows]
        curves.append(Curve(_look(*line), points))
    choice = Choice("training", "Training", _trainings(result.trainings))
    return curves_chart(
        name,
        title,
        "A line for each way to begin, one training at a time.",
        curves,
        y,
        choices=[choice],
        filtered="datum.training == training",
    )


def _trainings(names: Sequence[str]) -> list[tuple[str, str]]:
    return [(name, f"paper's loss, {name}" if name.endswith("steps") else name) for name in names]


def _look(states: str, start: str, log_alpha: float) -> Series:
    """Colour by what masks are trained on; dashed: weights start as the dense probe's; broad: gates nearly open."""
    name, width = f"{states}, {start}, log alpha {log_alpha:g}", 3.2 if log_alpha else 1.4
    return Series(name, SHADES[states], dashed=start == "warm", width=width)
