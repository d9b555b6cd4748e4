"""Measured cells: the margins of a target task while the neurons of source tasks, and of their controls, are zero."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosteer.edits import Edit
from neurosteer.errors import InputError, did_you_mean
from neurosteer.model import Model
from neurosteer.neurons import NeuronSet
from neurosteer.pairs import Pairs, Split, sentence_hashes
from neurosteer.progress import QUIET, Progress
from neurosteer.seeds import seed_of
from neurosteer.store import digest_of, file_stem
from neurosteer.studies.effects.cases import Bench, Case
from neurosteer.studies.paper import costs
from neurosteer.studies.paper.transfer import Member
from neurosteer.studies.recipes.recipe import Recipe
from neurosteer.studies.recipes.units import Piece, Read, Unit

from .controls import controls_of
from .sources import attribution_unit, beginnings, needs_of, ranking_of

SOURCES = 4  # that one unit measures


def measured_tasks(recipe: Recipe, members: Sequence[Member]) -> list[str]:
    """The tasks whose cells are measured, in the order of `members`.

    Raises `InputError` for a name that is not among the tasks.
    """
    names = [member.task for member in members]
    if recipe.measured == "all":
        return names
    wanted = _one_each(members) if recipe.measured == "phenomena" else set(recipe.measured)
    for name in sorted(wanted - set(names)):
        known = did_you_mean(name, [*names, "phenomena", "all"])
        raise InputError(f"measured: no task '{name}' here that can be split{known}")
    return [name for name in names if name in wanted]


def sources_by_unit(recipe: Recipe, members: Sequence[Member]) -> list[Sequence[str]]:
    """The measured tasks in bunches, one of each phenomenon first: whatever else is measured, those stay together."""
    first, measured = _one_each(members), measured_tasks(recipe, members)
    parts = [[name for name in measured if (name in first) is usual] for usual in (True, False)]
    return [part[i : i + SOURCES] for part in parts for i in range(0, len(part), SOURCES)]


def _one_each(members: Sequence[Member]) -> Set[str]:
    """The alphabetically first task of each phenomenon: no outcome has a say."""
    backwards = sorted(members, key=lambda member: member.task, reverse=True)
    return set({member.phenomenon: member.task for member in backwards}.values())


def causal_units(
    model: Model, recipe: Recipe, splits: Mapping[str, Split], layer: int, *, progress: Progress = QUIET
) -> list[Unit]:
    """The attributions of all tasks, and what is measured: a unit for each target and `SOURCES` sources.

    A target is measured on its first test pairs; those with a sentence that any task has seen in train or validation
    are left out, so that what is measured of one cell depends on no other. Raises `InputError` where none remains.
    """
    members = [Member.of(split.test) for split in splits.values()]
    units = [
        attribution_unit(model, task, split.train, recipe, layer, progress=progress) for task, split in splits.items()
    ]
    seen = {task: set(sentence_hashes([*split.train, *split.validation])) for task, split in splits.items()}
    anywhere = set().union(*seen.values())
    for target in measured_tasks(recipe, members):
        test = splits[target].test
        kept = [i for i, pair in enumerate(test) if not anywhere & set(sentence_hashes([pair]))]
        if not kept:
            raise InputError(f"measured: some task has seen every test pair of '{target}'; run without that task")
        pairs = test.take(kept).limit(recipe.test_pairs)
        for sources in sources_by_unit(recipe, members):
            job = _Job(target, {source: seen[source] for source in sources}, pairs, len(test) - len(kept))
            units.append(_unit(model, recipe, layer, job, progress))
    return units


def cell_name(target: str, sources: Sequence[str]) -> str:
    return f"causal-{file_stem(target)}-{digest_of(list(sources))[:8]}"


@dataclass(frozen=True, eq=False)
class _Job:
    """What one unit measures; `sources` come with hashes of the sentences that they have seen."""

    target: str
    sources: Mapping[str, Set[str]]
    pairs: Pairs
    left_out: int  # test pairs that some task has seen


def _unit(model: Model, recipe: Recipe, layer: int, job: _Job, progress: Progress) -> Unit:
    def compute(read: Read) -> Piece:
        edited: list[NeuronSet] = []
        cells, drawn = [], []
        for source, seen in job.sources.items():
            rankings = {
                method: ranking_of(
                    read, source, method, layer, model=model.fingerprint, site=recipe.site, seen=sorted(seen)
                )
                for method in recipe.methods
            }
            sets = {method: ranking.top(recipe.topk, layers=layer) for method, ranking in rankings.items()}
            for method, chosen in sets.items():
                cells.append({"source": source, "method": method, "row": len(edited), "units": chosen.units.tolist()})
                edited += [chosen] if len(chosen) else []
            by_size = controls_of(list(sets.values()), recipe.controls, seed_of(recipe.seed, source))
            for size, controls in by_size.items():
                drawn.append({"source": source, "size": size, "row": len(edited), **_about_controls(controls)})
                edited += controls
        found = Bench(model, [Case(Edit.ablate(chosen)) for chosen in edited], progress).margins(job.pairs)
        margins = np.concatenate([np.zeros((0, len(job.pairs))), *found.after])
        about = {"target": job.target, "layer": layer, "site": recipe.site, "cells": cells, "controls": drawn}
        return Piece(
            {"margins": margins, "clean": found.before},
            about | {"pairs": len(job.pairs), "left_out": job.left_out},
        )

    rows = 1 + len(job.sources) * (len(recipe.methods) + recipe.controls)
    cost = costs.UNDER_EDIT * costs.token_seconds(model) * beginnings(job.pairs) * rows
    needs = dict.fromkeys(
        need for source in job.sources for method in recipe.methods for need in needs_of(source, method)
    )
    name, size = cell_name(job.target, list(job.sources)), 8 * len(job.pairs) * rows
    return Unit(name, job.target, cost, compute, needs=tuple(needs), size=size)


def _about_controls(controls: Sequence[NeuronSet]) -> dict[str, Any]:
    return {
        "units": [control.units.tolist() for control in controls],
        "unmatched": float(np.mean([control.about["unmatched"] for control in controls])),
    }
