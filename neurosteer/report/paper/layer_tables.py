"""Tables of figures 2 to 4, by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from neurosteer.report.numbers import NONE, number, percent

from .about import lam, span
from .floor import by_luck
from .table import Table, abridged, mean, spread

Row = Mapping[str, Any]


def mask_tables(result: Row) -> list[Table]:
    """Figure 2: kept share and accuracy."""

    def cell(row: Row) -> str:
        return f"{percent(row['kept'])}  {number(row['accuracy'])}"

    caption = "Share of units kept, and test accuracy on them; mean over tasks"
    return [_grid(result, "lambda", result["lambdas"], "λ = {}", cell, caption), _relative(result, "lambda", "λ")]


def topk_tables(result: Row) -> list[Table]:
    """Figure 3: accuracy."""
    caption = "Test accuracy of the k units of the largest |t|; mean over tasks"
    cells = _grid(result, "k", result["ks"], "k = {}", lambda row: number(row["accuracy"]), caption)
    return [cells, _relative(result, "k", "k")]


def rank_tables(result: Row) -> list[Table]:
    """Figure 4: rank correlation, and the most that it can be."""

    def cell(row: Row) -> str:
        known = row["judged"] and row["spearman"] is not None
        return f"{number(row['spearman'])} of {number(row['limit'])}" if known else NONE

    caption = (
        "Spearman of |t| and gate, of the most that ties allow; mean over tasks whose gates differ, where these are "
        "at least half"
    )
    return [_grid(result, "lambda", result["lambdas"], "λ = {}", cell, caption)]


def _grid(result: Row, key: str, points: Sequence[float | int], head: str, cell: Any, caption: str) -> Table:
    """Layers in rows, points of the grid in columns, and what is known of the dense probe."""
    found = {(row["layer"], row[key]): row for row in result["rows"]}
    layers = sorted({layer for layer, _ in found})
    names, dense = _dense(result)
    rows = tuple(
        (
            str(layer),
            *(cell(found[layer, point]) if (layer, point) in found else NONE for point in points),
            *(dense.get(layer, (NONE, NONE)) if names else ()),
        )
        for layer in spread(layers)
    )
    headers = ("layer", *(head.format(_point(point)) for point in points), *names)
    below = f"; {names[-1]}: whose dense probe reads less on validation data" if names else ""
    return Table(f"{caption}{abridged(layers)}{below}", headers, rows, left=0)


def _dense(result: Row) -> tuple[tuple[str, ...], dict[int, tuple[str, str]]]:
    """Accuracy of the dense probe by layer, and how many tasks have one below the floor."""
    if "dense" not in result:
        return (), {}
    excluded = {row["layer"]: row["excluded"] for row in result["rows"]}
    found = {row["layer"]: (number(row["accuracy"]), str(excluded[row["layer"]])) for row in result["dense"]}
    return ("dense", f"tasks below {number(result['floor'])}"), found


def _relative(result: Row, key: str, sign: str) -> Table:
    """Over all layers: what share of the dense probe's accuracy each point reaches, and in how many layers 95 %."""
    rows = []
    for point in dict.fromkeys(row[key] for row in result["rows"]):
        of_point = [row for row in result["rows"] if row[key] == point]
        known = [row["relative"] for row in of_point if row["relative"] is not None]
        kept = [percent(mean([row["kept"] for row in of_point]))] if key == "lambda" else []
        enough = f"{sum(value >= 0.95 for value in known)} of {len(known)}"
        tasks = span(row["relative_tasks"] for row in of_point)
        rows.append((f"{sign} = {_point(point)}", *kept, number(mean(known)), enough, tasks))
    kept_too = ["units kept"] if key == "lambda" else []
    headers = (sign, *kept_too, "accuracy / dense", "layers with .95 or more", "tasks a layer")
    caption = (
        "Accuracy relative to the dense probe: mean over tasks where that reaches "
        f"{number(result['floor'])} on validation data, then over layers"
    )
    return Table("; ".join([caption, *by_luck(result)]), headers, tuple(rows))


def _point(point: float | int) -> str:
    return f"{point:,}" if isinstance(point, int) else lam(point)
