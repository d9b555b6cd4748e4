"""Measured cells: the margins of a target task while the neurons of source tasks, and of their controls, are zero."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import TypeVar

import numpy as np
from jaxtyping import Float

from neurosteer.edits import Edit
from neurosteer.errors import InputError, did_you_mean
from neurosteer.experiments import costs
from neurosteer.experiments.design import Design
from neurosteer.experiments.focus import focus_name
from neurosteer.experiments.transfer import Member
from neurosteer.model import Model
from neurosteer.neurons import NeuronSet
from neurosteer.pairs import Pairs, Split, sentence_hashes
from neurosteer.progress import QUIET, Progress
from neurosteer.runner.recipe import Recipe
from neurosteer.runner.units import Read, Unit, UnitResult
from neurosteer.store import digest_of, file_stem
from neurosteer.studies.effects.cases import Bench, Case

from .neutral import neutral_unit
from .nulls import null_sets_name, null_sets_unit
from .sets import SetKey, as_sets, needs_of_sets, sets_of, sets_unit
from .sources import attribution_unit, beginnings

EDITS = 60  # that one unit measures; more only where one set has more controls
T = TypeVar("T")


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


def bunches_of_sets(recipe: Recipe, members: Sequence[Member]) -> list[Sequence[SetKey]]:
    """The sets of the measured tasks in bunches, of one task of each phenomenon first.

    Whatever else is measured, those stay together.
    """
    first, measured = _one_each(members), measured_tasks(recipe, members)
    parts = [
        [(name, method) for name in measured if (name in first) is usual for method in recipe.methods]
        for usual in (True, False)
    ]
    return [bunch for part in parts for bunch in _bunches(part, 1 + recipe.controls)]


def bunches_of_nulls(recipe: Recipe) -> list[Sequence[str]]:
    """The methods whose null sets one unit measures."""
    return _bunches(recipe.methods, recipe.nulls) if recipe.nulls else []


def _bunches(parts: Sequence[T], edits: int) -> list[Sequence[T]]:
    """As many at a time as `EDITS` allows, if each takes this many."""
    size = max(1, EDITS // edits)
    return [parts[i : i + size] for i in range(0, len(parts), size)]


def _one_each(members: Sequence[Member]) -> Set[str]:
    """The alphabetically first task of each phenomenon: no outcome has a say."""
    backwards = sorted(members, key=lambda member: member.task, reverse=True)
    return set({member.phenomenon: member.task for member in backwards}.values())


def task_units(
    model: Model, recipe: Recipe, split: Split, design: Design, *, measured: bool, progress: Progress = QUIET
) -> list[Unit]:
    """A task's attributions, and if its cells are measured its sets, their controls and its null sets."""
    task = split.train.task
    units = [attribution_unit(model, task, split.train, recipe, design.layer, progress=progress)]
    if measured:
        units.append(sets_unit(model, task, recipe, design))
        units += [null_sets_unit(model, split, recipe, design)] if recipe.nulls else []
    return units


def causal_units(
    model: Model, recipe: Recipe, splits: Mapping[str, Split], design: Design, *, progress: Progress = QUIET
) -> list[Unit]:
    """What is measured, when the `task_units` are done.

    For each target a unit for every bunch of sets, and one for its own null sets; for each bunch a unit on neutral
    text. Raises `InputError` where no pair of a target can be measured.
    """
    members = [Member.of(split.test) for split in splits.values()]
    bunches, units = bunches_of_sets(recipe, members), list[Unit]()
    for pairs, left_out in measured_pairs(recipe, splits).values():
        units += [_cells_unit(model, recipe, design.layer, bunch, pairs, left_out, progress) for bunch in bunches]
        units += [_nulls_unit(model, recipe, design, bunch, pairs, progress) for bunch in bunches_of_nulls(recipe)]
    return units + [neutral_unit(model, recipe, design.layer, bunch, progress) for bunch in bunches]


def measured_pairs(recipe: Recipe, splits: Mapping[str, Split]) -> dict[str, tuple[Pairs, int]]:
    """The pairs that each target is measured on, and how many of its test pairs are left out.

    The first test pairs, without those with a sentence that any task has seen in train or validation, so that what is
    measured of one cell depends on no other. Raises `InputError` where none remains.
    """
    seen = {digest for split in splits.values() for digest in sentence_hashes([*split.train, *split.validation])}
    found = {}
    for target in measured_tasks(recipe, [Member.of(split.test) for split in splits.values()]):
        test = splits[target].test
        kept = [i for i, pair in enumerate(test) if not seen & set(sentence_hashes([pair]))]
        if not kept:
            raise InputError(f"measured: some task has seen every test pair of '{target}'; run without that task")
        found[target] = test.take(kept).limit(recipe.test_pairs), len(test) - len(kept)
    return found


def cells_name(target: str, sets: Sequence[SetKey]) -> str:
    return f"causal-{file_stem(target)}-{digest_of(list(map(list, sets)))[:8]}"


def null_cells_name(target: str, methods: Sequence[str]) -> str:
    return f"nulls-{file_stem(target)}-{digest_of(list(methods))[:8]}"


def _cells_unit(
    model: Model, recipe: Recipe, layer: int, keys: Sequence[SetKey], pairs: Pairs, left_out: int, progress: Progress
) -> Unit:
    """`margins` `[variant pair]` of each set and then of its controls, and the `clean` ones."""

    def compute(read: Read) -> UnitResult:
        sets = [sets_of(read, model, key, recipe.site, layer) for key in keys]
        margins, clean = _measured(model, [one for variants in sets for one in variants], pairs, progress)
        about = {"target": pairs.task, "sets": _starts(keys, sets), "pairs": len(pairs), "left_out": left_out}
        return UnitResult({"margins": margins, "clean": clean}, about)

    needs = tuple(dict.fromkeys(need for source, _ in keys for need in needs_of_sets(source)))
    edits = len(keys) * (1 + recipe.controls)
    return _costed(model, cells_name(pairs.task, keys), pairs, edits, compute, needs)


def _nulls_unit(
    model: Model, recipe: Recipe, design: Design, methods: Sequence[str], pairs: Pairs, progress: Progress
) -> Unit:
    """`<method>` `[null pair]`: margins on the true pairs while each null set is zero; an empty one changes none."""
    task = pairs.task

    def compute(read: Read) -> UnitResult:
        units = [read(null_sets_name(task)).arrays[method] for method in methods]
        sets = as_sets(read, model, task, np.concatenate(units), recipe.site, design.layer)
        margins, clean = _measured(model, [one for one in sets if len(one)], pairs, progress)
        found, every = iter(margins), np.tile(clean, (len(sets), 1))
        for i, one in enumerate(sets):
            if len(one):
                every[i] = next(found)
        parts = np.split(every, len(methods))
        return UnitResult(
            {**dict(zip(methods, parts, strict=True)), "clean": clean}, {"target": task, "pairs": len(pairs)}
        )

    needs = (null_sets_name(task), focus_name(task))
    return _costed(model, null_cells_name(task, methods), pairs, len(methods) * recipe.nulls, compute, needs)


def _costed(
    model: Model, name: str, pairs: Pairs, edits: int, compute: Callable[[Read], UnitResult], needs: tuple[str, ...]
) -> Unit:
    """A unit that measures so many edits on some pairs."""
    cost = costs.UNDER_EDIT * costs.token_seconds(model) * beginnings(pairs) * (1 + edits)
    return Unit(name, pairs.task, cost, compute, needs=needs, size=8 * len(pairs) * (1 + edits))


def _measured(
    model: Model, sets: Sequence[NeuronSet], pairs: Pairs, progress: Progress
) -> tuple[Float[np.ndarray, "variant pair"], Float[np.ndarray, "pair"]]:
    """Margins while each set is zero, and the clean ones."""
    found = Bench(model, [Case(Edit.ablate(one)) for one in sets], progress).margins(pairs)
    return np.concatenate([np.zeros((0, len(pairs))), *found.after]), found.before


def _starts(keys: Sequence[SetKey], sets: Sequence[Sequence[NeuronSet]]) -> list[dict[str, str | int | None]]:
    """Where the rows of each set begin; None where it is empty."""
    rows: list[dict[str, str | int | None]] = []
    row = 0
    for (source, method), variants in zip(keys, sets, strict=True):
        rows.append({"source": source, "method": method, "row": row if variants else None})
        row += len(variants)
    return rows
