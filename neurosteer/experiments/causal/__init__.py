"""The causal transfer matrix: what happens to one task's margins when another task's neurons are ablated."""

from __future__ import annotations

from collections.abc import Mapping

from neurosteer.experiments.experiment import Drawing, Experiment, Rows

from .agreement_figure import agreement_caption, draw_agreement
from .compute import NAME, compute
from .maps import draw_measured, draw_predicted, measured_caption, predicted_caption
from .result import CausalTransfer
from .tables import tables
from .units import joint_units, task_units


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
    name=NAME,
    heading="Causal transfer",
    needs=frozenset({"one_layer", "transfer"}),
    result=CausalTransfer,
    compute=compute,
    tables=tables,
    csvs=csvs,
    drawings={
        "causal": Drawing(draw_measured, measured_caption),
        "causal.predicted": Drawing(draw_predicted, predicted_caption),
        "causal.agreement": Drawing(draw_agreement, agreement_caption),
    },
    task_units=task_units,
    joint_units=joint_units,
)
