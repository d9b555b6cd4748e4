"""Finished evidence as a run folder: neuron sets, tables, figures and one results.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from neurosteer.model import Model
from neurosteer.progress import QUIET, Progress
from neurosteer.results import Json, record
from neurosteer.store import file_stem
from neurosteer.studies.runs import run_folder, write_run

from .result import Evidence, with_files, write_evidence

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save_evidence(
    model: Model,
    found: Sequence[Evidence],
    *,
    out: Path,
    options: Mapping[str, Json],
    progress: Progress = QUIET,
) -> tuple[Path, dict[str, Json]]:
    """Write the evidence of one task's neuron sets, one per method, below `out`; returns folder and JSON object."""
    folder = run_folder(out, "evidence", model, [(found[0].task, found[0].digest)], options)
    stem = file_stem(found[0].task)
    figures = {stem: partial(_figure, found, model.name)}
    if any(one.curve for one in found):
        figures[f"{stem}.curve"] = partial(_curve, [one for one in found if one.curve], model.name)
    if any(one.map for one in found):
        figures[f"{stem}.map"] = partial(_map, found, model.name)
    run = write_run(
        folder,
        model,
        [record(with_files(folder, one)) for one in found],
        command="evidence",
        options=options,
        fill=lambda draft: write_evidence(draft, found),
        figures=figures,
        progress=progress,
    )
    return folder, run


def _figure(found: Sequence[Evidence], model: str) -> Figure:
    from neurosteer.report import evidence_figure  # not before there is something to draw

    return evidence_figure(found, model)


def _curve(found: Sequence[Evidence], model: str) -> Figure:
    from neurosteer.report import faithfulness_figure

    return faithfulness_figure(found, model)


def _map(found: Sequence[Evidence], model: str) -> Figure:
    from neurosteer.report import map_figure

    return map_figure(found, model)
