"""One task in one model, as a unit: what can be read from it, what is lost without its neurons, and which these are.

States stay in the memory of the unit and go with it. Units stand model by model: a worker stays with a model until
no unit of it is free.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from neurosteer.edits import Edit
from neurosteer.errors import InputError
from neurosteer.experiments.experiment import Task, Work
from neurosteer.experiments.model_list import ModelList
from neurosteer.experiments.recipe.recipe import Recipe
from neurosteer.experiments.shared import costs
from neurosteer.model import Model
from neurosteer.neurons import Ranking, matched_controls, resolve_topk
from neurosteer.neurons.topk import best_units
from neurosteer.pairs import Pairs
from neurosteer.results import Estimate, record
from neurosteer.results.model import ModelDescription
from neurosteer.runner.units import Read, Unit, UnitResult
from neurosteer.sites import KNOWN_SITES
from neurosteer.store import file_stem
from neurosteer.studies import Found, find
from neurosteer.studies.bootstrap import Groups, groups_in, pair_intervals
from neurosteer.studies.costs import edited_seconds
from neurosteer.studies.effects.cases import Bench, Case, MeasuredMargins
from neurosteer.studies.evidence.encoded import best_baseline
from neurosteer.studies.evidence.numbers import holds, one_sided_p, too_few
from neurosteer.studies.margins import ratio

from .result import ENCODED, NAME, TO, USED, TaskInModel

UNKNOWN = Estimate(None)


def check(work: Work) -> None:
    """Raises `InputError` for layers or a topk that one of the models does not have."""
    models = _models(work)
    for name, described in zip(models.names, models.descriptions, strict=True):
        check_shape(name, described, work.recipe)


def check_shape(name: str, described: ModelDescription, recipe: Recipe) -> None:
    """The same of one model, by what is known without loading it."""
    if recipe.layers != "all" and max(recipe.layers) >= described.n_layers:
        raise InputError(f"no layer {max(recipe.layers)}: {name} has layers 0 to {described.n_layers - 1}")
    if KNOWN_SITES[recipe.site].width == "stream":
        try:
            resolve_topk(recipe.topk, described.d_model)
        except InputError as error:
            raise InputError(f"{name}: {error}") from None


def joint_units(work: Work) -> list[Unit]:
    """Model by model, one for each task."""
    models = _models(work)

    def compute(_: Read, place: int, task: Task) -> UnitResult:
        return measured(models.names[place], models.load(place), task, work)

    return [
        Unit(
            name=unit_name(models.names[place], task.name),
            group=f"{NAME}-{place}",
            cost=seconds(work, models, place, task),
            compute=partial(compute, place=place, task=task),
            size=1 << 13,
        )
        for place in range(len(models.names))
        for task in work.tasks
    ]


def unit_name(model: str, task: str) -> str:
    return f"{NAME}-{file_stem(model)}-{file_stem(task)}"


def measured(name: str, model: Model, task: Task, work: Work) -> UnitResult:
    """The `row` of a task, the shape of the model, and the top k `[layer k]` by each ranking, of all `layers`."""
    found = search(model, task.pairs, work)
    k, recipe = found.result.topk, work.recipe
    chosen, margins = found.ranking(USED).top(k), None
    if len(chosen):  # as `measure_effect`, but for neutral text, which takes most of its time
        case = Case(Edit.ablate(chosen, to=TO), matched_controls(chosen, recipe.controls, recipe.seed))
        margins = Bench(model, [case], work.progress).margins(found.test)
    tops = {ENCODED: top_units(found.ranking(ENCODED), k), USED: top_units(found.ranking(USED), k)}
    shape = {
        "parameters": sum(weight.numel() for weight in model.bridge.original_model.parameters()),
        "n_layers": model.n_layers,
        "width": found.result.width,
        "k": k,
    }
    arrays = {"layers": np.array([row.layer for row in found.layers]), **tops}
    return UnitResult(arrays, {"row": record(row_of(name, task, model, found, len(chosen), margins)), **shape})


def seconds(work: Work, models: ModelList, place: int, task: Task) -> float:
    """States of all pairs, gradients of those that rank and choose, and test pairs under the set and its controls."""
    split, described = task.split, models.descriptions[place]
    token = costs.token_seconds(work.model) * models.relative_size(place)
    seen = len(split.train) + len(split.validation)
    reading = 2 * costs.TOKENS * token * (len(task.pairs) + costs.BACKWARD * costs.BY_PAIR * seen)
    shape = {"n_layers": described.n_layers, "d_model": described.d_model}
    return reading + edited_seconds(split.test, 1 + work.recipe.controls, **shape)


def search(model: Model, pairs: Pairs, work: Work) -> Found:
    """Both rankings, at every layer that was asked for."""
    recipe = work.recipe
    return find(
        model,
        pairs,
        methods=(ENCODED, USED),
        split=recipe.split,
        topk=recipe.topk,
        layers=recipe.layers,
        site=recipe.site,
        position=recipe.position,
        to=TO,
        draws=1,
        seed=recipe.seed,
        cache=False,
        progress=work.progress,
    )


def row_of(
    name: str, task: Task, model: Model, found: Found, units: int, margins: MeasuredMargins | None
) -> TaskInModel:
    """What is found of one task, and its margins without so many units; None where none is to be ablated."""
    best, test, seed = found.result.best, found.test, found.split.seed
    groups = groups_in(test)
    baseline, right = best_baseline(model, found.split)
    [ends] = pair_intervals(right[None], task=test.task, seed=seed, groups=groups)
    dense = Estimate(best.dense, *best.intervals.dense)
    known = Estimate(float(right.mean()), *ends)
    above = dense.minus(known)
    assert above.low is not None
    return TaskInModel(
        model=name,
        task=task.name,
        phenomenon=task.phenomenon,
        encoded_layer=best.layer,
        dense=dense,
        topk=Estimate(best.topk, *best.intervals.topk),
        baseline=baseline,
        known=known,
        above=above,
        encoded=above.low > 0,
        used_layer=found.result.best_layers[USED],
        units=units,
        **vars(_loss(margins, groups, seed)),
    )


@dataclass(frozen=True)
class _Loss:
    """What ablating the set takes, in the words of `TaskInModel`; by default nothing can be told."""

    why: str
    margin: Estimate = UNKNOWN
    lost: Estimate = UNKNOWN
    control: float | None = None
    control_low: float | None = None
    control_high: float | None = None
    p: float | None = None
    used: bool | None = None


def _loss(margins: MeasuredMargins | None, groups: Groups, seed: int) -> _Loss:
    """The share of the margin that is lost, among those under matched controls."""
    if margins is None:
        return _Loss("attribution predicts a drop of no unit")
    before, (after, *others) = margins.before, margins.after[0]
    why = too_few(len(before), len(np.unique(groups)), len(others))
    clean = margins.clean(seed)
    margin = Estimate(clean.margin, clean.low, clean.high)
    if not clean.clean:
        return _Loss(why or "no clean preference", margin)
    lost = ratio(before - after, before, groups, seed)
    controls = [float((before - one).sum() / before.sum()) for one in others]
    assert lost.value is not None
    p = one_sided_p(lost.value, controls)
    return _Loss(
        why,
        margin,
        lost,
        control=float(np.mean(controls)),
        control_low=min(controls),
        control_high=max(controls),
        p=p,
        used=None if why else holds(p, lost.low, 0.0),
    )


def top_units(ranking: Ranking, k: int) -> np.ndarray:
    """`[layer k]`, best first; -1 in the place of units whose score is not above 0."""
    return best_units(ranking.scores, k, above=0.0).numpy()


def _models(work: Work) -> ModelList:
    if work.models is None:
        raise InputError(f"experiment '{NAME}' asks about several models: models = [...] names them")
    return work.models
