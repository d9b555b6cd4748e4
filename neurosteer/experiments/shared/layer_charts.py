"""Figures 2 to 5 on the page: a line per lambda, or per k, over layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from neurosteer.report.pages.charts import Series
from neurosteer.report.pages.curves import Curve, Point
from neurosteer.results import Estimate

from .layer_curves import DensePoint

DENSE = Series("dense: all units", 7, width=6.0)
R = TypeVar("R")


def curve_of(series: Series, rows: Iterable[R], value: Callable[[R], Estimate]) -> Curve:
    """One value by layer. Rows have a layer, and a number of tasks, which is told."""
    return Curve(series, [Point(_layer(row), value(row), {"tasks": getattr(row, "tasks", None)}) for row in rows])


def _layer(row: object) -> int:
    layer: int = row.layer  # type: ignore[attr-defined]
    return layer


def dense_curve(points: Sequence[DensePoint]) -> Curve:
    """The dense probe, as a broad line behind the others."""
    return curve_of(DENSE, points, lambda point: point.accuracy)
