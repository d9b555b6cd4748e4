"""A recipe's outcome on disk: results, tables, figures, page. The same outcome gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from neurosteer.report.canvas import save_figure, save_svg
from neurosteer.report.export import to_json
from neurosteer.store import write_bytes

from .csvs import outcome_csvs
from .draw import outcome_figures
from .page import outcome_page

DPI, PAGE_DPI = 160, 110


def write_outcome(outcome: Mapping[str, Any], folder: Path) -> list[str]:
    """Write everything that shows an outcome into a folder, each file atomically; returns the names of the files."""
    names = []

    def write(name: str, content: bytes) -> None:
        write_bytes(folder / name, content)
        names.append(name)

    write("results.json", to_json(_without_tables(outcome)).encode())
    for name, text in outcome_csvs(outcome):
        write(name, text.encode())
    pictures = {}
    for name, figure in outcome_figures(outcome):
        for suffix, save, dpi in (("png", save_figure, DPI), ("svg", save_svg, DPI)):
            file = BytesIO()
            save(figure, file, dpi=dpi)
            write(f"{name}.{suffix}", file.getvalue())
        small = BytesIO()
        save_figure(figure, small, dpi=PAGE_DPI)
        pictures[name] = small.getvalue()
    write("index.html", outcome_page(outcome, pictures).encode())
    return names


def _without_tables(outcome: Mapping[str, Any]) -> dict[str, Any]:
    """The tables are CSV files of their own, and large."""
    results = [{key: value for key, value in result.items() if key != "tables"} for result in outcome["results"]]
    return {**outcome, "results": results}
