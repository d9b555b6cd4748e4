"""Do tasks share neurons, and would the same neurons be found again?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neurosteer.runner.units import Read, UnitResult
from neurosteer.seeds import seed_of
from neurosteer.vocabulary import ENCODED, Encoded

from .design import Design
from .focus import focus_name
from .transfer import Member

PERMUTATIONS = 9999
Row = dict[str, Any]


def overlap(read: Read, members: Sequence[Member], design: Design) -> Row:
    """Shared part of the top k of each two tasks at one layer, and how stable each set is."""
    pieces = [read(focus_name(member.task)) for member in members]
    sets = {method: chosen_sets(pieces, method, design.k) for method in ENCODED}
    matrices = {method: shared(own, own, design.k) for method, own in sets.items()}
    phenomena = [member.phenomenon for member in members]
    contrast = {method: _contrast(matrix, phenomena, design.seed) for method, matrix in matrices.items()}
    stability = [
        row for piece, member in zip(pieces, members, strict=True) for row in _stability(piece, member, design)
    ]
    return {
        "experiment": "overlap",
        "layer": design.layer,
        "k": design.k,
        "width": design.width,
        "tasks": [member.task for member in members],
        "phenomena": phenomena,
        "methods": list(ENCODED),
        "matrices": {method: matrix.tolist() for method, matrix in matrices.items()},
        "chance": {method: _chance(own, design) for method, own in sets.items()},
        **{name: {method: contrast[method][name] for method in ENCODED} for name in ("within", "across", "p")},
        "stability": stability,
        "tables": {"": _long(matrices, members), "stability": stability},
    }


def chosen_sets(pieces: Sequence[UnitResult], method: str, k: int) -> list[set[int]]:
    """The top k of each task."""
    import torch

    from neurosteer.neurons import best_units

    scores = np.stack([np.abs(piece.arrays["t" if method == "welch" else method]) for piece in pieces])
    return [_members(row) for row in best_units(torch.from_numpy(scores), k, above=0.0).numpy()]


def shared(rows: Sequence[set[int]], columns: Sequence[set[int]], k: int) -> np.ndarray:
    """Shared part of k, for each row and column."""
    return np.array([[len(a & b) / k for b in columns] for a in rows])


def _contrast(matrix: np.ndarray, phenomena: Sequence[str], seed: int) -> dict[str, float | None]:
    """Mean overlap of two tasks of one phenomenon and of two; p of labels dealt at random (one-sided)."""
    names = np.array(phenomena)
    upper = np.triu_indices(len(names), 1)
    values, same = matrix[upper], names[upper[0]] == names[upper[1]]
    if not same.any() or same.all():
        within, across = (float(values[part].mean()) if part.any() else None for part in (same, ~same))
        return {"within": within, "across": across, "p": None}
    gap = values[same].mean() - values[~same].mean()
    rng, as_large = np.random.default_rng(seed_of(seed, "overlap")), 0
    for _ in range(PERMUTATIONS):
        dealt = rng.permutation(names)
        other = dealt[upper[0]] == dealt[upper[1]]
        as_large += values[other].mean() - values[~other].mean() >= gap - 1e-12
    p = (1 + as_large) / (PERMUTATIONS + 1)
    return {"within": float(values[same].mean()), "across": float(values[~same].mean()), "p": float(p)}


def _stability(piece: UnitResult, member: Member, design: Design) -> list[Row]:
    rows = []
    for method in ENCODED:
        found = piece.arrays[f"folds_{method}"]
        folds = [_mean_overlap(repeat, design.k) for repeat in found]
        seeds = piece.arrays[f"seeds_{method}"]
        rows.append(
            {
                "task": member.task,
                "phenomenon": member.phenomenon,
                "method": method,
                "folds": float(np.mean(folds)),
                "seeds": _mean_overlap(seeds, design.k) if len(seeds) > 1 else None,
                "chance": float(np.mean([_chance(list(map(_members, repeat)), design) for repeat in found])),
            }
        )
    return rows


def _mean_overlap(sets: np.ndarray, k: int) -> float:
    """Mean shared part of each two of the sets `[set k]`."""
    each = [_members(row) for row in sets]
    return float(shared(each, each, k)[np.triu_indices(len(each), 1)].mean())


def _members(row: np.ndarray) -> set[int]:
    return {int(unit) for unit in row if unit >= 0}


def _chance(sets: Sequence[set[int]], design: Design) -> float | None:
    """The mean shared part of k if each two of the sets were drawn by lot, as large as they are."""
    sizes = np.array([len(one) for one in sets], dtype=float)
    upper = np.triu_indices(len(sizes), 1)
    return float(np.outer(sizes, sizes)[upper].mean()) / (design.k * design.width) if len(sizes) > 1 else None


def _long(matrices: Mapping[Encoded, np.ndarray], members: Sequence[Member]) -> list[Row]:
    return [
        {"method": method, "task": a.task, "other": b.task, "related": a.phenomenon == b.phenomenon, "shared": share}
        for method, matrix in matrices.items()
        for a, row in zip(members, matrix.tolist(), strict=True)
        for b, share in zip(members, row, strict=True)
        if a.task < b.task
    ]
