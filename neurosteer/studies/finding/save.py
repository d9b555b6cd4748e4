"""A finished `find` as a run folder: rankings, probes, tables, figures and one results.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from neurosteer.errors import InputError
from neurosteer.model import Model
from neurosteer.report import find_figure, layers_csv, save_pictures
from neurosteer.results import FindResult, Json, record
from neurosteer.store import MANIFEST, SUFFIX, file_stem, write_bytes
from neurosteer.studies.runs import Described, run_folder, write_run

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
    folder = run_folder(out, "find", model, [found.pairs for found in founds], options)
    return folder, _write(folder, model, founds, options, skipped)


def save_found(found: Found, folder: Path) -> Path:
    """Write one `find` as a run folder, in the place of an older one. Raises `InputError` for another folder."""
    if folder.exists() and not (folder / MANIFEST).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is there and is no run of neurosteer's; name another folder")
    model = _Recorded(next(iter(found.rankings.values())).about["network"])
    _write(folder, model, [found], {"n": len(found.pairs)}, ())
    return folder


@dataclass(frozen=True)
class _Recorded:
    """The model that a ranking was made with, as the ranking records it."""

    network: Mapping[str, Json]

    @property
    def name(self) -> str:
        return str(self.network["name"])

    def describe(self) -> dict[str, Json]:
        return dict(self.network)


def _write(
    folder: Path,
    model: Described,
    founds: Sequence[Found],
    options: Mapping[str, Json],
    skipped: Sequence[Mapping[str, str]],
) -> dict[str, Json]:
    results = [_with_paths(found.result, folder) for found in founds]

    def fill(draft: Path) -> None:
        for found, result in zip(founds, results, strict=True):
            stem = file_stem(found.task)
            for method, path in result.rankings.items():
                found.rankings[method].save(draft / Path(path).name)
            write_probes(probes_path(draft, found.task), found.directions, found.pairs, found.split)
            write_bytes(draft / f"{stem}.csv", layers_csv(result).encode())
            save_pictures(find_figure(result, model=model.name), draft / stem)

    return write_run(
        folder,
        model,
        [record(result) for result in results],
        command="find",
        options=options,
        fill=fill,
        skipped=[dict(row) for row in skipped],
    )


def _with_paths(result: FindResult, folder: Path) -> FindResult:
    stem = file_stem(result.task)
    return replace(result, rankings={method: str(folder / f"{stem}.{method}{SUFFIX}") for method in result.methods})
