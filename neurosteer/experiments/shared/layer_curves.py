"""Curves over layers, as figures 2 to 5 share them: means over tasks at each layer and point of a grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import stats

from neurosteer.experiments.design import Design
from neurosteer.experiments.intervals import Means, TaskSamples
from neurosteer.experiments.scope import Scope
from neurosteer.experiments.task_layers import TaskLayer
from neurosteer.report.numbers import count_range, number
from neurosteer.results import Estimate

from .layer_probes import FLOOR, LayerProbes

LIKELY = 0.05  # beyond this chance passes the floor too often to be left unsaid
Grid = Sequence[int] | Sequence[float]


@dataclass(frozen=True)
class DensePoint:
    """The dense probe at one layer."""

    layer: int
    tasks: int
    accuracy: Estimate


@dataclass(frozen=True, kw_only=True)
class BesideDense:
    """Probes on some units of a layer: their accuracy, and its share of the dense probe's, of tasks that it reads."""

    accuracy: Estimate
    relative: Estimate
    relative_validation: Estimate
    relative_tasks: int
    excluded: int  # tasks whose dense probe reads nothing


def dense_points(probes: LayerProbes, design: Design, samples: TaskSamples) -> list[DensePoint]:
    found = samples.means(probes.dense)
    return [DensePoint(layer, int(found.tasks[i]), found.at(i)) for i, layer in enumerate(design.layers)]


def beside_dense(
    accuracy: Float[np.ndarray, "task layer point"],
    validation: Float[np.ndarray, "task layer point"],
    probes: LayerProbes,
    samples: TaskSamples,
) -> list[list[BesideDense]]:
    """Means over tasks, `[layer][point]`."""
    counted = probes.readable[..., None]

    def share(of: np.ndarray, dense: np.ndarray) -> Means:
        ratios = np.divide(of, dense[..., None], out=np.full(of.shape, np.nan), where=counted)
        return samples.means(ratios)

    tasks, layers, points = accuracy.shape
    plain, relative = samples.means(accuracy), share(accuracy, probes.dense)
    on_validation = share(validation, probes.dense_validation)
    return [
        [
            BesideDense(
                accuracy=plain.at(i, j),
                relative=relative.at(i, j),
                relative_validation=on_validation.at(i, j),
                relative_tasks=int(relative.tasks[i, j]),
                excluded=tasks - int(relative.tasks[i, j]),
            )
            for j in range(points)
        ]
        for i in range(layers)
    ]


def by_task_rows(
    probes: LayerProbes, values: Mapping[str, np.ndarray], grid: Grid, tasks: Sequence[str], design: Design
) -> tuple[TaskLayer, ...]:
    """One row per task and layer, with a value for each point of the grid: `accuracy@0.2`."""
    return tuple(
        TaskLayer(
            task,
            layer,
            float(probes.dense[i, j]),
            {
                f"{name}@{point:g}": Estimate.of(value[i, j, n]).value
                for name, value in values.items()
                for n, point in enumerate(grid)
            },
        )
        for i, task in enumerate(tasks)
        for j, layer in enumerate(design.layers)
    )


def chance_above_floor(scope: Scope) -> float:
    """How probably a probe that knows nothing reaches the floor on the validation sentences of the smallest task."""
    sentences = 2 * min(task.validation for task in scope.tasks)
    return float(stats.binom.sf(np.ceil(FLOOR * sentences) - 1, sentences, 0.5))


def exclusion_notes(excluded: Sequence[int], template: str, chance: float) -> list[str]:
    """`template` with the floor and the number of tasks that layers exclude, where there are any; and whether luck
    passes the floor (`chance_above_floor`).
    """
    notes = [template.format(number(FLOOR), count_range(excluded))] if any(excluded) else []
    return [*notes, *luck_notes(chance)]


def luck_notes(chance: float) -> list[str]:
    """How probably a probe that knows nothing passes the floor, where that is not rare."""
    note = f"a probe that knows nothing passes the floor of {number(FLOOR)} with probability up to {number(chance)}"
    return [note] if chance > LIKELY else []
