"""The neuron sets of a task, one by each method, each with matched controls of its own."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from neurosteer.experiments.design import Design
from neurosteer.experiments.focus import focus_name
from neurosteer.model import Model
from neurosteer.neurons import NeuronSet, matched_controls
from neurosteer.runner.recipe import Recipe
from neurosteer.runner.units import Read, Unit, UnitResult
from neurosteer.seeds import seed_of
from neurosteer.store import file_stem

from .sources import needs_of, ranking_of

SetKey = tuple[str, str]  # a source and a method


def sets_name(task: str) -> str:
    return f"sets-{file_stem(task)}"


def sets_unit(model: Model, task: str, recipe: Recipe, design: Design) -> Unit:
    """The set of each method and its controls, which all targets share: `<method>` `[variant neuron]`, the set first.

    A method that chose no unit has no rows. What is drawn for one method depends on no other.
    """

    def compute(read: Read) -> UnitResult:
        arrays, about = {}, {}
        for method in recipe.methods:
            ranking = ranking_of(read, task, method, design.layer, model=model.fingerprint, site=recipe.site)
            chosen = ranking.top(recipe.topk, layers=design.layer)
            seed = seed_of(recipe.seed, task, method)
            controls = matched_controls(chosen, recipe.controls, seed) if len(chosen) else []
            every = [chosen, *controls] if len(chosen) else []
            units = np.array([one.units.tolist() for one in every], dtype=np.int64)
            arrays[method] = units.reshape(len(every), len(chosen))
            about[method] = {name: _mean(controls, name) for name in ("unmatched", "overlap")}
        return UnitResult(arrays, {"task": task, "about": about})

    needs = tuple(dict.fromkeys(need for method in recipe.methods for need in needs_of(task, method)))
    cost = 0.01 * len(recipe.methods) * recipe.controls
    size = 8 * len(recipe.methods) * (1 + recipe.controls) * design.k
    return Unit(sets_name(task), task, cost, compute, needs=needs, size=size)


def needs_of_sets(task: str) -> tuple[str, ...]:
    """The units that `sets_of` reads."""
    return sets_name(task), focus_name(task)


def sets_of(read: Read, model: Model, key: SetKey, site: str, layer: int) -> list[NeuronSet]:
    """A set, then its controls; nothing where the method chose no unit."""
    task, method = key
    return as_sets(read, model, task, read(sets_name(task)).arrays[method], site, layer)


def as_sets(
    read: Read, model: Model, task: str, units: Int[np.ndarray, "variant neuron"], site: str, layer: int
) -> list[NeuronSet]:
    """Rows of units as neuron sets, beside the statistics of the task's train sentences; -1 is no unit."""
    ranking = ranking_of(read, task, "welch", layer, model=model.fingerprint, site=site)
    return [ranking.pick((layer, unit) for unit in row if unit >= 0) for row in units.tolist()]


def _mean(controls: list[NeuronSet], name: str) -> float | None:
    return float(np.mean([control.metadata[name] for control in controls])) if controls else None
