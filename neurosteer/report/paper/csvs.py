"""The tables of an outcome as CSV files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from neurosteer.report.export import rows_csv

Row = Mapping[str, Any]
DIGITS = 6  # significant ones, of every float


def outcome_csvs(outcome: Row) -> Iterator[tuple[str, str]]:
    """Name and text of each: `fig5.csv`, `fig5.tasks.csv`."""
    for result in outcome["results"]:
        for name, rows in result["tables"].items():
            yield csv_name(result["experiment"], name), rows_csv([_rounded(row) for row in rows])


def csv_name(experiment: str, table: str) -> str:
    """The main table has the experiment's own name."""
    return f"{experiment}.{table}.csv" if table else f"{experiment}.csv"


def _rounded(row: Row) -> dict[str, Any]:
    """A row with its floats cut to what they are worth; no zero has a sign."""
    return {
        column: float(f"{value:.{DIGITS}g}") + 0.0 if isinstance(value, float) else value
        for column, value in row.items()
    }
