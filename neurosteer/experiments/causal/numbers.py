"""Cells as numbers: a set's change of the margin against those of its matched controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import stats

from neurosteer.studies.effects.numbers import accuracy, empirical_p

CELL_CONTROLS = 199  # with fewer, one set among so many cannot carry a verdict on a single cell


@dataclass(frozen=True)
class Cell:
    """What an ablation does to the mean margin (nats), beside its controls; `p` is the share of sets as unusual."""

    delta: float
    controls_mean: float
    controls_sd: float
    beyond: float  # delta - controls_mean
    p: float
    accuracy_before: float
    accuracy_after: float


def measure_cell(clean: Float[np.ndarray, "pair"], edited: Float[np.ndarray, "variant pair"]) -> Cell:
    """A cell from margins: `edited` are those under the ablation itself, then under that of each control."""
    delta, *controls = changes(clean, edited).tolist()
    mean, sd = float(np.mean(controls)), float(np.std(controls, ddof=1))
    p = empirical_p(delta, controls)
    return Cell(delta, mean, sd, delta - mean, p, accuracy(clean), accuracy(edited[0]))


def changes(
    clean: Float[np.ndarray, "pair"], edited: Float[np.ndarray, "variant pair"]
) -> Float[np.ndarray, "variant"]:
    """Of the mean margin under each edit."""
    return np.asarray((edited - clean).mean(axis=1))


def q_values(ps: Sequence[float | None]) -> list[float | None]:
    """Benjamini-Hochberg over the p-values that there are."""
    known = [p for p in ps if p is not None]
    found = iter(stats.false_discovery_control(known, method="bh").tolist() if known else ())
    return [None if p is None else next(found) for p in ps]
