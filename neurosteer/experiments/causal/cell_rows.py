"""The measured cells one by one: beside their controls, what was predicted, and their targets' clean margins."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
from scipy import stats

from neurosteer.experiments.experiment import Work
from neurosteer.experiments.shared.intervals import plain

from .measured import CellNumbers, Measured, others_controls
from .predictions import Predictions
from .result import Cell

CELL_CONTROLS = 199  # with fewer, one set among so many cannot carry a verdict on a single cell
NO_SET = CellNumbers(*(np.nan,) * 7)


def cell_rows(predictions: Predictions, measured: Measured, work: Work) -> list[Cell]:
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
    for own in (True, False):
        ps = {i: row.p for i, row in enumerate(rows) if row.own is own and _judged(row)}
        if ps:
            qs |= zip(ps, stats.false_discovery_control(list(ps.values()), method="bh").tolist(), strict=True)
    return [replace(row, q=qs.get(i)) for i, row in enumerate(rows)]


def _judged(row: Cell) -> bool:
    """Whether a single cell can have a verdict."""
    return row.controls >= CELL_CONTROLS and not row.nothing_to_lose
