"""Do tasks share neurons, and would the same neurons be found again?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

from neurosteer.errors import InputError
from neurosteer.experiments.experiment import Drawing, Experiment, Rows, Work
from neurosteer.experiments.scope import Scope
from neurosteer.report.numbers import number, p_value
from neurosteer.report.table import Table, mean
from neurosteer.vocabulary import PaperMethod

from .charts import charts
from .figures import caption, draw
from .result import Overlap, compute
from .settings import StabilitySettings


@dataclass(frozen=True)
class SharedPart:
    """A row of the CSV: the neuron sets of two tasks."""

    method: PaperMethod
    task: str
    other: str
    related: bool  # whether they are of one phenomenon
    shared: float  # of k


def check(work: Work) -> None:
    """Raises `InputError` where a fold of the train pairs would have fewer than two."""
    fewest = min(work.tasks, key=lambda task: len(task.split.train))
    pairs, folds = len(fewest.split.train), work.recipe.of(StabilitySettings).folds
    if pairs < 2 * folds:
        raise InputError(f"folds {folds} are too many for the {pairs} train pairs of '{fewest.name}'")


def csvs(result: Overlap) -> Mapping[str, Rows]:
    names, phenomena = result.tasks, result.phenomena
    pairs = [
        SharedPart(method, names[i], names[j], phenomena[i] == phenomena[j], matrix[i][j])
        for method, matrix in result.matrices.items()
        for i, j in product(range(len(names)), repeat=2)
        if names[i] < names[j]
    ]
    return {"": pairs, "stability": result.stability}


def tables(result: Overlap, scope: Scope) -> list[Table]:
    """One row per method."""
    columns: list[tuple[str, Callable[[PaperMethod], str]]] = [
        ("method", str),
        ("one phenomenon", lambda method: number(result.within[method], 3)),
        ("two phenomena", lambda method: number(result.across[method], 3)),
        ("p", lambda method: p_value(result.p[method])),
        ("other pairs", lambda method: number(mean([row.folds for row in result.stability_of(method)]), 3)),
        ("other splits", lambda method: number(mean([row.seeds for row in result.stability_of(method)]), 3)),
        ("chance", lambda method: number(result.chance[method], 3)),
    ]
    return [Table.of("Mean shared part of two sets", result.methods, columns)]


EXPERIMENT = Experiment(
    "Overlap of the neuron sets",
    Overlap,
    compute,
    tables,
    Drawing(draw, caption, charts),
    csvs,
    needs={"one_layer", "stability"},
    check=check,
)
