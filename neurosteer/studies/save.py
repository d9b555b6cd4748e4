"""A finished `find` as a run folder: rankings, tables, figures and one results.json, all or nothing."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from neurosteer.errors import NeurosteerError
from neurosteer.model import Model
from neurosteer.report import find_figure, layers_csv, save_figure, to_json
from neurosteer.store import SUFFIX, digest_of, file_stem, write_bytes, write_manifest

from .finding import Found
from .runs import RESULTS


def save_find(
    model: Model,
    founds: Sequence[Found],
    *,
    out: Path,
    options: Mapping[str, Any],
    skipped: Sequence[Mapping[str, str]] = (),
) -> tuple[Path, dict[str, Any]]:
    """Write a run folder below `out` and return it with the JSON object of the command.

    The folder is named by what was asked of which model and data, so that the same question lands in the same place;
    it appears when it is complete.
    """
    folder = out / _name(model, founds, options)
    entries = [{**found.entry, "rankings": _paths(folder, found)} for found in founds]
    result: dict[str, Any] = {
        "command": "find",
        "version": version("neurosteer"),
        "model": model.describe(),
        "results": entries,
        "skipped": [dict(row) for row in skipped],
    }
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".find-") as scratch:
        draft = Path(scratch) / "run"
        draft.mkdir()
        for found, entry in zip(founds, entries, strict=True):
            stem = draft / file_stem(found.task)
            for method, path in entry["rankings"].items():
                found.rankings[method].save(draft / Path(path).name)
            write_bytes(stem.with_name(f"{stem.name}.csv"), layers_csv(entry).encode())
            save_figure(find_figure(entry, model=model.name), stem.with_name(f"{stem.name}.png"))
        write_bytes(draft / RESULTS, to_json(result).encode())
        write_manifest(draft)
        _replace(draft, folder)
    return folder, result


def _replace(draft: Path, folder: Path) -> None:
    """Put a finished folder in the place of an older one; of processes that do so at once the last one wins."""
    for attempt in range(10):
        if folder.exists():
            os.replace(folder, draft.parent / f"before-{attempt}")
        try:
            os.replace(draft, folder)
            return
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise
    raise NeurosteerError(f"cannot replace {folder}: others keep writing it")


def _name(model: Model, founds: Sequence[Found], options: Mapping[str, Any]) -> str:
    digests = [found.entry["data"]["digest"] for found in founds]
    asked = digest_of([model.describe(), digests, dict(options)])[:8]
    tasks = founds[0].task if len(founds) == 1 else f"{founds[0].task}+{len(founds) - 1}"
    return f"find-{file_stem(tasks)}-{file_stem(Path(model.name).name)}-{asked}"


def _paths(folder: Path, found: Found) -> dict[str, str]:
    return {method: str(folder / f"{file_stem(found.task)}.{method}{SUFFIX}") for method in found.rankings}
