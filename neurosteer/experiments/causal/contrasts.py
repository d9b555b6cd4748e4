"""Does ablating a task's neurons hurt the task itself more than related tasks, and those more than others?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from neurosteer.experiments.intervals import TaskSamples, plain

Matrix = Float[np.ndarray, "source target"]
Kinds = Mapping[str, Bool[np.ndarray, "source target"]]
COMPARED = ("own", "related", "unrelated")


def kinds_of(phenomena: Sequence[str]) -> Kinds:
    """Which cells are a task's `own`, of two `related` tasks (of one phenomenon) or `unrelated` ones, or `other`."""
    own, names = np.eye(len(phenomena), dtype=bool), np.array(phenomena)
    same = names[:, None] == names
    return {"own": own, "related": same & ~own, "unrelated": ~same & ~own, "other": ~own}


def by_kind(drops: Matrix, phenomena: Sequence[str], seed: int) -> list[dict[str, Any]]:
    """`{kind, drop, low, high, sources}`: mean drops of the margin (nats), and their differences source by source.

    Each source counts once, with the mean over its targets of that kind, if it has such; the interval is over
    sources, by phenomenon where they form six or more.
    """
    means = {kind: _row_means(drops, cells) for kind, cells in kinds_of(phenomena).items()}
    apart = {f"{a} - {b}": means[a] - means[b] for a, b in [*combinations(COMPARED, 2), ("own", "other")]}
    columns = means | apart
    found = TaskSamples.of(phenomena, seed).means(np.stack(list(columns.values()), axis=1))
    return [
        {
            "kind": kind,
            "drop": plain(found.mean[i]),
            "low": plain(found.low[i]),
            "high": plain(found.high[i]),
            "sources": int(found.tasks[i]),
        }
        for i, kind in enumerate(columns)
    ]


def kind_means(values: Matrix, phenomena: Sequence[str]) -> dict[str, float]:
    """The mean over sources of each kind of cell, each source counting once; NaN where there are none."""
    rows = {kind: _row_means(values, cells) for kind, cells in kinds_of(phenomena).items()}
    known = {kind: row[np.isfinite(row)] for kind, row in rows.items()}
    return {kind: float(row.mean()) if len(row) else np.nan for kind, row in known.items()}


def _row_means(values: Matrix, cells: Bool[np.ndarray, "source target"]) -> Float[np.ndarray, "source"]:
    """The mean of each row over some of its cells that are known; NaN where there are none."""
    known = cells & np.isfinite(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)
