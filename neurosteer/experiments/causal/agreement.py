"""Do two matrices over tasks agree? Spearman over their cells, with an interval that resamples tasks, by phenomenon.

The cells of a task share its neurons, or its sentences, and are no independent draws; tasks are. A resample draws
tasks with replacement and takes the cells between them: a cell counts as often as its two tasks come together.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from neurosteer.experiments.intervals import TaskSamples, ends, plain

BATCH = 100  # resamples held at once
LEAST = 3  # tasks; with two there are two cells
Matrix = Float[np.ndarray, "source target"]


def agree(a: Matrix, b: Matrix, samples: TaskSamples) -> dict[str, float | int | None]:
    """`{spearman, low, high, cells}` over the cells off the diagonal that both know; None where none can be said.

    Fewer than six tasks have no interval: that of three would leave out 0 in 31 % of cases where nothing agrees.
    """
    tasks = len(a)
    known = np.isfinite(a) & np.isfinite(b) & ~np.eye(tasks, dtype=bool)
    source, target = known.nonzero()
    found: dict[str, float | int | None] = {"spearman": None, "low": None, "high": None, "cells": len(source)}
    if tasks < LEAST or len(source) < LEAST:
        return found
    x, y = a[known], b[known]
    [own] = weighted_spearman(x, y, np.ones((1, len(x))))
    if not np.isfinite(own):
        return found
    counts = samples.draws[1:]
    batches = (counts[i : i + BATCH] for i in range(0, len(counts), BATCH))
    every = np.concatenate([weighted_spearman(x, y, batch[:, source] * batch[:, target]) for batch in batches])
    [low], [high] = ends(every[:, None], samples.drawn)
    return found | {"spearman": float(own), "low": plain(low), "high": plain(high)}


def weighted_spearman(
    x: Float[np.ndarray, "cell"], y: Float[np.ndarray, "cell"], weights: Float[np.ndarray, "draw cell"]
) -> Float[np.ndarray, "draw"]:
    """Spearman of the sample in which each cell comes as often as its weight says; NaN where either is constant."""
    first, second = (_centred(_ranks(values, weights), weights) for values in (x, y))
    both = (weights * first * second).sum(axis=1)
    spread = np.sqrt((weights * first**2).sum(axis=1) * (weights * second**2).sum(axis=1))
    return np.divide(both, spread, out=np.full(len(weights), np.nan), where=spread > 1e-9)


def _ranks(values: Float[np.ndarray, "cell"], weights: Float[np.ndarray, "draw cell"]) -> np.ndarray:
    """Ranks but for a constant: equal values share the mean of the ranks that they take up."""
    _, group = np.unique(values, return_inverse=True)
    order = np.argsort(group, kind="stable")
    sizes = np.add.reduceat(weights[:, order], _starts(group[order]), axis=1)
    middle = sizes.cumsum(axis=1) - sizes / 2
    return np.asarray(middle[:, group])


def _starts(groups: Int[np.ndarray, "cell"]) -> np.ndarray:
    return np.flatnonzero(np.diff(groups, prepend=-1))


def _centred(ranks: np.ndarray, weights: np.ndarray) -> np.ndarray:
    total = np.maximum(weights.sum(axis=1, keepdims=True), 1)
    return np.asarray(ranks - (weights * ranks).sum(axis=1, keepdims=True) / total)
