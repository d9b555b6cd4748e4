"""Finished effects as a run folder: margins per pair, neuron sets, figures and one results.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from neurosteer.model import Model
from neurosteer.progress import QUIET, Progress
from neurosteer.results import Json, record
from neurosteer.store import file_stem
from neurosteer.studies.runs import run_folder, write_run

from .effect import Effect, effect_files, effect_stem, write_effect

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save_effects(
    model: Model,
    effects: Sequence[Effect],
    *,
    command: str,
    out: Path,
    options: Mapping[str, Json],
    progress: Progress = QUIET,
) -> tuple[Path, dict[str, Json]]:
    """Write the effects of one task's neuron sets, one per method, below `out`; returns folder and JSON object."""
    folder = run_folder(out, command, model, [(effects[0].task, effects[0].digest)], options)

    def fill(draft: Path) -> None:
        for effect in effects:
            write_effect(draft, effect)

    figures = {
        f"{effect_stem(effect)}.doses": partial(_dose_figure, effect, model.name)
        for effect in effects
        if len(effect.by_scale) > 1
    }
    figures[file_stem(effects[0].task)] = partial(_effect_figure, effects, model.name)
    entries = [record(replace(effect, files=effect_files(folder, effect))) for effect in effects]
    run = write_run(
        folder, model, entries, command=command, options=options, fill=fill, figures=figures, progress=progress
    )
    return folder, run


def _effect_figure(effects: Sequence[Effect], model: str) -> Figure:
    from neurosteer.report import effect_figure  # not before there is something to draw

    return effect_figure(effects, model)


def _dose_figure(effect: Effect, model: str) -> Figure:
    from neurosteer.report import dose_figure

    return dose_figure(effect, model)
