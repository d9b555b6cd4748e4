"""What the units measured, read into arrays over sources, targets and sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float

from neurosteer.experiments.experiment import Work
from neurosteer.experiments.recipe.recipe import Recipe
from neurosteer.runner.units import Read
from neurosteer.seeds import seed_of
from neurosteer.studies.bootstrap import groups_in
from neurosteer.studies.effects.controls import empirical_p
from neurosteer.studies.margins import Preference, accuracy, clean_preference
from neurosteer.vocabulary import CausalMethod

from .cells import CellMargins, cells_name, null_cells_name
from .nulls import null_sets_name
from .sets import sets_name
from .settings import causal_methods
from .targets import batches_of_nulls, batches_of_sets, targets_of

Matrix: TypeAlias = Float[np.ndarray, "source target"]


@dataclass(frozen=True)
class CellNumbers:
    """What an ablation does to the mean margin (nats), beside its controls; `p` is the share of sets as unusual."""

    delta: float
    controls_mean: float
    controls_sd: float
    beyond: float  # delta - controls_mean
    p: float
    accuracy_before: float
    accuracy_after: float


@dataclass(frozen=True, eq=False)
class Likeness:
    """How the sets beside the tasks' own ones are like them; NaN for a task without neurons."""

    controls: Float[np.ndarray, "task control"]  # part of the task's neurons that are in the control too
    nulls: Float[np.ndarray, "task null"]
    null_sizes: Float[np.ndarray, "task null"]  # neurons of a null set, in those of the task's own

    @classmethod
    def of(cls, read: Read, tasks: Sequence[str], method: CausalMethod, recipe: Recipe) -> Likeness:
        """From the sets of all tasks."""
        shape = len(tasks), recipe.controls
        controls, (nulls, sizes) = np.full(shape, np.nan), np.full((2, len(tasks), recipe.nulls), np.nan)
        for i, task in enumerate(tasks):
            own, *matched = read(sets_name(task)).arrays[method].tolist() or [[]]
            exchanged = read(null_sets_name(task)).arrays[method].tolist() if recipe.nulls else []
            if own:
                controls[i], nulls[i] = (
                    [len({*own} & {*one}) / len(own) for one in sets] for sets in (matched, exchanged)
                )
                sizes[i] = [len({*one} - {-1}) / len(own) for one in exchanged]
        return cls(controls, nulls, sizes)


@dataclass(frozen=True, eq=False)
class MeasuredCells:
    """Changes of mean margins (nats) among the measured tasks; NaN where a method chose no neuron."""

    tasks: Sequence[str]
    phenomena: Sequence[str]  # of each task
    clean: Sequence[Preference]  # of each task
    pairs: Sequence[int]  # that each is measured on
    left_out: Sequence[int]  # test pairs that some task has seen
    cells: Mapping[tuple[CausalMethod, str, str], CellNumbers]  # method, source, target
    changes: Mapping[CausalMethod, Float[np.ndarray, "source target variant"]]  # the set first, then its controls
    nulls: Mapping[CausalMethod, Float[np.ndarray, "task null"]]  # none where no search was exchanged
    likeness: Mapping[CausalMethod, Likeness]

    @property
    def preferred(self) -> Bool[np.ndarray, "task"]:
        """The tasks that have something to lose."""
        return np.array([clean.clean for clean in self.clean], dtype=bool)

    @property
    def margins(self) -> Float[np.ndarray, "task"]:
        """Of the unedited model."""
        return np.array([clean.margin for clean in self.clean])


def read_measured(read: Read, work: Work) -> MeasuredCells:
    """From the results of all cells."""
    recipe, targets, batches = work.recipe, targets_of(work), batches_of_sets(work.recipe, work.tasks)
    tasks = [target.task for target in targets]
    place, shape = {task: i for i, task in enumerate(tasks)}, (len(tasks), len(tasks), 1 + recipe.controls)
    found = {method: np.full(shape, np.nan) for method in causal_methods(recipe)}
    nulls = {method: np.full((len(tasks), recipe.nulls), np.nan) for method in causal_methods(recipe)}
    cells: dict[tuple[CausalMethod, str, str], CellNumbers] = {}
    clean = []
    for target in targets:
        results = [read(cells_name(target.task, batch)).typed(CellMargins) for batch in batches]
        margins, seed = results[0].clean, seed_of(recipe.seed, target.task, "clean")
        clean.append(clean_preference(margins, groups_in(target.pairs), seed))
        for result in results:
            for first in result.first_rows:
                if first.row is not None:
                    edited = result.margins[first.row : first.row + shape[2]]
                    cells[first.method, first.source, target.task] = measure_cell(result.clean, edited)
                    found[first.method][place[first.source], place[target.task]] = mean_changes(result.clean, edited)
        for methods in batches_of_nulls(recipe):
            exchanged = read(null_cells_name(target.task, methods)).arrays
            for method in methods:
                nulls[method][place[target.task]] = mean_changes(exchanged["clean"], exchanged[method])
    return MeasuredCells(
        tasks=tasks,
        phenomena=[task.phenomenon for task in work.tasks if task.name in place],
        clean=clean,
        pairs=[len(target.pairs) for target in targets],
        left_out=[target.left_out for target in targets],
        cells=cells,
        changes=found,
        nulls=nulls,
        likeness={method: Likeness.of(read, tasks, method, recipe) for method in causal_methods(recipe)},
    )


def measure_cell(clean: Float[np.ndarray, "pair"], edited: Float[np.ndarray, "variant pair"]) -> CellNumbers:
    """A cell from margins: `edited` are those under the ablation itself, then under that of each control."""
    delta, *controls = mean_changes(clean, edited).tolist()
    mean, sd = float(np.mean(controls)), float(np.std(controls, ddof=1))
    p = empirical_p(delta, controls)
    return CellNumbers(delta, mean, sd, delta - mean, p, accuracy(clean), accuracy(edited[0]))


def mean_changes(
    clean: Float[np.ndarray, "pair"], edited: Float[np.ndarray, "variant pair"]
) -> Float[np.ndarray, "variant"]:
    """Of the margin, under each edit."""
    return np.asarray((edited - clean).mean(axis=1))


def others_controls(changes: Float[np.ndarray, "source target variant"]) -> Matrix:
    """For each cell the mean change that the controls of all other sources make of the same target; NaN for none."""
    means = changes[:, :, 1:].mean(axis=2)
    there = np.isfinite(means)
    count, total = there.sum(axis=0) - there, np.where(there, means, 0.0)
    others = total.sum(axis=0) - total
    return np.divide(others, count, out=np.full_like(others, np.nan), where=count > 0)
