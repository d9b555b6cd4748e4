"""From margins per pair to answers: shares with their intervals, one-sided p, areas, and whether a question holds.

Groups of pairs that share an item or a sentence are resampled as one (`neurosteer.studies.bootstrap.groups_in`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from neurosteer.results import Estimate
from neurosteer.vocabulary import FEWEST_CONTROLS, FEWEST_PREFERRED, LEVEL, are, counted, counted_pairs

GRID = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # shares of units, as in MIB's circuit track


def mean_over_tasks(values: Sequence[float]) -> Estimate:
    """The mean, with the 95 % interval of Student's t; without one for fewer than two values."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return Estimate(mean)
    half = float(stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / math.sqrt(len(values)))
    return Estimate(mean, mean - half, mean + half)


def one_sided_p(value: float, controls: Sequence[float]) -> float:
    """The share of all n + 1 sets whose value is at least as large; values that differ by rounding are equal."""
    others = np.asarray(controls, dtype=float)
    return float(
        (1 + ((others >= value) | np.isclose(others, value, rtol=1e-9, atol=1e-12)).sum()) / (1 + len(others))
    )


def shares_of(grid: Sequence[float], units: int) -> list[int]:
    """How many units each share is of, rounded down, as in MIB's circuit track."""
    return [int(share * units) for share in grid]


def areas(shares: Sequence[float], f: Sequence[float]) -> tuple[float, float]:
    """CPR and CMD: the area under f, and that between f and 1, by trapezoids over the share of units."""
    y = np.asarray(f, dtype=float)
    return float(np.trapezoid(y, shares)), float(np.trapezoid(np.abs(1 - y), shares))


def holds(p: float, low: float | None, null: float) -> bool:
    """Whether a tested question holds: p at most .05, and the interval above the null value."""
    return p <= LEVEL + 1e-9 and low is not None and low > null


def too_few(pairs: int, groups: int, controls: int, *, what: str = "control") -> str:
    """Why nothing can be told; empty where it can."""
    if groups < FEWEST_PREFERRED:
        return f"{counted_pairs(pairs, groups)} {are(groups)} too few, {FEWEST_PREFERRED} are wanted"
    if controls < FEWEST_CONTROLS:
        return f"{counted(controls, what)} {are(controls)} too few, a verdict takes {FEWEST_CONTROLS}"
    return ""


def false_discovery(ps: Sequence[float]) -> list[float]:
    """Benjamini-Hochberg q of the p-values that were declared to be one family."""
    return [float(q) for q in stats.false_discovery_control(list(ps), method="bh")] if ps else []
