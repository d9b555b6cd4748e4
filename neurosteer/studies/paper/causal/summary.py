"""The causal transfer matrix, gathered: what is predicted of every cell, what was measured, what agrees with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

import numpy as np
from jaxtyping import Float

from neurosteer.neurons import resolve_k
from neurosteer.seeds import seed_of
from neurosteer.studies.paper.intervals import plain
from neurosteer.studies.paper.overlap import shared
from neurosteer.studies.paper.transfer import Member
from neurosteer.studies.recipes.recipe import Recipe
from neurosteer.studies.recipes.units import Read

from .agreement import agree
from .cells import cell_name, measured_tasks, sources_by_unit
from .contrasts import by_kind
from .numbers import LEVEL, measure_cell, q_values
from .sources import attribution_name, massive_units, ranking_of

Matrix = Float[np.ndarray, "source target"]
Row = dict[str, Any]
SIDE = ("agreement", "effects")
UNKNOWN = ("delta", "controls_mean", "controls_sd", "t", "p", "accuracy_before", "accuracy_after", "margin_before")


@dataclass(frozen=True)
class _Tasks:
    """All tasks with their phenomena, those whose cells are measured, and the sources of the units that did."""

    names: Sequence[str]
    phenomena: Sequence[str]
    measured: Sequence[str]
    bunches: Sequence[Sequence[str]]

    @classmethod
    def of(cls, recipe: Recipe, members: Sequence[Member]) -> _Tasks:
        names, phenomena = [member.task for member in members], [member.phenomenon for member in members]
        return cls(names, phenomena, measured_tasks(recipe, members), sources_by_unit(recipe, members))

    @property
    def places(self) -> list[int]:
        """Where the measured ones are among all."""
        return [self.names.index(task) for task in self.measured]


def causal_result(read: Read, recipe: Recipe, members: Sequence[Member], layer: int, probe_transfer: Matrix) -> Row:
    """The `causal` result. `probe_transfer` is the accuracy of each task's probe (rows) on each task (columns).

    `delta` and `predicted` are changes of a mean margin in nats, negative where it drops; agreements and `effects`
    are about drops, positive where an ablation hurts.
    """
    tasks = _Tasks.of(recipe, members)
    drops = np.stack([read(attribution_name(task)).arrays["drop"] for task in tasks.names], axis=1)
    k, predicted, found = resolve_k(recipe.topk, len(drops)), {}, []
    for method in recipe.methods:
        sets = [chosen_units(read, recipe, task, layer, method) for task in tasks.names]
        predicted[method] = predicted_changes(sets, drops)
        known = {
            "probe transfer": probe_transfer,
            "set overlap": shared(list(map(set, sets)), list(map(set, sets)), k),
        }
        found.append(_of_method(read, tasks, method, predicted[method], known, recipe.seed))
    tables = {name: [row for rows in found for row in rows[name]] for name in ("cells", "agreement", "effects")}
    return {
        "experiment": "causal",
        "layer": layer,
        "k": k,
        "controls": recipe.controls,
        "pairs": recipe.test_pairs,
        "tasks": list(tasks.names),
        "phenomena": list(tasks.phenomena),
        "measured": list(tasks.measured),
        "methods": list(recipe.methods),
        "massive": massive_units(read, tasks.names, layer),
        "predicted": {
            method: [[plain(cell) for cell in row] for row in matrix] for method, matrix in predicted.items()
        },
        **tables,
        "summary": {
            method: _summary(rows["cells"], rows["effects"])
            for method, rows in zip(recipe.methods, found, strict=True)
        },
        "tables": {"": tables["cells"], "predicted": _wide(predicted, tasks.names)} | {n: tables[n] for n in SIDE},
    }


def _of_method(
    read: Read, tasks: _Tasks, method: str, predicted: Matrix, known: Mapping[str, np.ndarray], seed: int
) -> dict[str, list[Row]]:
    """`cells`, `agreement` and `effects` of one method."""
    cells = _cells(read, tasks, method, predicted)
    delta, usual = (_square(cells, name, len(tasks.measured)) for name in ("delta", "controls_mean"))
    drops = {"measured": -delta, "beyond controls": usual - delta, "predicted": -predicted}
    effects = []
    for what, matrix in drops.items():
        groups = [tasks.phenomena[i] for i in (range(len(tasks.names)) if what == "predicted" else tasks.places)]
        kinds = by_kind(matrix, groups, seed_of(seed, method, what))
        effects += [{"method": method, "what": what, **row} for row in kinds]
    agreement = _agreement(drops, known, tasks.places, method, seed)
    return {"cells": cells, "agreement": agreement, "effects": effects}


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


def _cells(read: Read, tasks: _Tasks, method: str, predicted: Matrix) -> list[Row]:
    """One row per source and target, source by source; q over all cells of the method."""
    place, found = {task: i for i, task in enumerate(tasks.names)}, {}
    for target, sources in product(tasks.measured, tasks.bunches):
        piece = read(cell_name(target, sources))
        clean, margins = piece.arrays["clean"], piece.arrays["margins"]
        controls = {(drawn["source"], drawn["size"]): drawn for drawn in piece.values["controls"]}
        for cell in piece.values["cells"]:
            if cell["method"] != method:
                continue
            source, drawn = cell["source"], controls.get((cell["source"], len(cell["units"])))
            at, to = place[source], place[target]
            edited = None
            if drawn is not None:  # else the set is empty
                start, n = drawn["row"], len(drawn["units"])
                edited = margins[[cell["row"], *range(start, start + n)]]
            found[source, target] = {
                "method": method,
                "source": source,
                "target": target,
                **(dict.fromkeys(UNKNOWN) if edited is None else asdict(measure_cell(clean, edited))),
                "predicted": plain(predicted[at, to]),
                "related": source != target and tasks.phenomena[at] == tasks.phenomena[to],
                "pairs": len(clean),
                "left_out": piece.values["left_out"],
                "units": len(cell["units"]),
                "controls": len(drawn["units"]) if drawn else 0,
                "unmatched": drawn["unmatched"] if drawn else None,
            }
    rows = [found[cell] for cell in product(tasks.measured, tasks.measured)]
    qs = q_values([row["p"] for row in rows])
    return [{**row, "q": q} for row, q in zip(rows, qs, strict=True)]


def _agreement(
    drops: Mapping[str, np.ndarray], known: Mapping[str, np.ndarray], measured: Sequence[int], method: str, seed: int
) -> list[Row]:
    """What could foretell a causal effect, against what was measured and against what is predicted of all cells."""
    part = np.ix_(measured, measured)
    compared = {f"{name} ~ causal": (matrix[part], drops["measured"]) for name, matrix in known.items()}
    compared["predicted ~ measured"] = (drops["predicted"][part], drops["measured"])
    compared |= {f"{name} ~ predicted": (matrix, drops["predicted"]) for name, matrix in known.items()}
    return [
        {"method": method, "what": what, **agree(a, b, seed_of(seed, method, what))}
        for what, (a, b) in compared.items()
    ]


def _summary(cells: Sequence[Row], effects: Sequence[Row]) -> Row:
    """Of one method: mean changes of the measured cells by kind, and how many stand out among their controls."""
    found: Row = {"cells": len(cells)}
    for row in effects:
        if row["what"] == "measured" and " - " not in row["kind"]:
            delta, high, low = (row[name] if row[name] is None else -row[name] for name in ("drop", "low", "high"))
            found |= {f"{row['kind']}_delta": delta, f"{row['kind']}_low": low, f"{row['kind']}_high": high}
    for kind, own in (("own", True), ("other", False)):
        rows = [row for row in cells if (row["source"] == row["target"]) is own]
        found[f"significant_{kind}"] = sum(row["q"] is not None and row["q"] < LEVEL for row in rows)
        found[f"cells_{kind}"] = len(rows)
    return found


def _square(cells: Sequence[Row], name: str, size: int) -> Matrix:
    """One number of the measured cells; NaN where it is unknown."""
    return np.array([row[name] for row in cells], dtype=float).reshape(size, size)


def _wide(matrices: Mapping[str, Matrix], tasks: Sequence[str]) -> list[Row]:
    """A row for each source, a column for each target."""
    return [
        {"method": method, "source": task, **{name: plain(cell) for name, cell in zip(tasks, row, strict=True)}}
        for method, matrix in matrices.items()
        for task, row in zip(tasks, matrix, strict=True)
    ]
