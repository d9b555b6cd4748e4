"""Finished effects as a run folder: margins per pair, neuron sets, figures and one results.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from neurosteer.model import Model
from neurosteer.report import dose_figure, effect_figure, save_pictures
from neurosteer.results import Json, record
from neurosteer.store import file_stem
from neurosteer.studies.runs import run_folder, write_run

from .effect import Effect, effect_files, effect_stem, write_effect


def save_effects(
    model: Model,
    effects: Sequence[Effect],
    *,
    command: str,
    out: Path,
    options: Mapping[str, Json],
) -> tuple[Path, dict[str, Json]]:
    """Write the effects of one task's neuron sets, one per method, below `out`; returns folder and JSON object."""
    folder = run_folder(out, command, model, [(effects[0].task, effects[0].digest)], options)

    def fill(draft: Path) -> None:
        for effect in effects:
            write_effect(draft, effect)
            if len(effect.by_scale) > 1:
                save_pictures(dose_figure(effect, model=model.name), draft / f"{effect_stem(effect)}.doses")
        save_pictures(effect_figure(effects, model=model.name), draft / file_stem(effects[0].task))

    entries = [record(replace(effect, files=effect_files(folder, effect))) for effect in effects]
    return folder, write_run(folder, model, entries, command=command, options=options, fill=fill)
