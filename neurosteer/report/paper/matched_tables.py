"""Tables of figure 5 and of the controls: what the top k are worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

from neurosteer.report.numbers import NONE, number

from .controls import NAMES
from .floor import by_luck, excluded
from .matched import is_beyond, no_median
from .table import Table, abridged, mean, ranged, spread

Row = Mapping[str, Any]
NO_MATCH = "none"


def matched_tables(result: Row) -> list[Table]:
    """Figure 5: what matches the top k."""
    k, rows = result["k"], result["rows"]
    headers = ("layer", "tasks", f"top {k:,}", "random units that match", f"for each of the {k:,}", "median task")
    caption = (
        f"Random units that read as much as the top {k:,}, with 95 % intervals; {NO_MATCH}: not even all "
        f"others{abridged(rows)}"
    )
    whole = "; ".join([caption, *by_luck(result)])
    return [Table(whole, (*headers, "tasks without a match"), tuple(map(_matched, spread(rows))), left=0)]


def control_tables(result: Row, k: int) -> list[Table]:
    """Each variant in a row, over all layers; and what the top k are worth in each, layer by layer."""
    return [_by_variant(result, k), _by_layer(result, k)]


def _by_variant(result: Row, k: int) -> Table:
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
    every = [row for variant in result["variants"] for row in result["curves"][variant]["fig5"]["rows"]]
    caption = (
        "Means over layers of the mean test accuracy over tasks: the same in every row, those whose dense probe "
        f"reaches {number(result['floor'])} on validation data in every variant ({excluded(every)} left out a layer)"
    )
    return Table("; ".join([caption, *by_luck(result)]), headers, tuple(rows))


def _by_layer(result: Row, k: int) -> Table:
    variants = result["variants"]
    matched = {variant: result["curves"][variant]["fig5"]["rows"] for variant in variants}
    layers = list(zip(*matched.values(), strict=True))
    rows = tuple((str(row[0]["layer"]), _tasks(row[0]), *map(_multiple, row)) for row in spread(layers))
    caption = f"Random units for each of the top {k:,}; {NO_MATCH}: not even all others match{abridged(layers)}"
    return Table(caption, ("layer", "tasks", *(NAMES.get(variant, variant) for variant in variants)), rows, left=0)


def times(value: float | None) -> str:
    """A multiple, with its sign."""
    return NONE if value is None else f"{value:.1f}×"  # noqa: RUF001  (a multiplication sign)


def _matched(row: Row) -> tuple[str, ...]:
    return (
        str(row["layer"]),
        _tasks(row),
        ranged(row["top"], row["top_low"], row["top_high"]),
        _open(row, "equivalent", lambda value: f"{value:,.0f}"),
        _multiple(row),
        NO_MATCH if no_median(row) else times(row["median_multiple"]),
        f"{row['censored_tasks']} of {row['tasks']}",
    )


def _tasks(row: Row) -> str:
    return f"{row['tasks']}" + (f" ({row['excluded']} left out)" if row["excluded"] else "")


def _multiple(row: Row) -> str:
    return _open(row, "multiple", times)


def _open(row: Row, key: str, written: Callable[[float], str]) -> str:
    """A number with its interval, either of which may have no upper end; a dash where nothing was read."""
    value, low, high = (row[f"{key}{end}"] for end in ("", "_low", "_high"))
    if value is None and not is_beyond(row):
        return NONE
    text = NO_MATCH if value is None else written(value)
    if low is None:
        return text
    return f"{text} [{written(low)}, {NO_MATCH if high is None else written(high)}]"
