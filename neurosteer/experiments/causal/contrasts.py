"""Does ablating a task's neurons hurt the task itself more than related tasks, and those more than others?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float

from neurosteer.experiments.intervals import TaskSamples, known_mean, plain
from neurosteer.seeds import seed_of
from neurosteer.vocabulary import CausalMethod

from .measured import Matrix, MeasuredCells, others_controls
from .predictions import Predictions
from .result import CONTRASTS, KINDS, ControlMean, Kind, MeanDrop, Quantity


def mean_drops(
    predictions: Predictions, measured: MeasuredCells, phenomena: Sequence[str], seed: int
) -> list[MeanDrop]:
    """Of one method: means over sources by kind of cell, and their differences; `phenomena` are those of all tasks.

    What attribution predicts of own cells has no interval: the neurons were chosen for that sum, on the same pairs.
    """
    method, rows = predictions.method, list[MeanDrop]()
    for what, drops in _drops(predictions, measured).items():
        groups = phenomena if what == "predicted" else measured.phenomena
        selected = method == "attribution" and what == "predicted"
        rows += by_kind(drops, groups, seed, method=method, what=what, own_interval=not selected)
    return rows


def by_kind(
    drops: Matrix,
    phenomena: Sequence[str],
    seed: int,
    *,
    method: CausalMethod,
    what: Quantity,
    own_interval: bool = True,
) -> list[MeanDrop]:
    """Mean drops of the margin (nats) of each kind of cell, and their differences source by source.

    Each source counts once, with the mean over its targets of that kind, if it has any; the interval is over
    sources, by phenomenon where they form six or more.
    """
    means: dict[str, np.ndarray] = {kind: _row_means(drops, cells) for kind, cells in kinds_of(phenomena).items()}
    apart = [means[first] - means[second] for first, second in (contrast.split(" - ") for contrast in CONTRASTS)]
    samples = TaskSamples.of(phenomena, seed_of(seed, method, what))
    found, rows = samples.means(np.stack([*means.values(), *apart], axis=1)), []
    for i, kind in enumerate((*KINDS, *CONTRASTS)):
        bare = kind.startswith("own") and not own_interval
        low, high = (np.nan, np.nan) if bare else (found.low[i], found.high[i])
        rows.append(MeanDrop(method, what, kind, plain(found.mean[i]), plain(low), plain(high), int(found.tasks[i])))
    return rows


def control_means(method: CausalMethod, measured: MeasuredCells) -> list[ControlMean]:
    """The mean change by kind under each control: the first of every source, the second, and so on."""
    changes = measured.changes[method][:, :, 1:] + _only_preferred(measured)[:, None]
    return [
        ControlMean(method, i, kind, mean)
        for i in range(changes.shape[2])
        for kind, mean in kind_means(changes[:, :, i], measured.phenomena).items()
    ]


def kinds_of(phenomena: Sequence[str]) -> Mapping[Kind, Bool[np.ndarray, "source target"]]:
    """Which cells are a task's `own`, of two `related` tasks (of one phenomenon) or `unrelated` ones, or `other`."""
    own, names = np.eye(len(phenomena), dtype=bool), np.array(phenomena)
    same = names[:, None] == names
    return dict(zip(KINDS, (own, same & ~own, ~same & ~own, ~own), strict=True))


def kind_means(values: Matrix, phenomena: Sequence[str]) -> dict[Kind, float | None]:
    """The mean over sources of each kind of cell, each source counting once; None where there are none."""
    return {kind: known_mean(_row_means(values, cells)) for kind, cells in kinds_of(phenomena).items()}


def _drops(predictions: Predictions, measured: MeasuredCells) -> dict[Quantity, Matrix]:
    """Mean drops of the measured cells whose target has something to lose, and those of all that are predicted."""
    changes = measured.changes[predictions.method]
    delta, controls = changes[:, :, 0] + _only_preferred(measured), changes[:, :, 1:].mean(axis=2)
    return {
        "measured": -delta,
        "beyond controls": controls - delta,
        "beyond others' controls": others_controls(changes) - delta,
        "predicted": -predictions.predicted,
    }


def _only_preferred(measured: MeasuredCells) -> Float[np.ndarray, "target"]:
    """To be added: NaN for targets that have nothing to lose."""
    return np.where(measured.preferred, 0.0, np.nan)


def _row_means(values: Matrix, cells: Bool[np.ndarray, "source target"]) -> Float[np.ndarray, "source"]:
    """The mean of each row over some of its cells that are known; NaN where there are none."""
    known = cells & np.isfinite(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)
