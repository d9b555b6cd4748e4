"""A finished `find` as a run folder: rankings, tables, figures and one results.json, all or nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from neurosteer.model import Model
from neurosteer.report import find_figure, layers_csv, save_figure, to_json
from neurosteer.store import SUFFIX, digest_of, write_bytes, write_manifest

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
            for method, path in entry["rankings"].items():
                found.rankings[method].save(draft / Path(path).name)
            write_bytes(draft / f"{found.task}.csv", layers_csv(entry).encode())
            save_figure(find_figure(entry, model=model.name), draft / f"{found.task}.png")
        write_bytes(draft / RESULTS, to_json(result).encode())
        write_manifest(draft)
        if folder.exists():
            shutil.move(folder, Path(scratch) / "before")
        os.replace(draft, folder)
    return folder, result


def _name(model: Model, founds: Sequence[Found], options: Mapping[str, Any]) -> str:
    digests = [found.entry["data"]["digest"] for found in founds]
    asked = digest_of([model.describe(), digests, dict(options)])[:8]
    tasks = founds[0].task if len(founds) == 1 else f"{founds[0].task}+{len(founds) - 1}"
    return f"find-{tasks}-{Path(model.name).name}-{asked}"


def _paths(folder: Path, found: Found) -> dict[str, str]:
    return {method: str(folder / f"{found.task}.{method}{SUFFIX}") for method in found.rankings}
