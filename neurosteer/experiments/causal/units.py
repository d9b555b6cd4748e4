"""The units of causal transfer, beside the probes of the one layer: of each task, and what is measured jointly."""

from __future__ import annotations

from neurosteer.experiments.experiment import Task, Work
from neurosteer.runner.units import Unit

from .cells import cells_unit, null_cells_unit
from .neutral import neutral_unit
from .nulls import null_sets_unit
from .sets import sets_unit
from .sources import attribution_unit
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
