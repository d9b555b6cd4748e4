"""From a recipe to its units, and from what they leave behind to the results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from neurosteer.errors import InputError
from neurosteer.experiments.recipe.recipe import Recipe
from neurosteer.model import Model, sentence_tokens, untrained
from neurosteer.pairs import LexicalSplitError, Pairs
from neurosteer.progress import QUIET, Progress
from neurosteer.results import Verdict
from neurosteer.runner.units import Read, Unit

from .design import UNTRAINED, Design
from .experiment import Experiment, Results, Task, Work
from .intervals import TaskSamples
from .model_list import ModelList
from .registry import experiment_of
from .scope import Data, Scope, ScopeSettings, Skipped, TaskInfo
from .shared.layer_probes import layer_probe_units
from .shared.one_layer import one_layer_unit
from .shared.states import states_unit
from .shared.transfer_probes import transfer_unit


@dataclass(frozen=True, eq=False)
class RecipePlan:
    """All units of a recipe, and what becomes of them."""

    units: Sequence[Unit]  # in the order to run
    scope: Scope
    notices: Sequence[str]  # known before any unit runs
    models: int  # of the same size, that units keep in memory at once
    experiments: Mapping[str, Experiment[Any]]  # by name
    work: Work

    def results(self, read: Read) -> Results:
        """When all units are done."""
        return {name: one.compute(read, self.work, self.scope) for name, one in self.experiments.items()}

    def verdicts(self, results: Results) -> list[Verdict]:
        """On every claim that the experiments speak to, by claim; on one claim in the order of the experiments."""
        found = [verdict for one in self.experiments.values() for verdict in one.verdicts(results, self.scope)]
        return sorted(found, key=lambda verdict: verdict.claim)


def plan_recipe(
    recipe: Recipe,
    model: Model,
    tasks: Sequence[Pairs],
    progress: Progress = QUIET,
    *,
    models: ModelList | None = None,
) -> RecipePlan:
    """The units of a recipe, in the order in which they are to run; of several `models` `model` is the first.

    Tasks whose words allow no lexical split are left out and listed. Raises `InputError` where none is left, and for
    settings that the model cannot meet.
    """
    experiments = {name: experiment_of(name) for name in recipe.experiments}
    needs = frozenset().union(*(one.needs for one in experiments.values()))
    design = Design.of(recipe, model, needs)
    kept, skipped = _split(recipe, tasks, progress)
    samples = TaskSamples.of([task.phenomenon for task in kept], design.seed)
    work = Work(recipe, design, model, cache(lambda: untrained(model, design.seed)), kept, samples, progress, models)
    for one in experiments.values():
        one.check(work)
    scope = _scope(work, skipped)
    notices = [remark for task in kept for remark in task.pairs.remarks()]
    if design.probes_layers or "states" in needs or models is not None:
        notices += samples.notices(work.phenomena)
    for notice in notices:
        progress.notice(notice)
    at_once = 2 if UNTRAINED in design.variants else 1
    at_once = at_once if models is None else models.in_memory
    return RecipePlan(_units(work, [*experiments.values()]), scope, notices, at_once, experiments, work)


def _split(recipe: Recipe, tasks: Sequence[Pairs], progress: Progress) -> tuple[list[Task], list[Skipped]]:
    """The tasks that can be split as asked, by phenomenon and name; and the others."""
    kept, skipped = [], []
    for i, pairs in enumerate(tasks):
        progress.step("splits, tasks", i, len(tasks))
        try:
            kept.append(Task(pairs, pairs.split(recipe.split, recipe.seed)))
        except LexicalSplitError as error:
            skipped.append(Skipped(pairs.task, str(error)))
    progress.step("splits, tasks", len(tasks), len(tasks))
    if not kept:
        raise InputError(f"none of the {len(tasks)} tasks allows a lexical split: {skipped[0].reason}")
    return sorted(kept, key=lambda task: (task.phenomenon, task.name)), skipped


def _scope(work: Work, skipped: Sequence[Skipped]) -> Scope:
    recipe, tokenise = work.recipe, partial(sentence_tokens, work.model)
    pairs = sum(len(task.pairs) for task in work.tasks)
    return Scope(
        model=work.model.describe(),
        data=Data(work.tasks[0].pairs.source, pairs, recipe.split, recipe.seed),
        tasks=tuple(TaskInfo.of(task.pairs, task.split, tokenise) for task in work.tasks),
        skipped=tuple(skipped),
        settings=ScopeSettings.of(work.design, work.model.n_layers, work.samples.resampled),
        models=() if work.models is None else work.models.descriptions,
    )


def _units(work: Work, experiments: Sequence[Experiment[Any]]) -> list[Unit]:
    tasks = work.tasks if work.models is None else ()  # what experiments share is of one model
    units = [unit for task in tasks for unit in _task_units(work, task, experiments)]
    if "transfer" in work.design.needs:
        units.append(transfer_unit(work.names))
    return units + [unit for one in experiments for unit in one.joint_units(work)]


def _task_units(work: Work, task: Task, experiments: Sequence[Experiment[Any]]) -> list[Unit]:
    """Of one task: its states, what is known of the one layer, the probes of every layer, and experiments' own."""
    units = [states_unit(work, task)]
    if "one_layer" in work.design.needs:
        units.append(one_layer_unit(work, task))
    for variant in work.design.variants:
        if variant == UNTRAINED:
            units.append(states_unit(work, task, variant))
        units += layer_probe_units(work, task, variant)
    return units + [unit for one in experiments for unit in one.task_units(work, task)]
