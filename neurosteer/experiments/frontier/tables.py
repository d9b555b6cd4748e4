"""Tables of the frontier: areas, and what is lost at each KL."""

from __future__ import annotations

from neurosteer.experiments.scope import Scope
from neurosteer.report.numbers import NONE, p_value
from neurosteer.report.table import Table, ranged

from .result import Frontier


def tables(result: Frontier, scope: Scope) -> list[Table]:
    return [_areas(result), _families(result)]


def _areas(result: Frontier) -> Table:
    most = max(result.budgets)
    caption = (
        f"Mean share of the margin lost over all KLs up to {most:g} nats per token; mean over tasks with the 95 % "
        f"interval of Student's t; massive units are in no set{left_out(result)}"
    )
    return Table.of(
        caption,
        result.areas,
        [
            ("method", lambda row: row.method),
            ("own task", lambda row: ranged(row.own)),
            ("matched orders", lambda row: ranged(row.controls)),
            ("other tasks, size", lambda row: ranged(row.others)),
        ],
    )


def _families(result: Frontier) -> Table:
    caption = (
        "Share of the margin lost at each KL. All rows are one declared family: p of a stratified permutation over "
        f"tasks against {result.controls} matched orders, two-sided, q by Benjamini-Hochberg; the last column is the "
        f"difference from {result.methods[0]} at the same KL"
    )
    return Table.of(
        caption,
        result.families,
        [
            ("method", lambda row: row.method),
            ("KL", lambda row: f"{row.kl:g}"),
            ("own task", lambda row: ranged(row.own)),
            ("beyond matched", lambda row: ranged(row.beyond)),
            ("p", lambda row: p_value(row.p)),
            ("q", lambda row: p_value(row.q)),
            ("other tasks, size", lambda row: ranged(row.others)),
            ("beside the first", lambda row: NONE if row.method == result.methods[0] else ranged(row.beside)),
        ],
    )


def left_out(result: Frontier) -> str:
    """The tasks without a preference to lose; with a semicolon before them."""
    return f"; left out, with nothing to lose: {', '.join(result.left_out)}" if result.left_out else ""
