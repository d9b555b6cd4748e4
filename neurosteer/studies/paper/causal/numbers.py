"""Cells as numbers: a set's change of the margin against those of its matched controls."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import stats

from neurosteer.studies.effects.numbers import accuracy

LEVEL = 0.05
ROUNDING = 1e-9  # controls that differ by less than this share of their size are all alike


@dataclass(frozen=True)
class Cell:
    """What an ablation does to the mean margin (nats), and how that stands out among the controls.

    `t` and `p` are None where the controls are too few, or too much alike, to tell what is usual.
    """

    delta: float
    controls_mean: float | None
    controls_sd: float | None
    t: float | None
    p: float | None
    accuracy_before: float
    accuracy_after: float
    margin_before: float


def measure_cell(clean: Float[np.ndarray, "pair"], edited: Float[np.ndarray, "variant pair"]) -> Cell:
    """A cell from margins: `edited` are those under the ablation itself, then under that of each control."""
    delta, *controls = (edited - clean).mean(axis=1).tolist()
    mean, sd, t, p = against_controls(delta, controls)
    return Cell(delta, mean, sd, t, p, accuracy(clean), accuracy(edited[0]), float(clean.mean()))


def against_controls(
    delta: float, controls: Sequence[float]
) -> tuple[float | None, float | None, float | None, float | None]:
    """Mean and standard deviation of the controls, and t and two-sided p of one more draw from where they come from.

    t = (d - mean) / (sd sqrt(1 + 1/n)) with n - 1 degrees of freedom. Few controls are enough for small p-values, at
    the price of taking their changes to be normal.
    """
    n = len(controls)
    if n < 2:
        return (controls[0] if n else None), None, None, None
    mean, sd = float(np.mean(controls)), float(np.std(controls, ddof=1))
    if np.ptp(controls) <= ROUNDING * np.abs(controls).max():
        return mean, sd, None, None
    t = (delta - mean) / (sd * math.sqrt(1 + 1 / n))
    return mean, sd, t, float(2 * stats.t.sf(abs(t), n - 1))


def q_values(ps: Sequence[float | None]) -> list[float | None]:
    """Benjamini-Hochberg over the p-values that there are."""
    known = [p for p in ps if p is not None]
    found = iter(stats.false_discovery_control(known, method="bh").tolist() if known else ())
    return [None if p is None else next(found) for p in ps]
