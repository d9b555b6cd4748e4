"""A finished `find` as a run folder: rankings, probes, tables, figures and one results.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from neurosteer.model import Model
from neurosteer.progress import QUIET, Progress
from neurosteer.report import layers_csv
from neurosteer.results import FindResult, Json, record
from neurosteer.store import SUFFIX, file_stem, write_bytes
from neurosteer.studies.runs import Figures, run_folder, write_alone, write_run

from .found_parts import FoundParts
from .probes_file import probes_path, write_probes
from .top_states import states_path, write_top_states

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save_find(
    model: Model,
    founds: Sequence[FoundParts],
    *,
    out: Path,
    options: Mapping[str, Json],
    skipped: Sequence[Mapping[str, str]] = (),
    progress: Progress = QUIET,
) -> tuple[Path, dict[str, Json]]:
    """Write a run folder below `out` and return it with the JSON object of the command."""
    folder = run_folder(out, "find", model, [(found.task, found.pairs.digest) for found in founds], options)
    results = [_with_paths(found.result, folder) for found in founds]
    run = write_run(
        folder,
        model,
        [record(result) for result in results],
        command="find",
        options=options,
        fill=lambda draft: _fill(draft, founds, results),
        figures=_figures(results, model.name),
        progress=progress,
        skipped=[dict(row) for row in skipped],
    )
    return folder, run


def save_found(found: FoundParts, folder: Path) -> Path:
    """Write one `find` as a run folder, in the place of an older one. Raises `InputError` for another folder."""
    network = next(iter(found.rankings.values())).metadata["network"]
    result = _with_paths(found.result, folder)
    return write_alone(
        folder,
        "find",
        network,
        result,
        lambda draft: _fill(draft, [found], [result]),
        _figures([result], network["name"]),
        options={"n": len(found.pairs)},  # so that they are the first of their source
        skipped=[],
    )


def _with_paths(result: FindResult, folder: Path) -> FindResult:
    stem = file_stem(result.task)
    return replace(result, rankings={method: str(folder / f"{stem}.{method}{SUFFIX}") for method in result.methods})


def _figures(results: Sequence[FindResult], model: str) -> Figures:
    return {file_stem(result.task): partial(_figure, result, model) for result in results}


def _figure(result: FindResult, model: str) -> Figure:
    from neurosteer.report import find_figure  # not before there is something to draw

    return find_figure(result, model)


def _fill(draft: Path, founds: Sequence[FoundParts], results: Sequence[FindResult]) -> None:
    """Write all but results.json and the figures."""
    for found, result in zip(founds, results, strict=True):
        stem = file_stem(found.task)
        for method, path in result.rankings.items():
            found.rankings[method].save(draft / Path(path).name)
        write_probes(probes_path(draft, found.task), found.directions, found.pairs, found.split)
        if found.top:
            write_top_states(states_path(draft, found.task), found.top, found.task)
        write_bytes(draft / f"{stem}.csv", layers_csv(result).encode())
