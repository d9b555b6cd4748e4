"""Figure 6: what the transfer of probes between tasks says."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from scipy import stats

from neurosteer.runner.units import Read
from neurosteer.vocabulary import LEVEL

from .design import Design
from .focus import focus_name
from .intervals import plain
from .transfer import GENERAL, TRANSFER, Member, general_name

KINDS = ("accuracy", "pairwise")
Row = dict[str, Any]


def fig6(read: Read, members: Sequence[Member], design: Design) -> Row:
    """Every probe on every task, the means of its row, and the general probe of unseen phenomena."""
    arrays = read(TRANSFER).arrays
    phenomena = [member.phenomenon for member in members]
    means = [_means(arrays, i, members) for i in range(len(members))]
    general = _general(read, members)
    masks = [read(focus_name(member.task)).arrays for member in members]
    return {
        "experiment": "fig6",
        "layer": design.layer,
        "lambda": [float(mask["lambda"][0]) for mask in masks],
        "kept": [float(mask["kept"][0]) for mask in masks],
        "tasks": [member.task for member in members],
        "phenomena": phenomena,
        **{probe: {kind: _matrix(arrays[f"{kind}_{probe}"]) for kind in KINDS} for probe in ("sparse", "dense")},
        "means": means,
        "general": general,
        "null": _null(arrays),
        "pairs": arrays["pairs"].tolist(),
        "left_out": int((arrays["pairs"].max(axis=0) - arrays["pairs"]).sum()),
        "tables": {"": _long(arrays, members), "means": means, "general": general},
    }


def _matrix(values: np.ndarray) -> list[list[float | None]]:
    return [[plain(value) for value in row] for row in values]


def _means(arrays: Any, i: int, members: Sequence[Member]) -> Row:
    """The means of row i: its own task, others of its phenomenon, other phenomena."""
    own = members[i]
    same = np.array([member.phenomenon == own.phenomenon and member != own for member in members])
    other = np.array([member.phenomenon != own.phenomenon for member in members])
    row: Row = {"task": own.task, "phenomenon": own.phenomenon}
    for kind, suffix in (("accuracy", ""), ("pairwise", "_pairwise")):
        for probe in ("sparse", "dense"):
            values = arrays[f"{kind}_{probe}"][i]
            row[f"{probe}_own{suffix}"] = plain(values[i])
            row[f"{probe}_same{suffix}"] = _mean(values[same])
            row[f"{probe}_other{suffix}"] = _mean(values[other])
    return row


def _mean(values: np.ndarray) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None


def above_chance(accuracy: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Which cells are above chance: one-sided binomial test of their sentences at threshold 0."""
    sentences = 2 * np.maximum(1, pairs)
    return np.asarray(accuracy > stats.binom.isf(LEVEL, sentences, 0.5) / sentences)


def _null(arrays: Any) -> Row:
    """Probes of labels flipped within pairs, on every task but their own: mean, how much the rows differ, and the
    share of cells that the binomial test of single cells calls above chance."""
    found: Row = {}
    for kind, probe in product(KINDS, ("sparse", "dense")):
        matrix = arrays[f"{kind}_null_{probe}"]
        others = np.where(np.eye(len(matrix), dtype=bool), np.nan, matrix)
        rows = [mean for mean in map(_mean, others) if mean is not None]
        sd = float(np.std(rows, ddof=1)) if len(rows) > 1 else None
        known = np.isfinite(others)
        above = plain(above_chance(others[known], arrays["pairs"][known]).mean()) if known.any() else None
        found[f"{kind}_{probe}"] = {"mean": _mean(others), "row_sd": sd, "above": above}
    return found


def _general(read: Read, members: Sequence[Member]) -> list[Row]:
    rows = []
    for phenomenon in dict.fromkeys(member.phenomenon for member in members):
        piece = read(general_name(phenomenon))
        own = [member for member in members if member.phenomenon == phenomenon]
        for i, member in enumerate(own):
            found = {name: plain(piece.arrays[name][i]) for name in GENERAL}
            rows.append({"task": member.task, "phenomenon": phenomenon, **found})
    return rows


def _long(arrays: Any, members: Sequence[Member]) -> list[Row]:
    return [
        {"trained": a.task, "tested": b.task, "pairs": int(arrays["pairs"][i, j])}
        | {
            f"{probe}_{kind}": plain(arrays[f"{kind}_{probe}"][i, j])
            for probe in ("sparse", "dense")
            for kind in KINDS
        }
        for i, a in enumerate(members)
        for j, b in enumerate(members)
    ]
