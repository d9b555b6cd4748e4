"""Units of measured cells: the margins of a target while the neurons of sources, and of their controls, are zero."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from neurosteer.edits import Edit
from neurosteer.experiments.experiment import Work
from neurosteer.experiments.shared import costs
from neurosteer.experiments.shared.one_layer import one_layer_name
from neurosteer.neurons import NeuronSet
from neurosteer.pairs import Pairs
from neurosteer.results import read_record, record
from neurosteer.runner.units import Read, Unit, UnitResult
from neurosteer.store import digest_of, file_stem
from neurosteer.studies.costs import UNDER_EDIT, count_prefixes
from neurosteer.studies.effects.cases import Bench, Case
from neurosteer.vocabulary import CausalMethod, Json

from .nulls import null_sets_name
from .sets import SetKey, as_sets, read_set, sets_needs
from .targets import Target


@dataclass(frozen=True)
class FirstRow:
    """The row of `margins` in which a set begins; None where the set is empty."""

    source: str
    method: CausalMethod
    row: int | None


def cells_name(target: str, keys: Sequence[SetKey]) -> str:
    return f"causal-{file_stem(target)}-{digest_of(list(map(list, keys)))[:8]}"


def null_cells_name(target: str, methods: Sequence[CausalMethod]) -> str:
    return f"nulls-{file_stem(target)}-{digest_of(list(methods))[:8]}"


@dataclass(frozen=True, eq=False)
class CellMargins:
    """Margins (nats) of a target's pairs under each set and then its controls, and unedited."""

    margins: Float[np.ndarray, "variant pair"]
    clean: Float[np.ndarray, "pair"]
    sets: Sequence[Json]  # a `FirstRow` for each set

    @property
    def first_rows(self) -> list[FirstRow]:
        return [read_record(FirstRow, one) for one in self.sets]


def cells_unit(work: Work, target: Target, keys: Sequence[SetKey]) -> Unit:
    """`CellMargins` of some sets."""
    pairs = target.pairs

    def compute(read: Read) -> UnitResult:
        sets = [read_set(read, work, key) for key in keys]
        margins, clean = _measured(work, [one for variants in sets for one in variants], pairs)
        rows = [record(row) for row in _first_rows(keys, sets)]
        values = {"target": target.task, "sets": rows, "pairs": len(pairs), "left_out": target.left_out}
        return UnitResult({"margins": margins, "clean": clean}, values)

    edits = len(keys) * (1 + work.recipe.controls)
    return _unit(work, cells_name(target.task, keys), pairs, edits, compute, sets_needs(keys))


def null_cells_unit(work: Work, target: Target, methods: Sequence[CausalMethod]) -> Unit:
    """`<method>` `[null pair]`: margins on the true pairs while each null set is zero; an empty one changes none."""
    task, pairs = target.task, target.pairs

    def compute(read: Read) -> UnitResult:
        units = [read(null_sets_name(task)).arrays[method] for method in methods]
        sets = as_sets(read, work, task, np.concatenate(units))
        margins, clean = _measured(work, [one for one in sets if len(one)], pairs)
        found, every = iter(margins), np.tile(clean, (len(sets), 1))
        for i, one in enumerate(sets):
            if len(one):
                every[i] = next(found)
        arrays = dict(zip(methods, np.split(every, len(methods)), strict=True))
        return UnitResult({**arrays, "clean": clean}, {"target": task, "pairs": len(pairs)})

    needs = (null_sets_name(task), one_layer_name(task))
    return _unit(work, null_cells_name(task, methods), pairs, len(methods) * work.recipe.nulls, compute, needs)


def _unit(
    work: Work, name: str, pairs: Pairs, edits: int, compute: Callable[[Read], UnitResult], needs: tuple[str, ...]
) -> Unit:
    """A unit that measures so many edits on some pairs."""
    cost = UNDER_EDIT * costs.token_seconds(work.model) * count_prefixes(pairs) * (1 + edits)
    return Unit(name, pairs.task, cost, compute, needs=needs, size=8 * len(pairs) * (1 + edits))


def _measured(
    work: Work, sets: Sequence[NeuronSet], pairs: Pairs
) -> tuple[Float[np.ndarray, "variant pair"], Float[np.ndarray, "pair"]]:
    """Margins while each set is zero, and the clean ones."""
    found = Bench(work.model, [Case(Edit.ablate(one)) for one in sets], work.progress).margins(pairs)
    return np.concatenate([np.zeros((0, len(pairs))), *found.after]), found.before


def _first_rows(keys: Sequence[SetKey], sets: Sequence[Sequence[NeuronSet]]) -> list[FirstRow]:
    rows, row = [], 0
    for key, variants in zip(keys, sets, strict=True):
        rows.append(FirstRow(key.source, key.method, row if variants else None))
        row += len(variants)
    return rows
