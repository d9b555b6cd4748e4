"""From single tasks in single models to curves over models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from neurosteer.experiments.experiment import Work
from neurosteer.experiments.intervals import known_mean
from neurosteer.experiments.model_list import ModelList
from neurosteer.experiments.scope import Scope
from neurosteer.results import Estimate, read_record
from neurosteer.runner.units import Read, UnitResult
from neurosteer.vocabulary import LEVEL

from .result import ENCODED, NAME, USED, Axis, Kept, KeptMean, ModelMean, ModelRow, Models, TaskInModel
from .units import unit_name


@dataclass(frozen=True, eq=False)
class _Measured:
    """One model, the row of each task, and the unit that it is from."""

    about: ModelRow
    rows: list[TaskInModel]
    units: list[UnitResult]


def compute(read: Read, work: Work, scope: Scope) -> Models:
    assert work.models is not None
    models = work.models
    measured = [_measured(read, work, models, place) for place in range(len(models.names))]
    axis = axis_of([one.about for one in measured])
    ordered = sorted(measured, key=lambda one: position(one.about, axis))  # of equal ones in the recipe's order
    kept = [row for earlier, later in neighbours(ordered, axis) for row in _kept(earlier, later)]
    return Models(
        experiment=NAME,
        axis=axis,
        controls=work.recipe.controls,
        models=[one.about for one in ordered],
        means=[_mean(one.about, one.rows, work) for one in ordered],
        kept_means=_kept_means(kept, work),
        rows=[row for one in ordered for row in one.rows],
        kept=kept,
    )


def _measured(read: Read, work: Work, models: ModelList, place: int) -> _Measured:
    units = [read(unit_name(models.names[place], task)) for task in work.names]
    shape = {key: units[0].values[key] for key in ("parameters", "n_layers", "width", "k")}
    about = ModelRow(models.names[place], models.references[place].step, **shape)
    return _Measured(about, [read_record(TaskInModel, unit.values["row"]) for unit in units], units)


def axis_of(models: Sequence[ModelRow]) -> Axis:
    """Steps where every model has one; sizes where they differ; else the order of the recipe."""
    if all(one.step is not None for one in models) and len({one.step for one in models}) > 1:
        return "step"
    return "size" if len({one.parameters for one in models}) > 1 else "order"


def position(model: ModelRow, axis: Axis) -> int:
    """Where a model stands on the axis; 0 where it has no place of its own."""
    return {"step": model.step or 0, "size": model.parameters, "order": 0}[axis]


def line_of(model: ModelRow, axis: Axis) -> int:
    """Which curve a model is on: checkpoints of each size are one."""
    return model.parameters if axis == "step" else 0


def neighbours(ordered: Sequence[_Measured], axis: Axis) -> Iterator[tuple[_Measured, _Measured]]:
    """Each two models of one curve and width, of which one comes after the other."""
    last: dict[tuple[int, int], _Measured] = {}
    for one in ordered:
        key = (line_of(one.about, axis), one.about.width)
        if key in last:
            yield last[key], one
        last[key] = one


def _mean(about: ModelRow, rows: Sequence[TaskInModel], work: Work) -> ModelMean:
    columns = [[_number(one) for one in (row.dense, row.topk, row.known, row.margin, row.lost)] for row in rows]
    means = work.samples.means(np.array(columns))
    dense, topk, known, margin, lost = (means.at(i) for i in range(5))
    return ModelMean(
        model=about.model,
        tasks=len(rows),
        dense=dense,
        topk=topk,
        known=known,
        encoded=sum(row.encoded for row in rows),
        margin=margin,
        lost=lost,
        control=known_mean(np.array([np.nan if row.control is None else row.control for row in rows])),
        with_preference=sum(row.lost.value is not None for row in rows),
        decided=sum(row.used is not None for row in rows),
        used=sum(row.used is True for row in rows),
    )


def _number(one: Estimate) -> float:
    return np.nan if one.value is None else one.value


def _kept(earlier: _Measured, later: _Measured) -> Iterator[Kept]:
    """Both rankings of every task; of models of unequal depth, the layers that both have."""
    width = later.about.width
    for row, before, after in zip(later.rows, earlier.units, later.units, strict=True):
        for method, layer in ((ENCODED, row.encoded_layer), (USED, row.used_layer)):
            sets = [_sets(unit, method) for unit in (before, after)]
            common = sorted(sets[0].keys() & sets[1].keys())
            if layer not in common:
                continue
            a, b = sets[0][layer], sets[1][layer]
            yield Kept(
                earlier=earlier.about.model,
                later=later.about.model,
                task=row.task,
                method=method,
                layer=layer,
                shared=len(a & b),
                overlap=jaccard(a, b),
                all_layers=float(np.mean([jaccard(sets[0][one], sets[1][one]) for one in common])),
                chance=chance(len(a), len(b), width),
                p=float(stats.hypergeom.sf(len(a & b) - 1, width, len(a), len(b))),
            )


def _sets(unit: UnitResult, method: str) -> Mapping[int, set[int]]:
    """The top k of each layer."""
    layers = unit.arrays["layers"].tolist()
    return {layer: {int(i) for i in row if i >= 0} for layer, row in zip(layers, unit.arrays[method], strict=True)}


def jaccard(a: set[int], b: set[int]) -> float:
    """The share of the units of either that both have; 0 where there are none."""
    return len(a & b) / len(a | b) if a | b else 0.0


def chance(a: int, b: int, width: int) -> float:
    """The mean overlap of two sets of these sizes that are drawn by lot."""
    if not a + b:
        return 0.0
    shared = np.arange(max(0, a + b - width), min(a, b) + 1)
    return float((stats.hypergeom.pmf(shared, width, a, b) * shared / (a + b - shared)).sum())


def _kept_means(kept: Sequence[Kept], work: Work) -> list[KeptMean]:
    groups: dict[tuple[str, str, str], list[Kept]] = {}
    for row in kept:
        groups.setdefault((row.earlier, row.later, row.method), []).append(row)
    means = []
    for (earlier, later, method), rows in groups.items():
        by_task = {row.task: (row.overlap, row.all_layers) for row in rows}
        overlap = work.samples.means(np.array([by_task.get(name, (np.nan, np.nan)) for name in work.names]))
        means.append(
            KeptMean(
                earlier=earlier,
                later=later,
                method=method,
                tasks=len(rows),
                overlap=overlap.at(0),
                all_layers=overlap.at(1),
                chance=float(np.mean([row.chance for row in rows])),
                beyond=sum(row.p <= LEVEL for row in rows),
            )
        )
    return means
