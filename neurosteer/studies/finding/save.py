"""A finished `find` as a run folder: rankings, tables, figures and one results.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from neurosteer.model import Model
from neurosteer.report import find_figure, layers_csv, save_pictures
from neurosteer.store import SUFFIX, file_stem, write_bytes
from neurosteer.studies.runs import run_folder, write_run

from .found import Found


def save_find(
    model: Model,
    founds: Sequence[Found],
    *,
    out: Path,
    options: Mapping[str, Any],
    skipped: Sequence[Mapping[str, str]] = (),
) -> tuple[Path, dict[str, Any]]:
    """Write a run folder below `out` and return it with the JSON object of the command."""
    folder = run_folder(out, "find", model, [found.pairs for found in founds], options)
    entries = [{**found.entry, "rankings": _paths(folder, found)} for found in founds]

    def fill(draft: Path) -> None:
        for found, entry in zip(founds, entries, strict=True):
            stem = file_stem(found.task)
            for method, path in entry["rankings"].items():
                found.rankings[method].save(draft / Path(path).name)
            write_bytes(draft / f"{stem}.csv", layers_csv(entry).encode())
            save_pictures(find_figure(entry, model=model.name), draft / stem)

    result = write_run(
        folder,
        model,
        entries,
        command="find",
        options=options,
        fill=fill,
        skipped=[dict(row) for row in skipped],
    )
    return folder, result


def _paths(folder: Path, found: Found) -> dict[str, str]:
    return {method: str(folder / f"{file_stem(found.task)}.{method}{SUFFIX}") for method in found.rankings}
