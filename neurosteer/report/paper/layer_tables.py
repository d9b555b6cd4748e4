"""Tables of the experiments that look at every layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from neurosteer.report.numbers import NONE, number, percent

from .about import lam
from .controls import NAMES
from .matched import is_beyond, no_median
from .table import Table, abridged, mean, ranged, spread

Row = Mapping[str, Any]
NO_MATCH = "none"


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
        return NONE if row["spearman"] is None else f"{number(row['spearman'])} of {number(row['limit'])}"

    caption = "Spearman of |t| and gate, of the most that ties allow; mean over tasks whose gates differ"
    return [_grid(result, "lambda", result["lambdas"], "λ = {}", cell, caption)]


def matched_tables(result: Row) -> list[Table]:
    """Figure 5: what matches the top k."""
    k = result["k"]
    headers = ("layer", "tasks", f"top {k:,}", "random units that match", f"for each of the {k:,}", "median task")
    rows = tuple(_matched(row) for row in spread(result["rows"]))
    caption = (
        f"Random units that read as much as the top {k:,}, with 95 % intervals over tasks; {NO_MATCH}: not even all"
    )
    whole = f"{caption} others{abridged(result['rows'])}"
    return [Table(whole, (*headers, "tasks without a match"), rows, left=0)]


def control_tables(result: Row, k: int) -> list[Table]:
    """Each variant in a row, over all layers."""
    rows = []
    for variant in result["variants"]:
        curves = result["curves"][variant]
        matched = curves["fig5"]["rows"]
        random = [row["accuracy"] for row in curves["fig5"]["curves"] if row["size"] == k]
        multiples = [row["multiple"] for row in matched if row["multiple"] is not None]
        rows.append(
            (
                NAMES.get(variant, variant),
                number(mean([row["accuracy"] for row in curves["fig2"]["dense"]])),
                number(mean([row["top"] for row in matched])),
                number(mean(random)),
                times(median(multiples)) if multiples else NONE,
                f"{sum(map(is_beyond, matched))} of {len(matched)}",
            )
        )
    headers = ("variant", "dense", f"top {k:,}", f"random {k:,}", "median multiple", "layers without a match")
    return [Table("Means over layers of the mean test accuracy over tasks", headers, tuple(rows))]


def times(value: float | None) -> str:
    """A multiple, with its sign."""
    return NONE if value is None else f"{value:.1f}×"  # noqa: RUF001  (a multiplication sign)


def _grid(result: Row, key: str, points: Sequence[float | int], head: str, cell: Any, caption: str) -> Table:
    """Layers in rows, points of the grid in columns."""
    found = {(row["layer"], row[key]): row for row in result["rows"]}
    layers = sorted({layer for layer, _ in found})
    dense = {row["layer"]: number(row["accuracy"]) for row in result.get("dense", ())}
    rows = tuple(
        (
            str(layer),
            *(cell(found[layer, point]) if (layer, point) in found else NONE for point in points),
            *([dense.get(layer, NONE)] if dense else []),
        )
        for layer in spread(layers)
    )
    names = (head.format(_point(point)) for point in points)
    return Table(f"{caption}{abridged(layers)}", ("layer", *names, *(["dense"] if dense else [])), rows, left=0)


def _relative(result: Row, key: str, sign: str) -> Table:
    """Over all layers: what share of the dense probe's accuracy each point reaches, and in how many layers 95 %."""
    rows = []
    for point in dict.fromkeys(row[key] for row in result["rows"]):
        of_point = [row for row in result["rows"] if row[key] == point]
        known = [row["relative"] for row in of_point if row["relative"] is not None]
        kept = [percent(mean([row["kept"] for row in of_point]))] if key == "lambda" else []
        enough = f"{sum(value >= 0.95 for value in known)} of {len(known)}"
        rows.append((f"{sign} = {_point(point)}", *kept, number(mean(known)), enough))
    headers = (sign, *(["units kept"] if key == "lambda" else []), "accuracy / dense", "layers with .95 or more")
    return Table(
        "Accuracy relative to the dense probe: mean over tasks where that reads anything, then layers",
        headers,
        tuple(rows),
    )


def _point(point: float | int) -> str:
    return f"{point:,}" if isinstance(point, int) else lam(point)


def _matched(row: Row) -> tuple[str, ...]:
    left_out = f" ({row['excluded']} left out)" if row["excluded"] else ""
    beyond = is_beyond(row)
    size, multiple = _open(row, "equivalent", lambda value: f"{value:,.0f}"), _open(row, "multiple", times)
    unmatched = f"{row['censored_tasks']} of {row['tasks']}"
    middle = NO_MATCH if no_median(row) else times(row["median_multiple"])
    top = ranged(row["top"], row["top_low"], row["top_high"])
    known = beyond or row["multiple"] is not None
    return (
        str(row["layer"]),
        f"{row['tasks']}{left_out}",
        top,
        size if known else NONE,
        multiple if known else NONE,
        middle,
        unmatched,
    )


def _open(row: Row, key: str, written: Any) -> str:
    """A number with its interval, either of which may have no upper end."""
    value, low, high = (row[f"{key}{end}"] for end in ("", "_low", "_high"))
    text = NO_MATCH if value is None else written(value)
    if low is None:
        return text
    return f"{text} [{written(low)}, {NO_MATCH if high is None else written(high)}]"
