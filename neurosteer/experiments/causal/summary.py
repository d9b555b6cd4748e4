"""The causal transfer matrix, gathered: what is predicted of every cell, what was measured, what agrees with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

import numpy as np
from jaxtyping import Float

from neurosteer.experiments.intervals import TaskSamples, plain
from neurosteer.experiments.overlap import shared
from neurosteer.experiments.transfer import Member
from neurosteer.neurons import resolve_topk
from neurosteer.pairs import Split
from neurosteer.runner.recipe import Recipe
from neurosteer.runner.units import Read
from neurosteer.seeds import seed_of
from neurosteer.vocabulary import LEVEL

from .agreement import agree
from .contrasts import by_kind, kind_means
from .measured import Measured, read_measured, read_neutral_rows
from .nulls import null_sets_name
from .numbers import CELL_CONTROLS, q_values
from .sources import attribution_name, massive_units, ranking_of
from .verdicts import family_rows

Matrix = Float[np.ndarray, "source target"]
Row = dict[str, Any]
SIDE = ("families", "neutral", "effects", "controls", "nulls", "agreement")
KEYS = {"controls": "control_means", "nulls": "null_changes"}  # `controls`: how many there are
UNKNOWN = ("delta", "controls_mean", "controls_sd", "beyond", "p", "accuracy_before", "accuracy_after")


@dataclass(frozen=True, eq=False)
class _Method:
    """Everything that is reported of one method."""

    name: str
    predicted: Matrix  # changes, of all tasks
    k: int
    sizes: Sequence[int]  # units of each task's set
    known: Mapping[str, Matrix]  # what may foretell the measured changes


def causal_result(read: Read, recipe: Recipe, splits: Mapping[str, Split], layer: int, probe_transfer: Matrix) -> Row:
    """The `causal` result. `probe_transfer` is the accuracy of each task's probe (rows) on each task (columns).

    `delta`, `predicted` and all of `families` and `nulls` are changes of a mean margin in nats, negative where it
    drops; agreements and `effects` are about drops, positive where an ablation hurts.
    """
    members = [Member.of(split.test) for split in splits.values()]
    names = [member.task for member in members]
    drops = np.stack([read(attribution_name(task)).arrays["drop"] for task in names], axis=1)
    k, measured = resolve_topk(recipe.topk, len(drops)), read_measured(read, recipe, splits)
    methods = []
    for method in recipe.methods:
        sets = [chosen_units(read, recipe, task, layer, method) for task in names]
        overlap = shared(list(map(set, sets)), list(map(set, sets)), k)
        known = {"probe transfer": probe_transfer, "set overlap": overlap}
        methods.append(_Method(method, predicted_changes(sets, drops), k, list(map(len, sets)), known))
    tables: dict[str, list[Row]] = {
        "cells": [row for one in methods for row in _cells(one, measured, members, recipe)],
        "families": [row for one in methods for row in family_rows(measured, one.name, recipe.seed)],
        "neutral": read_neutral_rows(read, recipe, members),
        "effects": [row for one in methods for row in _effects(one, measured, members, recipe.seed)],
        "controls": [row for one in methods for row in _controls(one, measured, members)],
        "nulls": [row for one in methods for row in _nulls(read, one, measured)],
        "agreement": [row for one in methods for row in _agreement(one, measured, members, recipe.seed)],
    }
    predicted = {one.name: one.predicted for one in methods}
    return {
        "experiment": "causal",
        "layer": layer,
        "k": k,
        "controls": recipe.controls,
        "cell_controls": CELL_CONTROLS,
        "null_searches": recipe.nulls,
        "pairs": recipe.test_pairs,
        "tasks": names,
        "phenomena": [member.phenomenon for member in members],
        "measured": list(measured.tasks),
        "nothing_to_lose": [task for task, kept in zip(measured.tasks, measured.preferred, strict=True) if not kept],
        "methods": list(recipe.methods),
        "massive": massive_units(read, names, layer),
        "predicted": {name: [[plain(cell) for cell in row] for row in matrix] for name, matrix in predicted.items()},
        **{KEYS.get(name, name): rows for name, rows in tables.items()},
        "summary": {
            one.name: _summary(one, tables["cells"], tables["effects"]) | _in_common(one, measured, names, len(drops))
            for one in methods
        },
        "tables": {"": tables["cells"], "predicted": _wide(predicted, names)} | {n: tables[n] for n in SIDE},
    }


def chosen_units(read: Read, recipe: Recipe, task: str, layer: int, method: str) -> list[int]:
    """A task's set by one method."""
    about = read(attribution_name(task)).values
    ranking = ranking_of(read, task, method, layer, model=about["model"], site=about["site"])
    units: list[int] = ranking.top(recipe.topk, layers=layer).units.tolist()
    return units


def predicted_changes(sets: Sequence[Sequence[int]], drops: Float[np.ndarray, "unit target"]) -> Matrix:
    """The change of each task's mean margin when a set is zero: minus the sum of its attributions over the set.

    NaN where a set is empty.
    """
    empty = np.full(drops.shape[1], np.nan)
    return np.stack([-drops[list(units)].sum(axis=0) if units else empty for units in sets])


def _cells(method: _Method, measured: Measured, members: Sequence[Member], recipe: Recipe) -> list[Row]:
    """One row per source and target, source by source.

    `q` is over the own cells of the method, or over its others; None with fewer controls than a verdict on a single
    cell wants, and for targets that have nothing to lose.
    """
    names = [member.task for member in members]
    others = others_controls(measured.changes[method.name])
    rows: list[Row] = []
    for (i, source), (j, target) in product(enumerate(measured.tasks), repeat=2):
        at, to, clean = names.index(source), names.index(target), measured.clean[j]
        cell = measured.cells.get((method.name, source, target))
        delta = cell.delta if cell else np.nan
        rows.append(
            {
                "method": method.name,
                "source": source,
                "target": target,
                **(asdict(cell) if cell else dict.fromkeys(UNKNOWN)),
                "others_controls_mean": plain(others[i, j]),
                "beyond_others": plain(delta - others[i, j]),
                "predicted": plain(method.predicted[at, to]),
                "related": source != target and members[at].phenomenon == members[to].phenomenon,
                "margin_before": clean.margin,
                "margin_low": clean.low,
                "margin_high": clean.high,
                "nothing_to_lose": not clean.clean,
                "pairs": measured.pairs[j],
                "left_out": measured.left_out[j],
                "units": method.sizes[at],
                "controls": recipe.controls if cell else 0,
            }
        )
    qs: dict[int, float | None] = {}
    for own in (True, False):
        places = [i for i, row in enumerate(rows) if (row["source"] == row["target"]) is own and _judged(row)]
        qs |= dict(zip(places, q_values([rows[i]["p"] for i in places]), strict=True))
    return [{**row, "q": qs.get(i)} for i, row in enumerate(rows)]


def _judged(row: Row) -> bool:
    """Whether a single cell can have a verdict."""
    return row["controls"] >= CELL_CONTROLS and not row["nothing_to_lose"]


def others_controls(changes: Float[np.ndarray, "source target variant"]) -> Matrix:
    """For each cell the mean change that the controls of all other sources make of the same target; NaN for none."""
    means = changes[:, :, 1:].mean(axis=2)
    there = np.isfinite(means)
    count, total = there.sum(axis=0) - there, np.where(there, means, 0.0)
    others = total.sum(axis=0) - total
    return np.divide(others, count, out=np.full_like(others, np.nan), where=count > 0)


def _drops(method: _Method, measured: Measured) -> dict[str, Matrix]:
    """Mean drops of the measured cells whose target has something to lose, and those of all that are predicted."""
    changes, kept = measured.changes[method.name], np.where(measured.preferred, 0.0, np.nan)
    delta, controls = changes[:, :, 0] + kept, changes[:, :, 1:].mean(axis=2)
    return {
        "measured": -delta,
        "beyond controls": controls - delta,
        "beyond others' controls": others_controls(changes) - delta,
        "predicted": -method.predicted,
    }


def _effects(method: _Method, measured: Measured, members: Sequence[Member], seed: int) -> list[Row]:
    """Means over sources by kind of cell; see `by_kind`.

    What attribution predicts of own cells has no interval: the units were chosen for that sum, on the same pairs.
    """
    rows = []
    for what, matrix in _drops(method, measured).items():
        groups = [member.phenomenon for member in members if what == "predicted" or member.task in measured.tasks]
        kinds = by_kind(matrix, groups, seed_of(seed, method.name, what))
        selected = method.name == "attribution" and what == "predicted"  # own sets maximise the very sum
        ends = dict.fromkeys(("low", "high"))
        unsure = [row | ends if selected and row["kind"].startswith("own") else row for row in kinds]
        rows += [{"method": method.name, "what": what, **row} for row in unsure]
    return rows


def _controls(method: _Method, measured: Measured, members: Sequence[Member]) -> list[Row]:
    """The same means of each control: the first of every source, the second, and so on."""
    kept = np.where(measured.preferred, 0.0, np.nan)
    groups = [member.phenomenon for member in members if member.task in measured.tasks]
    return [
        {"method": method.name, "control": i, "kind": kind, "delta": plain(delta)}
        for i in range(measured.changes[method.name].shape[2] - 1)
        for kind, delta in kind_means(measured.changes[method.name][:, :, 1 + i] + kept, groups).items()
    ]


def _nulls(read: Read, method: _Method, measured: Measured) -> list[Row]:
    """What each null set does to the margin of its own task."""
    return [
        {
            "method": method.name,
            "task": task,
            "null": i,
            "units": int((read(null_sets_name(task)).arrays[method.name][i] >= 0).sum()),
            "delta": float(delta),
        }
        for task, deltas in zip(measured.tasks, measured.nulls[method.name], strict=True)
        for i, delta in enumerate(deltas)
    ]


def _agreement(method: _Method, measured: Measured, members: Sequence[Member], seed: int) -> list[Row]:
    """What could foretell a causal effect, against what was measured and against what is predicted of all cells."""
    names = [member.task for member in members]
    every = [member.phenomenon for member in members]
    phenomena = {len(names): every, len(measured.tasks): [every[names.index(task)] for task in measured.tasks]}
    part = np.ix_(*[[names.index(task) for task in measured.tasks]] * 2)
    drop, predicted = -measured.changes[method.name][:, :, 0], -method.predicted
    compared = {f"{name} ~ causal": (matrix[part], drop) for name, matrix in method.known.items()}
    compared["predicted ~ measured"] = (predicted[part], drop)
    compared |= {f"{name} ~ predicted": (matrix, predicted) for name, matrix in method.known.items()}
    return [
        {
            "method": method.name,
            "what": what,
            **agree(a, b, TaskSamples.of(phenomena[len(a)], seed_of(seed, method.name, what))),
        }
        for what, (a, b) in compared.items()
    ]


def _summary(method: _Method, cells: Sequence[Row], effects: Sequence[Row]) -> Row:
    """Mean changes of the measured cells by kind; how many stand out, where single cells are judged."""
    cells, effects = ([row for row in rows if row["method"] == method.name] for rows in (cells, effects))
    found: Row = {"cells": len(cells)}
    for row in effects:
        if row["what"] == "measured" and " - " not in row["kind"]:
            delta, high, low = (row[name] if row[name] is None else -row[name] for name in ("drop", "low", "high"))
            found |= {f"{row['kind']}_delta": delta, f"{row['kind']}_low": low, f"{row['kind']}_high": high}
    for kind, own in (("own", True), ("other", False)):
        qs = [row["q"] for row in cells if (row["source"] == row["target"]) is own and row["q"] is not None]
        found[f"judged_{kind}"] = len(qs)
        found[f"significant_{kind}"] = sum(q < LEVEL for q in qs) if qs else None
    return found


def _in_common(method: _Method, measured: Measured, names: Sequence[str], width: int) -> Row:
    """Of the units of a measured task's set how many another's holds, on average; and how many it would by chance.

    The tests of families take the sets of tasks as independent draws.
    """
    places = [names.index(task) for task in measured.tasks if method.sizes[names.index(task)]]
    if len(places) < 2:
        return {"in_common": None, "in_common_chance": None}
    sizes = np.array([method.sizes[place] for place in places])
    both = method.known["set overlap"][np.ix_(places, places)] * method.k
    apart = ~np.eye(len(places), dtype=bool)
    expected = np.broadcast_to(sizes / width, both.shape)
    return {
        "in_common": plain((both / sizes[:, None])[apart].mean()),
        "in_common_chance": plain(expected[apart].mean()),
    }


def _wide(matrices: Mapping[str, Matrix], tasks: Sequence[str]) -> list[Row]:
    """A row for each source, a column for each target."""
    return [
        {"method": method, "source": task, **{name: plain(cell) for name, cell in zip(tasks, row, strict=True)}}
        for method, matrix in matrices.items()
        for task, row in zip(tasks, matrix, strict=True)
    ]
