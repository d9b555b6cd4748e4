"""Do two matrices over tasks agree? Spearman over their cells, with an interval that resamples tasks, by phenomenon.

The cells of a task share its neurons, or its sentences, and are no independent draws; tasks are. A resample draws
tasks with replacement and takes the cells between them: a cell counts as often as its two tasks come together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from neurosteer.experiments.intervals import TaskSamples, ends
from neurosteer.results import Estimate
from neurosteer.seeds import seed_of

from .measured import Matrix, MeasuredCells
from .predictions import Predictions
from .result import Compared, MatrixAgreement

BATCH = 100  # resamples in memory at once
LEAST = 3  # tasks; with two there are two cells


def agreements(
    predictions: Predictions, measured: MeasuredCells, names: Sequence[str], phenomena: Sequence[str], seed: int
) -> list[MatrixAgreement]:
    """What could predict a causal effect, beside what was measured, and beside what is predicted of all cells.

    `names` and `phenomena` are those of all tasks.
    """
    places = np.ix_(*[[names.index(task) for task in measured.tasks]] * 2)
    drop, predicted = -measured.changes[predictions.method][:, :, 0], -predictions.predicted
    of_measured: dict[Compared, Matrix] = {
        "probe transfer ~ causal": predictions.transfer[places],
        "set overlap ~ causal": predictions.overlap[places],
        "predicted ~ measured": predicted[places],
    }
    of_all: dict[Compared, Matrix] = {
        "probe transfer ~ predicted": predictions.transfer,
        "set overlap ~ predicted": predictions.overlap,
    }
    rows = []
    for matrices, effect, groups in ((of_measured, drop, measured.phenomena), (of_all, predicted, phenomena)):
        for what, matrix in matrices.items():
            samples = TaskSamples.of(groups, seed_of(seed, predictions.method, what))
            rho, cells = agree(matrix, effect, samples)
            rows.append(MatrixAgreement(predictions.method, what, rho.value, rho.low, rho.high, cells))
    return rows


def agree(a: Matrix, b: Matrix, samples: TaskSamples) -> tuple[Estimate, int]:
    """Spearman over the cells off the diagonal that both know, and their number; its value is None if undefined.

    Fewer than six tasks have no interval: that of three would leave out 0 in 31 % of cases where nothing agrees.
    """
    tasks = len(a)
    known = np.isfinite(a) & np.isfinite(b) & ~np.eye(tasks, dtype=bool)
    source, target = known.nonzero()
    if tasks < LEAST or len(source) < LEAST:
        return Estimate(None), len(source)
    x, y = a[known], b[known]
    [rho] = weighted_spearman(x, y, np.ones((1, len(x))))
    if not np.isfinite(rho):
        return Estimate(None), len(source)
    counts = samples.draws[1:]
    batches = (counts[i : i + BATCH] for i in range(0, len(counts), BATCH))
    every = np.concatenate([weighted_spearman(x, y, batch[:, source] * batch[:, target]) for batch in batches])
    [low], [high] = ends(every[:, None], samples.drawn)
    return Estimate.of(rho, low, high), len(source)


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
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    sizes = np.add.reduceat(weights[:, order], starts, axis=1)
    middle = sizes.cumsum(axis=1) - sizes / 2
    return np.asarray(middle[:, group])


def _centred(ranks: np.ndarray, weights: np.ndarray) -> np.ndarray:
    total = np.maximum(weights.sum(axis=1, keepdims=True), 1)
    return np.asarray(ranks - (weights * ranks).sum(axis=1, keepdims=True) / total)
