"""What is measured: which tasks, on which of their pairs, and how many sets one unit takes."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import TypeVar

from neurosteer.errors import InputError, did_you_mean
from neurosteer.experiments.experiment import Task, Work
from neurosteer.experiments.recipe.recipe import Recipe
from neurosteer.pairs import Pairs, sentence_hashes
from neurosteer.vocabulary import CausalMethod

from .sets import SetKey
from .settings import CausalSettings, causal_methods

EDITS = 60  # that one unit measures; more only where one set has more controls
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Target:
    """The pairs that a task is measured on, and how many of its test pairs some task has seen."""

    pairs: Pairs
    left_out: int

    @property
    def task(self) -> str:
        return self.pairs.task


def measured_tasks(recipe: Recipe, tasks: Sequence[Task]) -> list[str]:
    """The tasks whose cells are measured, in the order of `tasks`.

    Raises `InputError` for a name that is not among the tasks.
    """
    names = [task.name for task in tasks]
    measured = recipe.of(CausalSettings).measured
    if measured == "all":
        return names
    chosen = _one_of_each_phenomenon(tasks) if measured == "phenomena" else set(measured)
    for name in sorted(chosen - set(names)):
        known = did_you_mean(name, [*names, "phenomena", "all"])
        raise InputError(f"measured: no task '{name}' here that can be split{known}")
    return [name for name in names if name in chosen]


def targets_of(work: Work) -> list[Target]:
    """Of each measured task the first test pairs that no task has seen, in train or validation.

    So what is measured of one cell depends on no other. Raises `InputError` where no pair remains.
    """
    splits = {task.name: task.split for task in work.tasks}
    seen = {digest for split in splits.values() for digest in sentence_hashes([*split.train, *split.validation])}
    found = []
    for name in measured_tasks(work.recipe, work.tasks):
        test = splits[name].test
        kept = [i for i, pair in enumerate(test) if not seen & set(sentence_hashes([pair]))]
        if not kept:
            raise InputError(f"measured: some task has seen every test pair of '{name}'; run without that task")
        found.append(Target(test.take(kept).limit(work.recipe.test_pairs), len(test) - len(kept)))
    return found


def batches_of_sets(recipe: Recipe, tasks: Sequence[Task]) -> list[Sequence[SetKey]]:
    """The sets of the measured tasks in batches, of one task of each phenomenon first.

    Whatever else is measured, those stay together.
    """
    first, measured = _one_of_each_phenomenon(tasks), measured_tasks(recipe, tasks)
    parts = [
        [
            SetKey(name, method)
            for name in measured
            if (name in first) is is_first
            for method in causal_methods(recipe)
        ]
        for is_first in (True, False)
    ]
    return [batch for part in parts for batch in _batches(part, 1 + recipe.controls)]


def batches_of_nulls(recipe: Recipe) -> list[Sequence[CausalMethod]]:
    """The methods whose null sets one unit measures."""
    return _batches(causal_methods(recipe), recipe.nulls) if recipe.nulls else []


def _batches(items: Sequence[T], edits: int) -> list[Sequence[T]]:
    """As many at a time as `EDITS` allows, if each takes so many edits."""
    size = max(1, EDITS // edits)
    return [items[i : i + size] for i in range(0, len(items), size)]


def _one_of_each_phenomenon(tasks: Sequence[Task]) -> Set[str]:
    """The alphabetically first task of each: no outcome has a say."""
    backwards = sorted(tasks, key=lambda task: task.name, reverse=True)
    return set({task.phenomenon: task.name for task in backwards}.values())
