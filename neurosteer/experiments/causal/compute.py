"""The causal transfer matrix, gathered: what is predicted of every cell, what was measured, what agrees with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from scipy import stats

from neurosteer.experiments.experiment import Work
from neurosteer.experiments.intervals import plain
from neurosteer.experiments.scope import Scope
from neurosteer.runner.units import Read
from neurosteer.vocabulary import LEVEL, CausalMethod

from .agreement import agreements
from .contrasts import control_means, mean_drops
from .families import family_rows
from .measured import CellNumbers, MeasuredCells, others_controls, read_measured
from .neutral import neutral_rows
from .nulls import null_sets_name
from .predictions import Predictions, read_predictions
from .result import KINDS, CausalTransfer, Cell, MeanDrop, MethodSummary, NullChange
from .settings import causal_methods
from .sources import massive_units

NAME = "causal"
CELL_CONTROLS = 199  # with fewer, one set among so many cannot carry a verdict on a single cell
NO_SET = CellNumbers(*(np.nan,) * 7)


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
        methods=causal_methods(recipe),
        massive=massive_units(read, names, work.design.layer),
        predicted={one.method: [[plain(cell) for cell in row] for row in one.predicted] for one in predictions},
        cells=[row for rows in cells.values() for row in rows],
        families=[row for method in causal_methods(recipe) for row in family_rows(measured, method, recipe.seed)],
        neutral=neutral_rows(read, work),
        effects=[row for rows in effects.values() for row in rows],
        control_means=[row for method in causal_methods(recipe) for row in control_means(method, measured)],
        null_changes=[row for method in causal_methods(recipe) for row in null_changes(read, method, measured)],
        agreement=[row for one in predictions for row in agreements(one, measured, names, phenomena, recipe.seed)],
        summary={
            one.method: summary(cells[one.method], effects[one.method], one.in_common(places)) for one in predictions
        },
    )


def cell_rows(predictions: Predictions, measured: MeasuredCells, work: Work) -> list[Cell]:
    """The cells of a method, source by source.

    `q` (Benjamini-Hochberg) is over the own cells of the method, or over its others; None with fewer controls than a
    verdict on a single cell needs, and for targets that have nothing to lose.
    """
    method, names, phenomena = predictions.method, work.names, work.phenomena
    others = others_controls(measured.changes[method])
    rows: list[Cell] = []
    for (i, source), (j, target) in product(enumerate(measured.tasks), repeat=2):
        at, to, clean = names.index(source), names.index(target), measured.clean[j]
        numbers = measured.cells.get((method, source, target), NO_SET)
        rows.append(
            Cell(
                method=method,
                source=source,
                target=target,
                delta=plain(numbers.delta),
                controls_mean=plain(numbers.controls_mean),
                controls_sd=plain(numbers.controls_sd),
                beyond=plain(numbers.beyond),
                p=plain(numbers.p),
                accuracy_before=plain(numbers.accuracy_before),
                accuracy_after=plain(numbers.accuracy_after),
                others_controls_mean=plain(others[i, j]),
                beyond_others=plain(numbers.delta - others[i, j]),
                predicted=plain(predictions.predicted[at, to]),
                related=source != target and phenomena[at] == phenomena[to],
                margin_before=clean.margin,
                margin_low=clean.low,
                margin_high=clean.high,
                nothing_to_lose=not clean.clean,
                pairs=measured.pairs[j],
                left_out=measured.left_out[j],
                units=predictions.sizes[at],
                controls=0 if numbers is NO_SET else work.recipe.controls,
            )
        )
    return _with_q(rows)


def _with_q(rows: list[Cell]) -> list[Cell]:
    qs: dict[int, float] = {}
    judged = [row.controls >= CELL_CONTROLS and not row.nothing_to_lose for row in rows]
    for own in (True, False):
        ps = {i: row.p for i, row in enumerate(rows) if row.own is own and judged[i]}
        if ps:
            qs |= zip(ps, stats.false_discovery_control(list(ps.values()), method="bh").tolist(), strict=True)
    return [replace(row, q=qs.get(i)) for i, row in enumerate(rows)]


def null_changes(read: Read, method: CausalMethod, measured: MeasuredCells) -> list[NullChange]:
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
