"""The result of overlap, and how it is gathered: which part of their neuron sets tasks share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from neurosteer.experiments.design import Design
from neurosteer.experiments.experiment import Task, Work
from neurosteer.experiments.intervals import known_mean
from neurosteer.experiments.scope import Scope
from neurosteer.experiments.shared.one_layer import ScoredUnits, one_layer_name
from neurosteer.neurons import top_set
from neurosteer.runner.units import Read, UnitResult
from neurosteer.seeds import seed_of
from neurosteer.shown import short_repr
from neurosteer.vocabulary import PAPER_METHODS, PaperMethod

NAME = "overlap"
PERMUTATIONS = 9999


@dataclass(frozen=True)
class Stability:
    """The shared part of two sets of one task: from disjoint folds of its train pairs, and from other splits."""

    task: str
    phenomenon: str
    method: PaperMethod
    folds: float
    seeds: float | None  # None where fewer than two other splits are possible
    chance: float  # of two folds


@dataclass(frozen=True)
class Overlap:
    """By method, the shared part of k of the top k of each two tasks at one layer."""

    experiment: str
    layer: int
    k: int
    width: int
    tasks: list[str]
    phenomena: list[str]
    methods: tuple[PaperMethod, ...]
    matrices: Mapping[PaperMethod, list[list[float]]]
    chance: Mapping[PaperMethod, float | None]  # of two sets drawn by lot; None for one task
    within: Mapping[PaperMethod, float | None]
    across: Mapping[PaperMethod, float | None]
    p: Mapping[PaperMethod, float | None]
    stability: list[Stability]

    __repr__ = short_repr

    def stability_of(self, method: PaperMethod) -> list[Stability]:
        return [row for row in self.stability if row.method == method]


def compute(read: Read, work: Work, scope: Scope) -> Overlap:
    design, results = work.design, [read(one_layer_name(task)) for task in work.names]
    sets = {method: chosen_sets(results, method, design.k) for method in PAPER_METHODS}
    matrices = {method: shared(own, own, design.k) for method, own in sets.items()}
    contrasts = [_contrast(matrices[method], work.phenomena, design.seed) for method in PAPER_METHODS]
    within, across, p = (dict(zip(PAPER_METHODS, values, strict=True)) for values in zip(*contrasts, strict=True))
    return Overlap(
        experiment=NAME,
        layer=design.layer,
        k=design.k,
        width=design.width,
        tasks=work.names,
        phenomena=work.phenomena,
        methods=PAPER_METHODS,
        matrices={method: matrix.tolist() for method, matrix in matrices.items()},
        chance={method: _chance(own, design) if len(own) > 1 else None for method, own in sets.items()},
        within=within,
        across=across,
        p=p,
        stability=[
            _stability(result, task, method, design)
            for result, task in zip(results, work.tasks, strict=True)
            for method in PAPER_METHODS
        ],
    )


def chosen_sets(results: Sequence[UnitResult], method: PaperMethod, k: int) -> list[set[int]]:
    """The top k of each task."""
    scores = [result.typed(ScoredUnits).scores(method) for result in results]
    return [top_set(torch.from_numpy(one), k) for one in scores]


def shared(rows: Sequence[set[int]], columns: Sequence[set[int]], k: int) -> np.ndarray:
    """Shared part of k, for each row and column."""
    return np.array([[len(a & b) / k for b in columns] for a in rows])


def _contrast(
    matrix: np.ndarray, phenomena: Sequence[str], seed: int
) -> tuple[float | None, float | None, float | None]:
    """Mean overlap of two tasks of one phenomenon, and of two; p of labels dealt at random (one-sided)."""
    names = np.array(phenomena)
    upper = np.triu_indices(len(names), 1)
    values, same = matrix[upper], names[upper[0]] == names[upper[1]]
    within, across = known_mean(values[same]), known_mean(values[~same])
    if within is None or across is None:
        return within, across, None
    rng, as_large = np.random.default_rng(seed_of(seed, "overlap")), 0
    for _ in range(PERMUTATIONS):
        dealt = rng.permutation(names)
        other = dealt[upper[0]] == dealt[upper[1]]
        as_large += values[other].mean() - values[~other].mean() >= within - across - 1e-12
    return within, across, float((1 + as_large) / (PERMUTATIONS + 1))


def _stability(result: UnitResult, task: Task, method: PaperMethod, design: Design) -> Stability:
    folds = [[_members(row) for row in repeat] for repeat in result.arrays[f"folds_{method}"]]
    seeds = [_members(row) for row in result.arrays[f"seeds_{method}"]]
    return Stability(
        task=task.name,
        phenomenon=task.phenomenon,
        method=method,
        folds=float(np.mean([_mean_overlap(repeat, design.k) for repeat in folds])),
        seeds=_mean_overlap(seeds, design.k) if len(seeds) > 1 else None,
        chance=float(np.mean([_chance(repeat, design) for repeat in folds])),
    )


def _mean_overlap(sets: Sequence[set[int]], k: int) -> float:
    """Mean shared part of each two of the sets."""
    return float(shared(sets, sets, k)[np.triu_indices(len(sets), 1)].mean())


def _members(row: np.ndarray) -> set[int]:
    return {int(unit) for unit in row if unit >= 0}


def _chance(sets: Sequence[set[int]], design: Design) -> float:
    """The mean shared part of k if each two of the sets were drawn by lot, as large as they are."""
    sizes = np.array([len(one) for one in sets], dtype=float)
    upper = np.triu_indices(len(sizes), 1)
    return float(np.outer(sizes, sizes)[upper].mean()) / (design.k * design.width)
