"""The frontier: how much of the margin each way of choosing neurons takes, at equal disturbance of a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from neurosteer.experiments.experiment import Drawing, Experiment, Task, Work
from neurosteer.runner.units import Unit

from .charts import charts
from .compute import compute
from .curves import curves_unit
from .figures import caption, draw
from .rankings import mask_unit, rankings_unit
from .result import Frontier
from .tables import tables


def task_units(work: Work, task: Task) -> list[Unit]:
    """The rankings of a task, a mask in a unit of its own, and the curves of all."""
    masks = [mask_unit(work, task)] if "causal-l0" in work.recipe.methods else []
    return [rankings_unit(work, task), *masks, curves_unit(work, task)]


def csvs(result: Frontier) -> Mapping[str, Sequence[object]]:
    return {"": result.cells, "curves": result.curves, "families": result.families, "areas": result.areas}


EXPERIMENT = Experiment(
    "Frontier: what is lost at equal disturbance",
    Frontier,
    compute,
    tables,
    Drawing(draw, caption, charts),
    csvs,
    task_units=task_units,
)
