"""Figures 2 to 5: what the probes of all tasks say by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import stats

from neurosteer.studies.matching import matching_size

from .design import LEAST_LAYERS, Design
from .intervals import Means, TaskSamples, ends, plain

MOST = 0.5  # of the tasks, without which those that are known may be no like of the others
FLOOR = 0.55  # a dense probe that reads less than this (on validation) leaves nothing to be held in few neurons
Sweep = Mapping[str, np.ndarray]  # arrays [task layer ...], see sweep.py
Row = dict[str, Any]


def fig2(sweep: Sweep, tasks: Sequence[str], design: Design, samples: TaskSamples, baselines: Row) -> Row:
    """Kept share and accuracy of L0 probes by lambda."""
    values = {"kept": sweep["kept"], "accuracy": sweep["masked"]} | _relative(sweep, "masked")
    rows = _rows(values, "lambda", design.lambdas, design, samples)
    wide = {"kept": sweep["kept"], "accuracy": sweep["masked"]}
    return {
        "experiment": "fig2",
        "lambdas": list(design.lambdas),
        "floor": FLOOR,
        "rows": rows,
        "rises": _rises(sweep["kept"], design, samples),
        "dense": dense_rows(sweep, design, samples),
        "baselines": baselines,
        "tables": {"": rows, "tasks": _wide(sweep, wide, design.lambdas, tasks, design)},
    }


def fig3(sweep: Sweep, tasks: Sequence[str], design: Design, samples: TaskSamples, baselines: Row) -> Row:
    """Accuracy of the k units of the largest |t|."""
    rows = _rows({"accuracy": sweep["topk"]} | _relative(sweep, "topk"), "k", design.ks, design, samples)
    return {
        "experiment": "fig3",
        "ks": list(design.ks),
        "floor": FLOOR,
        "rows": rows,
        "dense": dense_rows(sweep, design, samples),
        "baselines": baselines,
        "tables": {"": rows, "tasks": _wide(sweep, {"accuracy": sweep["topk"]}, design.ks, tasks, design)},
    }


def fig4(sweep: Sweep, tasks: Sequence[str], design: Design, samples: TaskSamples) -> Row:
    """Spearman of |t| and gate, over the tasks whose gates are not all equal; `judged` where half are or more."""
    values = {"spearman": sweep["spearman"], "limit": sweep["limit"]}
    rows = _rows(values, "lambda", design.lambdas, design, samples)
    for row in rows:
        row["undefined"] = len(tasks) - row["tasks"]
        row["judged"] = row["tasks"] >= MOST * len(tasks)
    return {
        "experiment": "fig4",
        "lambdas": list(design.lambdas),
        "rows": rows,
        "tables": {"": rows, "tasks": _wide(sweep, values, design.lambdas, tasks, design)},
    }


def fig5(sweep: Sweep, tasks: Sequence[str], design: Design, samples: TaskSamples) -> Row:
    """How many random units are worth the top k: of the mean accuracies over tasks, and task by task."""
    counted = readable(sweep)
    top = np.where(counted, sweep["chosen"], np.nan)
    random = np.where(counted[..., None], sweep["random"].mean(axis=-1), np.nan)
    goal = samples.resampled(top)
    matching = matching_size(goal, samples.resampled(random), design.sizes)
    matching = np.where(np.isnan(goal), np.nan, matching)
    of_tasks = np.where(counted, matching_size(top, random, design.sizes), np.nan)
    rows = _matching_rows(matching, of_tasks, samples.means(top), samples.known(top), design)
    curves = _rows({"accuracy": random}, "size", design.sizes, design, samples)
    wide = _wide(sweep, {"random": sweep["random"].mean(axis=-1)}, design.sizes, tasks, design)
    flat = [(chosen, own) for chosen, own in zip(sweep["chosen"].ravel(), of_tasks.ravel(), strict=True)]
    for row, (chosen, own) in zip(wide, flat, strict=True):
        row |= {"top": float(chosen), "equivalent": plain(own), "censored": bool(np.isposinf(own))}
    return {
        "experiment": "fig5",
        "k": design.k,
        "floor": FLOOR,
        "sizes": list(design.sizes),
        "rows": rows,
        "curves": curves,
        "tables": {"": rows, "random": curves, "tasks": wide},
    }


def _relative(sweep: Sweep, name: str) -> dict[str, np.ndarray]:
    """Accuracy beside the dense probe's of the same task and layer, on test and validation data.

    NaN where that reads nothing.
    """
    counted = readable(sweep)[..., None]

    def share(of: np.ndarray, dense: np.ndarray) -> np.ndarray:
        return np.divide(of, dense[..., None], out=np.full(of.shape, np.nan), where=counted)

    return {f"relative{part}": share(sweep[name + part], sweep["dense" + part]) for part in ("", "_validation")}


def readable(sweep: Sweep) -> np.ndarray:
    """`[task layer]`: where the dense probe reads anything, as far as validation data tell."""
    return sweep["dense_validation"] >= FLOOR


def by_luck(validation: int) -> float:
    """How probably a probe that knows nothing reaches the floor on as many validation sentences."""
    return float(stats.binom.sf(np.ceil(FLOOR * validation) - 1, validation, 0.5))


def _rises(kept: np.ndarray, design: Design, samples: TaskSamples) -> list[Row]:
    """Spearman of layer and mean kept share by lambda, with an interval over tasks."""
    if len(design.layers) < LEAST_LAYERS:
        return []
    found = samples.trend(kept)
    every = zip(design.lambdas, found.rho, found.low, found.high, strict=True)
    return [{"lambda": lam} | _ends("rho", *three) for lam, *three in every if lam < 1]


def _matching_rows(
    matching: np.ndarray, of_tasks: np.ndarray, top: Means, known: np.ndarray, design: Design
) -> list[Row]:
    low, high = ends(matching[1:], known)
    rows = []
    for i, layer in enumerate(design.layers):
        own = of_tasks[~np.isnan(of_tasks[:, i]), i]
        middle = float(np.median(own)) if len(own) else np.nan
        row: Row = {"layer": layer, "tasks": len(own), "excluded": len(of_tasks) - len(own)}
        row |= _ends("top", top.mean[i], top.low[i], top.high[i])
        equivalent = (matching[0, i], low[i], high[i])
        row |= _ends("equivalent", *equivalent)
        row |= _ends("multiple", *(end / design.k for end in equivalent))
        row |= {
            "censored": float(np.isposinf(matching[1:, i]).mean()),
            "beyond": bool(np.isposinf(matching[0, i])),
            "median_multiple": plain(middle / design.k),
            "censored_tasks": int(np.isposinf(own).sum()),
        }
        rows.append(row)
    return rows


def dense_rows(sweep: Sweep, design: Design, samples: TaskSamples) -> list[Row]:
    found = samples.means(sweep["dense"])
    return [
        {"layer": layer, "tasks": int(found.tasks[i])} | _ends("accuracy", found.mean[i], found.low[i], found.high[i])
        for i, layer in enumerate(design.layers)
    ]


def _rows(
    values: Mapping[str, np.ndarray],
    axis: str,
    grid: Sequence[int] | Sequence[float],
    design: Design,
    samples: TaskSamples,
) -> list[Row]:
    """One row per layer and point of the grid, from arrays `[task layer point]`."""
    found = {name: samples.means(value) for name, value in values.items()}
    first, of = next(iter(found.values())), len(next(iter(values.values())))
    rows = []
    for i, layer in enumerate(design.layers):
        for j, point in enumerate(grid):
            row: Row = {"layer": layer, axis: point, "tasks": int(first.tasks[i, j])}
            for name, means in found.items():
                row |= _ends(name, means.mean[i, j], means.low[i, j], means.high[i, j])
            if "relative" in found:
                counted = int(found["relative"].tasks[i, j])
                row |= {"relative_tasks": counted, "excluded": of - counted}
            rows.append(row)
    return rows


def _ends(name: str, mean: float, low: float, high: float) -> Row:
    return {name: plain(mean), f"{name}_low": plain(low), f"{name}_high": plain(high)}


def _wide(
    sweep: Sweep,
    values: Mapping[str, np.ndarray],
    grid: Sequence[int] | Sequence[float],
    tasks: Sequence[str],
    design: Design,
) -> list[Row]:
    """One row per task and layer, a column per value and point of the grid."""
    rows = []
    for i, task in enumerate(tasks):
        for j, layer in enumerate(design.layers):
            row: Row = {"task": task, "layer": layer, "dense": float(sweep["dense"][i, j])}
            for name, value in values.items():
                row |= {f"{name}@{point:g}": plain(value[i, j, n]) for n, point in enumerate(grid)}
            rows.append(row)
    return rows


def controls(sweeps: Mapping[str, Sweep], tasks: Sequence[str], design: Design, samples: TaskSamples) -> Row:
    """The same curves of the neurons, of a rotated basis, and of a model that has learned nothing.

    At each layer all are over the same tasks: those that the dense probe reads in every variant.
    """
    common = np.logical_and.reduce([readable(sweep) for sweep in sweeps.values()])
    curves = {}
    for variant, sweep in sweeps.items():
        alike = {name: _only(values, common) for name, values in sweep.items() if name != "layers"}
        masked, topk, matched = (
            fig2(alike, tasks, design, samples, {}),
            fig3(alike, tasks, design, samples, {}),
            fig5(alike, tasks, design, samples),
        )
        curves[variant] = {
            "fig2": {"rows": masked["rows"], "dense": masked["dense"]},
            "fig3": {"rows": topk["rows"]},
            "fig5": {"rows": matched["rows"], "curves": matched["curves"]},
        }
    tables = {
        name: [{"variant": variant, **row} for variant, curve in curves.items() for row in curve[figure]["rows"]]
        for name, figure in (("", "fig5"), ("masks", "fig2"), ("topk", "fig3"))
    }
    return {
        "experiment": "controls",
        "floor": FLOOR,
        "variants": list(sweeps),
        "curves": curves,
        "tables": tables,
    }


def _only(values: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """`[task layer ...]`, NaN where not counted."""
    return np.where(counted.reshape(*counted.shape, *[1] * (values.ndim - 2)), values, np.nan)
