"""Finished effects as a run folder: margins per pair, neuron sets, figures and one results.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from neurosteer.model import Model
from neurosteer.report import dose_figure, effect_figure, save_pictures
from neurosteer.store import SUFFIX, file_stem, write_bytes
from neurosteer.studies.runs import run_folder, write_run

from .effect import Effect


def save_effects(
    model: Model,
    effects: Sequence[Effect],
    *,
    command: str,
    out: Path,
    options: Mapping[str, Any],
) -> tuple[Path, dict[str, Any]]:
    """Write the effects of one task's neuron sets, one per method, below `out`; returns folder and JSON object."""
    folder = run_folder(out, command, model, [effects[0].pairs], options)
    stem = file_stem(effects[0].pairs.task)
    names = [f"{stem}.{file_stem(effect.entry['method'] or 'given')}" for effect in effects]

    def fill(draft: Path) -> None:
        for name, effect in zip(names, effects, strict=True):
            effect.edit.neurons.save(draft / f"{name}{SUFFIX}")
            write_bytes(draft / f"{name}.csv", effect.to_csv().encode())
            if len(effect.entry["doses"]) > 1:
                save_pictures(dose_figure(effect.entry, model=model.name), draft / f"{name}.doses")
        save_pictures(effect_figure([effect.entry for effect in effects], model=model.name), draft / stem)

    entries = [
        {**effect.entry, "files": {"neurons": str(folder / f"{name}{SUFFIX}"), "pairs": str(folder / f"{name}.csv")}}
        for name, effect in zip(names, effects, strict=True)
    ]
    return folder, write_run(folder, model, entries, command=command, options=options, fill=fill)
