"""`Experiment`: what one module of this room gives to a run.

An experiment says which units it needs, computes a frozen result from what they leave behind, and shows it: tables,
figures with their captions, CSV files, and verdicts on the paper's claims. `registry` lists them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from matplotlib.figure import Figure

from neurosteer.experiments.recipe.recipe import Recipe
from neurosteer.model import Model
from neurosteer.pairs import Pairs, Split
from neurosteer.progress import Progress
from neurosteer.report.pages import Chart
from neurosteer.report.table import Table
from neurosteer.results import Verdict
from neurosteer.runner.units import Read, Unit

from .design import Design, Need
from .intervals import TaskSamples
from .model_list import ModelList
from .scope import Scope
from .task_layers import TaskLayer, flat


@dataclass(frozen=True)
class Task:
    """The pairs of one task and how they are split."""

    pairs: Pairs
    split: Split

    @property
    def name(self) -> str:
        return self.pairs.task

    @property
    def phenomenon(self) -> str:
        """Its phenomenon; a task without one is its own."""
        return self.pairs.phenomenon or self.pairs.task


@dataclass(frozen=True, eq=False)
class Work:
    """Everything that units are made from."""

    recipe: Recipe
    design: Design
    model: Model
    untrained: Callable[[], Model]  # a model of the same shape with random weights
    tasks: Sequence[Task]
    samples: TaskSamples  # how tasks are resampled
    progress: Progress
    models: ModelList | None = None  # where a recipe asks about several; `model` is the first

    @property
    def names(self) -> list[str]:
        return [task.name for task in self.tasks]

    @property
    def phenomena(self) -> list[str]:
        return [task.phenomenon for task in self.tasks]


@dataclass(frozen=True)
class Caption:
    """How to read a figure, and what it does not show."""

    read: str
    limits: str


Rows = Sequence[object]  # of a CSV file: frozen dataclasses of one kind, or mappings
Results = Mapping[str, Any]  # by the names of the experiments, in the order of the recipe


R = TypeVar("R")  # the result of one experiment


def _none(*_: object) -> list[Any]:
    return []


def _rows(result: Any) -> Mapping[str, Rows]:
    """Its rows, and beside them those of each task where it has them."""
    by_task: Sequence[TaskLayer] | None = getattr(result, "by_task", None)
    return {"": result.rows} | ({} if by_task is None else {"tasks": flat(by_task)})


@dataclass(frozen=True)
class Drawing(Generic[R]):
    """A figure of an experiment: `draw` and `charts` take its result and what the run is about.

    `charts` are the same numbers for the page; where there are none it has the figure's picture.
    """

    draw: Callable[[R, Scope], Figure]
    caption: Callable[[Scope], Caption]
    charts: Callable[[R, Scope], Sequence[Chart]] = _none


@dataclass(frozen=True)
class Experiment(Generic[R]):
    """One experiment; every part of it is in its own module (or package, where it is large).

    The first five every experiment states; of the others those that are not as most are. Its name is the module's.
    """

    heading: str  # of its section of the page
    result: type[R]  # the frozen dataclass
    compute: Callable[[Read, Work, Scope], R]  # the result, when all units are done
    tables: Callable[[R, Scope], list[Table]]
    drawing: Drawing[R]
    csvs: Callable[[R], Mapping[str, Rows]] = _rows  # by the middle of their names; "" is the main one
    verdicts: Callable[[Results, Scope], list[Verdict]] = _none
    needs: Set[Need] = frozenset()  # the shared units that it reads
    task_units: Callable[[Work, Task], list[Unit]] = _none  # of its own, for each task
    joint_units: Callable[[Work], list[Unit]] = _none  # of its own, of several tasks
    check: Callable[[Work], object] = _none  # raises `InputError` for what it cannot take
    more: Mapping[str, Drawing[R]] = field(default_factory=dict)  # by the middle of the names of their files

    @property
    def drawings(self) -> Mapping[str, Drawing[R]]:
        """All its figures, by the middle of the names of their files; "" is the main one."""
        return {"": self.drawing, **self.more}
