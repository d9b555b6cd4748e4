"""Generated text as a run folder: one results.json, and the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from neurosteer.model import Model
from neurosteer.progress import QUIET, Progress
from neurosteer.report import rows_csv
from neurosteer.results import Json, record
from neurosteer.results.text import Continuation
from neurosteer.store import digest_of, write_bytes

from .runs import run_folder, write_run


def save_texts(
    model: Model,
    task: str,
    texts: Sequence[Continuation],
    *,
    out: Path,
    options: Mapping[str, Json],
    progress: Progress = QUIET,
) -> tuple[Path, dict[str, Json]]:
    """Write what a model has written, by neurons found on `task`, below `out`; returns folder and JSON object."""
    rows = [record(text) for text in texts]
    folder = run_folder(out, "generate", model, [(task, digest_of(sorted({text.prompt for text in texts})))], options)

    def fill(draft: Path) -> None:
        flat = [{name: row[name] for name in ("method", "prompt", "before", "after")} for row in rows]
        scales = [text.edit.scale for text in texts]
        lines = [{"scale": scale, **row} for scale, row in zip(scales, flat, strict=True)]
        write_bytes(draft / "texts.csv", rows_csv(lines).encode())

    run = write_run(folder, model, rows, command="generate", options=options, fill=fill, progress=progress)
    return folder, run
