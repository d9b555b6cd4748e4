"""The causal transfer matrix, gathered: what is predicted of every cell, what was measured, what agrees with it."""

from __future__ import annotations

from collections.abc import Sequence

from neurosteer.experiments.experiment import Work
from neurosteer.experiments.scope import Scope
from neurosteer.experiments.shared.intervals import plain
from neurosteer.runner.units import Read
from neurosteer.vocabulary import LEVEL, Method

from .agreement import agreements
from .cell_rows import CELL_CONTROLS, cell_rows
from .contrasts import control_means, mean_drops
from .families import family_rows
from .measured import Measured, read_measured
from .neutral import neutral_rows
from .nulls import null_sets_name
from .predictions import read_predictions
from .result import KINDS, CausalTransfer, Cell, MeanDrop, MethodSummary, NullChange
from .sources import massive_units

NAME = "causal"


def compute(read: Read, work: Work, _: Scope) -> CausalTransfer:
    """The result, when all units are done."""
    recipe, names, phenomena = work.recipe, work.names, work.phenomena
    measured, predictions = read_measured(read, work), read_predictions(read, work)
    cells = {one.method: cell_rows(one, measured, work) for one in predictions}
    places = [names.index(task) for task in measured.tasks]
    effects = {one.method: mean_drops(one, measured, phenomena, recipe.seed) for one in predictions}
    return CausalTransfer(
        experiment=NAME,
        layer=work.design.layer,
        k=work.design.k,
        controls=recipe.controls,
        cell_controls=CELL_CONTROLS,
        null_searches=recipe.nulls,
        pairs=recipe.test_pairs,
        tasks=names,
        phenomena=phenomena,
        measured=list(measured.tasks),
        nothing_to_lose=[task for task, kept in zip(measured.tasks, measured.preferred, strict=True) if not kept],
        methods=recipe.methods,
        massive=massive_units(read, names, work.design.layer),
        predicted={one.method: [[plain(cell) for cell in row] for row in one.predicted] for one in predictions},
        cells=[row for rows in cells.values() for row in rows],
        families=[row for method in recipe.methods for row in family_rows(measured, method, recipe.seed)],
        neutral=neutral_rows(read, work),
        effects=[row for rows in effects.values() for row in rows],
        control_means=[row for method in recipe.methods for row in control_means(method, measured)],
        null_changes=[row for method in recipe.methods for row in null_changes(read, method, measured)],
        agreement=[row for one in predictions for row in agreements(one, measured, names, phenomena, recipe.seed)],
        summary={
            one.method: summary(cells[one.method], effects[one.method], one.in_common(places)) for one in predictions
        },
    )


def null_changes(read: Read, method: Method, measured: Measured) -> list[NullChange]:
    """What each null set does to the margin of its own task."""
    return [
        NullChange(method, task, i, int((read(null_sets_name(task)).arrays[method][i] >= 0).sum()), float(delta))
        for task, deltas in zip(measured.tasks, measured.nulls[method], strict=True)
        for i, delta in enumerate(deltas)
    ]


def summary(
    cells: Sequence[Cell], effects: Sequence[MeanDrop], in_common: tuple[float | None, float | None]
) -> MethodSummary:
    """Mean changes of the measured cells by kind; how many stand out, where single cells are judged."""
    changes = {row.kind: row.change for row in effects if row.what == "measured"}
    means: dict[str, float | None] = {}
    for kind in KINDS:
        change = changes[kind]
        means |= {f"{kind}_delta": change.value, f"{kind}_low": change.low, f"{kind}_high": change.high}
    judged_own, significant_own = _significant(cells, own=True)
    judged_other, significant_other = _significant(cells, own=False)
    return MethodSummary(
        cells=len(cells),
        judged_own=judged_own,
        significant_own=significant_own,
        judged_other=judged_other,
        significant_other=significant_other,
        in_common=in_common[0],
        in_common_chance=in_common[1],
        **means,
    )


def _significant(cells: Sequence[Cell], *, own: bool) -> tuple[int, int | None]:
    """How many cells are judged, and how many have q below .05; None where none is judged."""
    qs = [cell.q for cell in cells if cell.own is own and cell.q is not None]
    return len(qs), sum(q < LEVEL for q in qs) if qs else None
