"""The causal transfer matrix: what happens to one task's margins when another task's neurons are ablated."""

from __future__ import annotations

from collections.abc import Mapping

from neurosteer.errors import InputError
from neurosteer.experiments.experiment import Drawing, Experiment, Rows, Task, Work
from neurosteer.runner.units import Unit
from neurosteer.vocabulary import CAUSAL_METHODS

from .agreement_figure import agreement_caption, draw_agreement
from .cells import cells_unit, null_cells_unit
from .charts import agreement_charts, measured_charts, predicted_charts
from .compute import compute
from .maps import draw_measured, draw_predicted, measured_caption, predicted_caption
from .neutral import neutral_unit
from .nulls import null_sets_unit
from .result import CausalTransfer
from .sets import sets_unit
from .sources import attribution_unit
from .tables import tables
from .targets import batches_of_nulls, batches_of_sets, measured_tasks, targets_of


def task_units(work: Work, task: Task) -> list[Unit]:
    """A task's attributions, and if its cells are measured its sets, their controls and its null sets.

    Raises `InputError` where the recipe measures a task that is not there.
    """
    units = [attribution_unit(work, task)]
    if task.name in measured_tasks(work.recipe, work.tasks):
        units.append(sets_unit(work, task.name))
        units += [null_sets_unit(work, task)] if work.recipe.nulls else []
    return units


def joint_units(work: Work) -> list[Unit]:
    """What is measured, when all `task_units` are done.

    For each target a unit for every batch of sets, and one for its own null sets; for each batch a unit on neutral
    text. Raises `InputError` where no pair of a target can be measured.
    """
    batches, units = batches_of_sets(work.recipe, work.tasks), list[Unit]()
    for target in targets_of(work):
        units += [cells_unit(work, target, batch) for batch in batches]
        units += [null_cells_unit(work, target, methods) for methods in batches_of_nulls(work.recipe)]
    return units + [neutral_unit(work, batch) for batch in batches]


def check(work: Work) -> None:
    """Raises `InputError` for methods that are none of its own."""
    for method in work.recipe.methods:
        if method not in CAUSAL_METHODS:
            raise InputError(f"causal compares some of {', '.join(CAUSAL_METHODS)}, not {method}")


def csvs(result: CausalTransfer) -> Mapping[str, Rows]:
    """Cells in the main file; the others beside it."""
    predicted = [
        {"method": method, "source": source, **dict(zip(result.tasks, row, strict=True))}
        for method, matrix in result.predicted.items()
        for source, row in zip(result.tasks, matrix, strict=True)
    ]
    return {
        "": result.cells,
        "predicted": predicted,
        "families": result.families,
        "neutral": result.neutral,
        "effects": result.effects,
        "controls": result.control_means,
        "nulls": result.null_changes,
        "agreement": result.agreement,
    }


EXPERIMENT = Experiment(
    "Causal transfer",
    CausalTransfer,
    compute,
    tables,
    Drawing(draw_measured, measured_caption, measured_charts),
    csvs,
    needs={"one_layer", "transfer"},
    task_units=task_units,
    joint_units=joint_units,
    check=check,
    more={
        "predicted": Drawing(draw_predicted, predicted_caption, predicted_charts),
        "agreement": Drawing(draw_agreement, agreement_caption, agreement_charts),
    },
)
