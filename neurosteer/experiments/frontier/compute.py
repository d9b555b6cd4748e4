"""From curves to what is lost at common KLs: each curve is read where it first reaches a KL, between its sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from neurosteer.experiments.causal.permutation import permuted
from neurosteer.experiments.experiment import Task, Work
from neurosteer.experiments.scope import Scope
from neurosteer.results import Estimate
from neurosteer.runner.units import Read
from neurosteer.seeds import seed_of
from neurosteer.studies.bootstrap import groups_in
from neurosteer.studies.evidence.numbers import false_discovery, mean_over_tasks
from neurosteer.studies.margins import clean_preference
from neurosteer.vocabulary import Method

from .curves import CleanMargins, curves_name, test_pairs
from .rankings import layers_of
from .result import NAME, Area, Frontier, FrontierCell, FrontierFamily, FrontierPoint
from .settings import FrontierSettings

POINTS = 20  # KLs of the figure, 0 apart
FEWEST_TASKS = 3  # of a permutation test over tasks


@dataclass(frozen=True, eq=False)
class Curves:
    """One task and method: KL and shares lost by size, the order itself first."""

    sizes: Float[np.ndarray, "size"]
    kl: Float[np.ndarray, "order size"]
    own: Float[np.ndarray, "order size"]
    others: Float[np.ndarray, "size"]  # NaN of a single task

    def at(self, kl: float) -> tuple[float | None, Float[np.ndarray, "order"], float]:
        """Units, shares of the own margin by order, and what others lose, where each order reaches this KL."""
        own = np.array([read_at(kl, row, lost) for row, lost in zip(self.kl, self.own, strict=True)])
        reached = bool(np.nanmax(self.kl[0]) >= kl)
        units = read_at(kl, self.kl[0], self.sizes) if reached else None
        return units, own, read_at(kl, self.kl[0], self.others)


def read_at(kl: float, kls: Float[np.ndarray, "size"], values: Float[np.ndarray, "size"]) -> float:
    """The value where the KL is first reached, linear between sizes and from 0 units on; the last where it is not."""
    known = np.isfinite(kls)
    x, y = np.append(0.0, kls[known]), np.append(0.0, values[known])
    above = np.flatnonzero(x >= kl)
    if not len(above) or above[0] == 0:
        return float(y[-1] if not len(above) else y[0])
    i = int(above[0])
    share = (kl - x[i - 1]) / (x[i] - x[i - 1])
    return float(y[i - 1] + share * (y[i] - y[i - 1]))


def compute(read: Read, work: Work, scope: Scope) -> Frontier:
    preferred = {task.name: _has_preference(read, work, task) for task in work.tasks}
    kept = [task.name for task in work.tasks if preferred[task.name]]
    methods, budgets = work.recipe.methods, work.recipe.of(FrontierSettings).budgets
    found = {(task, method): _curves(read, task, method, preferred) for task in kept for method in methods}
    grid = [max(budgets) * (i + 1) / POINTS for i in range(POINTS)]
    at = {(task, method, kl): curves.at(kl) for (task, method), curves in found.items() for kl in (*budgets, *grid)}
    cells = [_cell(task, method, kl, at) for method in methods for task in kept for kl in budgets]
    tokens = read(curves_name(work.tasks[0].name)).typed(CleanMargins).tokens
    return Frontier(
        experiment=NAME,
        methods=methods,
        budgets=budgets,
        pooled=work.recipe.of(FrontierSettings).pooled,
        layers=layers_of(work),
        controls=work.recipe.controls,
        test_pairs=work.recipe.test_pairs,
        tokens=tokens,
        left_out=tuple(name for name, there in preferred.items() if not there),
        cells=cells,
        curves=[_point(method, kl, kept, at) for method in methods for kl in grid] if kept else [],
        families=_families(methods, budgets, kept, at, work.recipe.seed),
        areas=[_area(method, grid, kept, at) for method in methods],
    )


def _has_preference(read: Read, work: Work, task: Task) -> bool:
    clean = read(curves_name(task.name)).typed(CleanMargins).clean
    groups = groups_in(test_pairs(work, task))
    return clean_preference(clean, groups, work.recipe.seed).low > 0


def _curves(read: Read, task: str, method: Method, preferred: Mapping[str, bool]) -> Curves:
    result = read(curves_name(task))
    arrays, unedited = result.arrays, result.typed(CleanMargins)
    there = np.array([preferred[name] for name in unedited.others], dtype=bool)
    changes = np.abs(arrays[f"{method} others"] / unedited.beside - 1)[:, there]
    return Curves(
        sizes=arrays[f"{method} sizes"].astype(float),
        kl=arrays[f"{method} kl"],
        own=1 - arrays[f"{method} own"].mean(axis=2) / unedited.clean.mean(),
        others=changes.mean(axis=1) if there.any() else np.full(len(changes), np.nan),
    )


At = Mapping[tuple[str, Method, float], tuple[float | None, Float[np.ndarray, "order"], float]]


def _cell(task: str, method: Method, kl: float, at: At) -> FrontierCell:
    units, own, others = at[task, method, kl]
    return FrontierCell(
        task=task,
        method=method,
        kl=kl,
        units=units,
        own=float(own[0]),
        others=others if np.isfinite(others) else None,
        controls=float(own[1:].mean()),
        controls_low=float(own[1:].min()),
        controls_high=float(own[1:].max()),
    )


def _own(method: Method, kl: float, tasks: Sequence[str], at: At) -> Float[np.ndarray, "task order"]:
    return np.stack([at[task, method, kl][1] for task in tasks])


def _others(method: Method, kl: float, tasks: Sequence[str], at: At) -> list[float]:
    return [at[task, method, kl][2] for task in tasks]


def _point(method: Method, kl: float, tasks: Sequence[str], at: At) -> FrontierPoint:
    own = _own(method, kl, tasks, at).mean(axis=0)
    others = float(np.mean(_others(method, kl, tasks, at)))
    return FrontierPoint(
        method=method,
        kl=kl,
        own=float(own[0]),
        others=others if np.isfinite(others) else None,
        controls=float(own[1:].mean()),
        controls_low=float(own[1:].min()),
        controls_high=float(own[1:].max()),
    )


def _families(
    methods: Sequence[Method], budgets: Sequence[float], tasks: Sequence[str], at: At, seed: int
) -> list[FrontierFamily]:
    """Every method at every KL, as one declared family."""
    rows = []
    for method in methods:
        for kl in budgets if tasks else ():
            own, first = _own(method, kl, tasks, at), _own(methods[0], kl, tasks, at)
            enough = len(tasks) >= FEWEST_TASKS
            p = permuted(own, seed_of(seed, NAME, method, str(kl))).p if enough else None
            rows.append((method, kl, own, first, p))
    qs = iter(false_discovery([p for *_, p in rows if p is not None]))
    return [
        FrontierFamily(
            method=method,
            kl=kl,
            tasks=len(tasks),
            own=mean_over_tasks(own[:, 0].tolist()),
            others=_mean(_others(method, kl, tasks, at)),
            beyond=mean_over_tasks((own[:, 0] - own[:, 1:].mean(axis=1)).tolist()),
            p=p,
            q=None if p is None else next(qs),
            beside=mean_over_tasks((own[:, 0] - first[:, 0]).tolist()),
        )
        for method, kl, own, first, p in rows
    ]


def _area(method: Method, grid: Sequence[float], tasks: Sequence[str], at: At) -> Area:
    """The mean height of each task's curve."""

    def height(values: Sequence[float]) -> float:
        return float(np.trapezoid([0.0, *values], [0.0, *grid]) / grid[-1])

    own = [height([at[task, method, kl][1][0] for kl in grid]) for task in tasks]
    others = [height([at[task, method, kl][2] for kl in grid]) for task in tasks]
    controls = [height([at[task, method, kl][1][1:].mean() for kl in grid]) for task in tasks]
    return Area(method, _mean(own), _mean(others), _mean(controls))


def _mean(values: Sequence[float]) -> Estimate:
    known = [value for value in values if np.isfinite(value)]
    return mean_over_tasks(known) if known else Estimate(None)
