"""What the units measured, read into arrays over sources, targets and sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from neurosteer.experiments.intervals import plain
from neurosteer.experiments.transfer import Member
from neurosteer.pairs import Split
from neurosteer.runner.recipe import Recipe
from neurosteer.runner.units import Read
from neurosteer.seeds import seed_of
from neurosteer.studies.bootstrap import groups_in
from neurosteer.studies.effects.numbers import Preference, clean_preference

from .cells import bunches_of_nulls, bunches_of_sets, cells_name, measured_pairs, null_cells_name
from .neutral import neutral_name
from .numbers import Cell, changes, measure_cell
from .sets import sets_name

Row = dict[str, object]


@dataclass(frozen=True, eq=False)
class Measured:
    """Changes of mean margins (nats) among the measured tasks; NaN where a method chose no unit."""

    tasks: Sequence[str]
    clean: Sequence[Preference]  # of each task
    pairs: Sequence[int]  # that each is measured on
    left_out: Sequence[int]  # test pairs that some task has seen
    cells: Mapping[tuple[str, str, str], Cell]  # method, source, target
    changes: Mapping[str, Float[np.ndarray, "source target variant"]]  # by method; the set first, then its controls
    nulls: Mapping[str, Float[np.ndarray, "task null"]]  # by method; none where no search was exchanged

    @property
    def preferred(self) -> Bool[np.ndarray, "task"]:
        """The tasks that have something to lose."""
        return np.array([clean.clean for clean in self.clean], dtype=bool)

    @property
    def margins(self) -> Float[np.ndarray, "task"]:
        return np.array([clean.margin for clean in self.clean])


def read_measured(read: Read, recipe: Recipe, splits: Mapping[str, Split]) -> Measured:
    """From the pieces of all cells."""
    targets, bunches = (
        measured_pairs(recipe, splits),
        bunches_of_sets(recipe, [Member.of(split.test) for split in splits.values()]),
    )
    tasks = list(targets)
    place, shape = {task: i for i, task in enumerate(tasks)}, (len(tasks), len(tasks), 1 + recipe.controls)
    found = {method: np.full(shape, np.nan) for method in recipe.methods}
    nulls = {method: np.full((len(tasks), recipe.nulls), np.nan) for method in recipe.methods}
    cells: dict[tuple[str, str, str], Cell] = {}
    clean = []
    for target, (pairs, _) in targets.items():
        pieces = [read(cells_name(target, bunch)) for bunch in bunches]
        margins, seed = pieces[0].arrays["clean"], seed_of(recipe.seed, target, "clean")
        clean.append(clean_preference(margins, groups_in(pairs), seed))
        for piece in pieces:
            for one in piece.values["sets"]:
                if one["row"] is not None:
                    edited = piece.arrays["margins"][one["row"] : one["row"] + shape[2]]
                    key = one["method"], one["source"], target
                    cells[key] = measure_cell(piece.arrays["clean"], edited)
                    at = place[one["source"]], place[target]
                    found[one["method"]][at] = changes(piece.arrays["clean"], edited)
        for methods in bunches_of_nulls(recipe):
            piece = read(null_cells_name(target, methods))
            for method in methods:
                nulls[method][place[target]] = changes(piece.arrays["clean"], piece.arrays[method])
    counts = [len(pairs) for pairs, _ in targets.values()], [left_out for _, left_out in targets.values()]
    return Measured(tasks, clean, *counts, cells, found, nulls)


def read_neutral_rows(read: Read, recipe: Recipe, members: Sequence[Member]) -> list[Row]:
    """A row for each set, with its controls' mean, smallest and largest; numbers are None for an empty set."""
    rows: list[Row] = []
    for bunch in bunches_of_sets(recipe, members):
        piece = read(neutral_name(bunch))
        kl, perplexity, clean = (piece.arrays[name].astype(float) for name in ("kl", "perplexity", "clean"))
        for i, (source, method) in enumerate(bunch):
            sets = read(sets_name(source))
            about: Mapping[str, float | None] = sets.values["about"][method]
            rows.append(
                {
                    "method": method,
                    "source": source,
                    "units": sets.arrays[method].shape[1],
                    **_beside(kl[i], "kl"),
                    "perplexity_before": plain(clean[i]),
                    **_beside(perplexity[i], "perplexity"),
                    "unmatched": about["unmatched"],
                    "overlap": about["overlap"],
                    "tokens": piece.values["tokens"],
                }
            )
    return sorted(rows, key=lambda row: recipe.methods.index(str(row["method"])))


def _beside(values: Float[np.ndarray, "variant"], name: str) -> Row:
    own, controls = values[0], values[1:]
    ends = {"controls_mean": controls.mean(), "controls_low": controls.min(), "controls_high": controls.max()}
    return {name: plain(own), **{f"{name}_{end}": plain(value) for end, value in ends.items()}}
