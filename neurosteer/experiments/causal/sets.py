"""The neuron sets of a task, one by each method, each with matched controls of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from neurosteer.experiments.experiment import Work
from neurosteer.experiments.shared.one_layer import one_layer_name
from neurosteer.neurons import NeuronSet, matched_controls
from neurosteer.results import read_record, record
from neurosteer.runner.units import Read, Unit, UnitResult
from neurosteer.seeds import seed_of
from neurosteer.store import file_stem
from neurosteer.vocabulary import CausalMethod, Json

from .settings import causal_methods
from .sources import chosen_set, ranking_needs, ranking_of


class SetKey(NamedTuple):
    """Names a neuron set: the task that it is of, and the method that chose it."""

    source: str
    method: CausalMethod


@dataclass(frozen=True)
class Matching:
    """Of the neurons of a set, on average over its controls: None of an empty one."""

    unmatched: float | None  # with no other of their block
    overlap: float | None  # in the control too

    @classmethod
    def of(cls, controls: Sequence[NeuronSet]) -> Matching:
        if not controls:
            return cls(None, None)
        parts = ([float(one.metadata[name]) for one in controls] for name in ("unmatched", "overlap"))
        return cls(*(float(np.mean(part)) for part in parts))


def sets_name(task: str) -> str:
    return f"sets-{file_stem(task)}"


def sets_unit(work: Work, task: str) -> Unit:
    """The set of each method and its controls, which all targets share: `<method>` `[variant neuron]`, the set first.

    A method that chose no neuron has no rows. What is drawn for one method depends on no other.
    """
    recipe = work.recipe

    def compute(read: Read) -> UnitResult:
        arrays: dict[str, np.ndarray] = {}
        matching: dict[str, Json] = {}
        for method in causal_methods(recipe):
            chosen = chosen_set(read, work, task, method)
            seed = seed_of(recipe.seed, task, method)
            controls = matched_controls(chosen, recipe.controls, seed) if len(chosen) else []
            every = [chosen, *controls] if len(chosen) else []
            units = np.array([one.units.tolist() for one in every], dtype=np.int64)
            arrays[method] = units.reshape(len(every), len(chosen))
            matching[method] = record(Matching.of(controls))
        return UnitResult(arrays, {"task": task, "about": matching})

    needs = tuple(dict.fromkeys(need for method in causal_methods(recipe) for need in ranking_needs(task, method)))
    cost = 0.01 * len(causal_methods(recipe)) * recipe.controls
    size = 8 * len(causal_methods(recipe)) * (1 + recipe.controls) * work.design.k
    return Unit(sets_name(task), task, cost, compute, needs=needs, size=size)


def matching_of(sets: UnitResult, method: CausalMethod) -> Matching:
    """How the controls of a method's set match it, from the unit of `sets_unit`."""
    return read_record(Matching, sets.values["about"][method])


def sets_needs(keys: Sequence[SetKey]) -> tuple[str, ...]:
    """The units that `read_set` reads for these sets."""
    return tuple(dict.fromkeys(need for key in keys for need in (sets_name(key.source), one_layer_name(key.source))))


def read_set(read: Read, work: Work, key: SetKey) -> list[NeuronSet]:
    """A set, then its controls; nothing where the method chose no neuron."""
    return as_sets(read, work, key.source, read(sets_name(key.source)).arrays[key.method])


def as_sets(read: Read, work: Work, task: str, units: Int[np.ndarray, "variant neuron"]) -> list[NeuronSet]:
    """Rows of units as neuron sets, beside the statistics of the task's train sentences; -1 is no unit."""
    layer = work.design.layer
    ranking = ranking_of(read, work, task, "welch")
    return [ranking.pick((layer, unit) for unit in row if unit >= 0) for row in units.tolist()]
