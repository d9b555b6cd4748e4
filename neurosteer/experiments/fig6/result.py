"""The result of figure 6, and how it is gathered. Accuracies are shares in [0, 1]; None is one that is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Annotated, Literal, get_args

import numpy as np
from jaxtyping import Bool
from scipy import stats

from neurosteer.experiments.experiment import Work
from neurosteer.experiments.intervals import known_mean, plain
from neurosteer.experiments.scope import Scope
from neurosteer.experiments.shared.one_layer import ChosenMask, ProbeName, one_layer_name
from neurosteer.experiments.shared.transfer_probes import (
    KINDS,
    TRANSFER,
    Generalised,
    Kind,
    Member,
    Transferred,
    general_name,
)
from neurosteer.results import key
from neurosteer.runner.units import Read
from neurosteer.shown import short_repr
from neurosteer.vocabulary import LEVEL

NAME = "fig6"
Probe = Literal["sparse", "dense"]
PROBES: tuple[Probe, ...] = get_args(Probe)
NULLS: Mapping[Probe, ProbeName] = {"sparse": "null_sparse", "dense": "null_dense"}  # the same of labels by lot


@dataclass(frozen=True)
class Matrices:
    """Accuracy in every cell: rows are training tasks, columns the tasks tested on."""

    accuracy: list[list[float | None]]
    pairwise: list[list[float | None]]

    __repr__ = short_repr

    def of(self, kind: Kind) -> list[list[float | None]]:
        return self.accuracy if kind == "accuracy" else self.pairwise


@dataclass(frozen=True)
class RowMeans:
    """What the probes of one task read on average: on itself, its phenomenon's other tasks, and other phenomena."""

    task: str
    phenomenon: str
    sparse_own: float | None
    sparse_same: float | None
    sparse_other: float | None
    dense_own: float | None
    dense_same: float | None
    dense_other: float | None
    sparse_own_pairwise: float | None
    sparse_same_pairwise: float | None
    sparse_other_pairwise: float | None
    dense_own_pairwise: float | None
    dense_same_pairwise: float | None
    dense_other_pairwise: float | None

    __repr__ = short_repr

    def of(self, column: str, kind: Kind) -> float | None:
        """`sparse_own` and so on, of either kind of accuracy."""
        value: float | None = getattr(self, column if kind == "accuracy" else f"{column}_{kind}")
        return value


@dataclass(frozen=True)
class GeneralProbe:
    """A dense probe that was trained on all other phenomena, on one task."""

    task: str
    phenomenon: str
    accuracy: float | None
    pairwise: float | None
    pairs: int | None  # test pairs with no sentence that its training has seen

    def of(self, kind: Kind) -> float | None:
        return self.accuracy if kind == "accuracy" else self.pairwise


@dataclass(frozen=True)
class NullCells:
    """Probes of labels flipped within pairs, on every task but their own."""

    mean: float | None
    row_sd: float | None  # how much the means of rows differ
    above: float | None  # share of cells that the binomial test of single cells calls above chance


@dataclass(frozen=True)
class Fig6:
    experiment: str
    layer: int
    lambdas: Annotated[list[float], key("lambda")]  # of each task's mask
    kept: list[float]  # share of units that it keeps
    tasks: list[str]
    phenomena: list[str]
    sparse: Matrices
    dense: Matrices
    means: list[RowMeans]
    general: list[GeneralProbe]
    null: Mapping[str, NullCells]  # accuracy_sparse, ...
    pairs: list[list[int]]  # test pairs of each cell
    left_out: int  # pairs not in a cell, as its training has seen a sentence of theirs

    __repr__ = short_repr

    def matrices(self, probe: Probe) -> Matrices:
        return self.sparse if probe == "sparse" else self.dense

    def null_of(self, probe: Probe, kind: Kind) -> NullCells:
        return self.null[f"{kind}_{probe}"]


def compute(read: Read, work: Work, scope: Scope) -> Fig6:
    """The result, when all units are done."""
    members = [Member(task.name, task.phenomenon) for task in work.tasks]
    found = read(TRANSFER).typed(Transferred)
    masks = [read(one_layer_name(member.task)).typed(ChosenMask) for member in members]
    return Fig6(
        experiment=NAME,
        layer=work.design.layer,
        lambdas=[float(mask.lam[0]) for mask in masks],
        kept=[float(mask.kept[0]) for mask in masks],
        tasks=work.names,
        phenomena=work.phenomena,
        sparse=_matrices(found, "sparse"),
        dense=_matrices(found, "dense"),
        means=[_row_means(found, i, members) for i in range(len(members))],
        general=_general(read, members),
        null={
            f"{kind}_{probe}": _null_cells(found.of(kind, null), found.pairs)
            for kind, (probe, null) in product(KINDS, NULLS.items())
        },
        pairs=found.pairs.tolist(),
        left_out=int((found.pairs.max(axis=0) - found.pairs).sum()),
    )


def _matrices(found: Transferred, probe: Probe) -> Matrices:
    return Matrices(*([[plain(cell) for cell in row] for row in found.of(kind, probe)] for kind in KINDS))


def _row_means(found: Transferred, i: int, members: Sequence[Member]) -> RowMeans:
    own = members[i]
    same = np.array([member.phenomenon == own.phenomenon and member != own for member in members])
    other = np.array([member.phenomenon != own.phenomenon for member in members])
    values: list[float | None] = []
    for kind, probe in product(KINDS, PROBES):
        row = found.of(kind, probe)[i]
        values += [plain(row[i]), known_mean(row[same]), known_mean(row[other])]
    return RowMeans(own.task, own.phenomenon, *values)


def _null_cells(matrix: np.ndarray, pairs: np.ndarray) -> NullCells:
    others = np.where(np.eye(len(matrix), dtype=bool), np.nan, matrix)
    rows = [mean for mean in map(known_mean, others) if mean is not None]
    known = np.isfinite(others)
    above = above_chance(others[known], pairs[known])
    sd = float(np.std(rows, ddof=1)) if len(rows) > 1 else None
    return NullCells(known_mean(others), sd, float(above.mean()) if known.any() else None)


def above_chance(accuracy: np.ndarray, pairs: np.ndarray) -> Bool[np.ndarray, "..."]:
    """Which cells are above chance: one-sided binomial test of their sentences at threshold 0."""
    sentences = 2 * np.maximum(1, pairs)
    return np.asarray(accuracy > stats.binom.isf(LEVEL, sentences, 0.5) / sentences)


def _general(read: Read, members: Sequence[Member]) -> list[GeneralProbe]:
    rows = []
    for phenomenon in dict.fromkeys(member.phenomenon for member in members):
        general = read(general_name(phenomenon)).typed(Generalised)
        own = [member.task for member in members if member.phenomenon == phenomenon]
        for task, *found in zip(own, general.accuracy, general.pairwise, general.pairs, strict=True):
            accuracy, pairwise, pairs = map(plain, found)
            rows.append(GeneralProbe(task, phenomenon, accuracy, pairwise, None if pairs is None else int(pairs)))
    return rows
