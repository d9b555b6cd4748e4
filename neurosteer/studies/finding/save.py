"""A finished `find` as a run folder: rankings, probes, tables, figures and one results.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from neurosteer.model import Model
from neurosteer.report import find_figure, layers_csv, save_pictures
from neurosteer.results import FindResult, Json, record
from neurosteer.store import SUFFIX, file_stem, write_bytes
from neurosteer.studies.runs import refuse_foreign, run_folder, write_folder, write_run

from .found import Found
from .probes_file import probes_path, write_probes


def save_find(
    model: Model,
    founds: Sequence[Found],
    *,
    out: Path,
    options: Mapping[str, Json],
    skipped: Sequence[Mapping[str, str]] = (),
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
        fill=lambda draft: _fill(draft, founds, results, model.name),
        skipped=[dict(row) for row in skipped],
    )
    return folder, run


def save_found(found: Found, folder: Path) -> Path:
    """Write one `find` as a run folder, in the place of an older one. Raises `InputError` for another folder."""
    refuse_foreign(folder)
    model = next(iter(found.rankings.values())).metadata["network"]
    result = _with_paths(found.result, folder)
    run: dict[str, Json] = {
        "command": "find",
        "version": version("neurosteer"),
        "model": model,
        "options": {"n": len(found.pairs)},  # so that they are the first of their source
        "results": [record(result)],
        "skipped": [],
    }
    write_folder(folder, run, lambda draft: _fill(draft, [found], [result], model["name"]))
    return folder


def _with_paths(result: FindResult, folder: Path) -> FindResult:
    stem = file_stem(result.task)
    return replace(result, rankings={method: str(folder / f"{stem}.{method}{SUFFIX}") for method in result.methods})


def _fill(draft: Path, founds: Sequence[Found], results: Sequence[FindResult], model: str) -> None:
    """Write all but results.json."""
    for found, result in zip(founds, results, strict=True):
        stem = file_stem(found.task)
        for method, path in result.rankings.items():
            found.rankings[method].save(draft / Path(path).name)
        write_probes(probes_path(draft, found.task), found.directions, found.pairs, found.split)
        write_bytes(draft / f"{stem}.csv", layers_csv(result).encode())
        save_pictures(find_figure(result, model=model), draft / stem)
