"""What each way of training says of figures 2 and 4, at equal lambda and at equal kept share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from neurosteer.experiments.curves import readable
from neurosteer.experiments.design import Design
from neurosteer.experiments.intervals import layer_trend, plain, task_means
from neurosteer.runner.units import Read
from neurosteer.vocabulary import AGREE

from .equal_share import needed_share, value_at
from .units import DENSE, sensitivity_name
from .variants import STATES, variants

SHARE = 0.10  # of the units kept, at which ways to train are compared
FACTORS = ("states", "start", "log_alpha", "training")
Curves = Float[np.ndarray, "task layer lambda"]
Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Way:
    """One way to train, after one number of steps: `factors` say which, `values` what came out."""

    factors: Mapping[str, str | float]
    values: Mapping[str, Curves]


@dataclass(frozen=True, eq=False)
class Dense:
    """The dense probes, and how much the units of a layer vary."""

    accuracy: Float[np.ndarray, "task layer"]
    validation: Float[np.ndarray, "task layer"]
    level: Float[np.ndarray, "task layer"]

    def where_read(self, values: Float[np.ndarray, "task layer"]) -> Float[np.ndarray, "task layer"]:
        """NaN where the dense probe reads nothing."""
        return np.where(readable({"dense_validation": self.validation}), values, np.nan)


def sensitivity_result(read: Read, tasks: Sequence[str], design: Design) -> Row:
    """The `sensitivity` result: `rows` by way, layer and lambda; `ways`, each with what it says of the claims."""
    pieces = [read(sensitivity_name(task, DENSE)).arrays for task in tasks]
    dense = Dense(*(np.stack([piece[name] for piece in pieces]) for name in ("dense", "validation", "level")))
    rows: list[Row] = []
    by_layer: list[Row] = []
    judged: list[Row] = []
    for way in ways(read, tasks, design):
        rows += _rows(way, design)
        of_layers, row = _judged(way, dense, design)
        by_layer += of_layers
        judged.append(row)
    levels = task_means(dense.level, design.seed)
    return {
        "experiment": "sensitivity",
        "lambdas": list(design.lambdas),
        "lambda": design.lam,
        "share": SHARE,
        "layers": list(design.layers),
        "rows": rows,
        "by_layer": by_layer,
        "ways": judged,
        "claims": [_claim(judged, key) for key in ("b", "b_equal", "d", "d_equal")],
        "level": [
            {"layer": layer, "level": plain(levels.mean[i]), "dense": plain(dense.accuracy[:, i].mean())}
            for i, layer in enumerate(design.layers)
        ],
        "tables": {"": judged, "lambdas": rows, "layers": by_layer},
    }


def ways(read: Read, tasks: Sequence[str], design: Design) -> Iterator[Way]:
    """Every start of every variant, after each of its numbers of steps."""
    for variant in variants(design.l0, design.unpenalised_steps):
        pieces = [read(sensitivity_name(task, variant.name)).arrays for task in tasks]
        stacked = {name: np.stack([piece[name] for piece in pieces]).astype(float) for name in pieces[0]}
        for place, settings in enumerate(variant.starts):
            factors = {"states": settings.states, "start": settings.start, "log_alpha": settings.log_alpha}
            for stage, training in enumerate(variant.trainings):
                values = {name: every[:, :, place, stage] for name, every in stacked.items()}
                yield Way(factors | {"training": training}, values)


def _rows(way: Way, design: Design) -> Iterator[Row]:
    """Means over tasks with their intervals, by layer and lambda."""
    found = {name: task_means(values, design.seed) for name, values in way.values.items() if name != "validation"}
    for i, layer in enumerate(design.layers):
        for j, lam in enumerate(design.lambdas):
            row: Row = {**way.factors, "layer": layer, "lambda": lam}
            for name, means in found.items():
                ends = (means.mean, means.low, means.high)
                row |= {
                    key: plain(end[i, j])
                    for key, end in zip((name, f"{name}_low", f"{name}_high"), ends, strict=True)
                }
            yield row


def _judged(way: Way, dense: Dense, design: Design) -> tuple[list[Row], Row]:
    """What a way says: layer by layer, and of both claims, at lambda and at equal kept share."""
    at, values, layers = design.lambdas.index(design.lam), way.values, len(design.layers)
    agreement = _share_of_limit(values["spearman"][:, :, at], values["limit"][:, :, at])
    spearman, limit = (value_at(values["kept"], values[name], SHARE) for name in ("spearman", "limit"))
    equal_agreement = _where_most(np.isfinite(spearman), _share_of_limit(spearman, limit))
    reached_at = value_at(values["kept"], values["accuracy"], SHARE, full=dense.accuracy)
    relative = dense.where_read(reached_at / dense.accuracy)
    needed = dense.where_read(needed_share(values["kept"], values["validation"], dense.validation))
    kept, reached, spread = (task_means(one, design.seed) for one in (values["kept"][:, :, at], relative, needed))
    by_layer = [
        {
            **way.factors,
            "layer": layer,
            "kept": plain(kept.mean[i]),
            "kept_low": plain(kept.low[i]),
            "kept_high": plain(kept.high[i]),
            "agreement": plain(agreement[i]),
            "agreement_equal": plain(equal_agreement[i]),
            "relative_equal": plain(reached.mean[i]),
            "needed": plain(spread.mean[i]),
            "needed_low": plain(spread.low[i]),
            "needed_high": plain(spread.high[i]),
        }
        for i, layer in enumerate(design.layers)
    ]
    below = [j for j, lam in enumerate(design.lambdas) if lam < 1]
    rises = layer_trend(values["kept"][:, :, below], design.seed)
    place = below.index(at) if at in below else 0
    agree, agree_equal = (int((one >= AGREE).sum()) for one in (agreement, equal_agreement))
    known = int(np.isfinite(equal_agreement).sum())
    whole = needed[np.isfinite(needed).all(axis=1)]  # a trend is over tasks that are known at every layer
    equal = layer_trend(whole[:, :, None], design.seed) if len(whole) > len(needed) / 2 else None
    rising = int((rises.low > 0).sum())
    return by_layer, {
        **way.factors,
        "lambda": design.lam,
        "kept": plain(values["kept"][:, :, at].mean()),
        "accuracy": plain(values["accuracy"][:, :, at].mean()),
        "relative": plain(_mean(dense.where_read(values["accuracy"][:, :, at] / dense.accuracy))),
        "loss": plain(values["loss"][:, :, at].mean()),
        "rho": plain(rises.rho[place]),
        "rho_low": plain(rises.low[place]),
        "rho_high": plain(rises.high[place]),
        "rising_lambdas": rising,
        "of_lambdas": len(below),
        "agreeing_layers": agree,
        "of_layers": layers,
        "relative_equal": plain(_mean(relative)),
        "needed": plain(_mean(needed)),
        "rho_equal": equal and plain(equal.rho[0]),
        "rho_equal_low": equal and plain(equal.low[0]),
        "rho_equal_high": equal and plain(equal.high[0]),
        "tasks_equal": len(whole),
        "of_tasks": len(needed),
        "agreeing_layers_equal": agree_equal,
        "of_layers_equal": known,
        "b": agree > layers / 2,
        "b_equal": agree_equal > known / 2 if known > layers / 2 else None,
        "d": rising > len(below) / 2,
        "d_equal": None if equal is None else bool(equal.low[0] > 0),
    }


def _share_of_limit(
    spearman: Float[np.ndarray, "task layer"], limit: Float[np.ndarray, "task layer"]
) -> Float[np.ndarray, "layer"]:
    """Mean Spearman over tasks as a share of the mean that ties allow; NaN where no task has any."""
    both = np.isfinite(spearman) & np.isfinite(limit)
    found, most = (np.where(both, values, 0.0).sum(axis=0) for values in (spearman, limit))
    return np.divide(found, most, out=np.full(len(most), np.nan), where=most > 0)


def _where_most(
    known: Bool[np.ndarray, "task layer"], values: Float[np.ndarray, "layer"]
) -> Float[np.ndarray, "layer"]:
    """NaN at layers where less than half of the tasks are known: those that are may be no like of the others."""
    return np.where(known.mean(axis=0) >= 0.5, values, np.nan)


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else np.nan


def _claim(judged: Sequence[Row], key: str) -> Row:
    """Whether a claim holds however masks are trained, and, if it depends, on which choice most.

    Of the ways that are crossed with each other: scaled states, with their one start, stand beside them. `by` gives
    for each choice and each of its values in how many ways the claim holds, of how many.
    """
    known = [row for row in judged if row[key] is not None and row["states"] in STATES]
    holds = sum(row[key] for row in known)
    by = {}
    for factor in FACTORS:
        of_value: dict[str, list[int]] = {}
        for row in known:
            count = of_value.setdefault(str(row[factor]), [0, 0])
            count[0] += row[key]
            count[1] += 1
        by[factor] = of_value
    verdict = "holds" if holds == len(known) else "depends on training" if holds else "fails"
    spread = {
        factor: max(shares) - min(shares)
        for factor, of_value in by.items()
        if (shares := [held / of for held, of in of_value.values()])
    }
    most = max(spread.values(), default=0.0)
    on = [factor for factor, gap in spread.items() if most > 0 and gap > most - 1e-9]
    return {"claim": key, "verdict": verdict if known else None, "holds": holds, "of": len(known), "by": by, "on": on}
