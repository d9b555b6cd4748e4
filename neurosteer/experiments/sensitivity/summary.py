"""What each way of training says of figures 2 and 4, at equal lambda and at equal kept share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from neurosteer.experiments.curves import MOST, readable
from neurosteer.experiments.design import Design
from neurosteer.experiments.intervals import TaskSamples, ends, plain
from neurosteer.runner.units import Read
from neurosteer.vocabulary import AGREE

from .claims import Factors, Said, judge, says
from .equal_share import needed_share, value_at
from .units import DENSE, sensitivity_name
from .variants import variants

SHARE = 0.10  # of the units kept, at which ways to train are compared
CLAIMS = ("b", "b_equal", "d", "d_equal")
Curves = Float[np.ndarray, "task layer lambda"]
Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Way:
    """One way to train, after one number of steps: `factors` say which, `values` what came out."""

    factors: Factors
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


@dataclass(frozen=True, eq=False)
class Beyond:
    """How far the mean agreement over layers is above half of what ties allow, in every resample; its interval."""

    draws: Float[np.ndarray, "resample"]
    low: Float[np.ndarray, "1"]
    high: Float[np.ndarray, "1"]

    def row(self, name: str) -> Row:
        three = zip(("", "_low", "_high"), (self.draws[0], self.low[0], self.high[0]), strict=True)
        return {f"{name}{end}": plain(value) for end, value in three}


def sensitivity_result(read: Read, tasks: Sequence[str], design: Design, samples: TaskSamples) -> Row:
    """The `sensitivity` result: `rows` by way, layer and lambda; `ways`, each with what it says of the claims."""
    pieces = [read(sensitivity_name(task, DENSE)).arrays for task in tasks]
    dense = Dense(*(np.stack([piece[name] for piece in pieces]) for name in ("dense", "validation", "level")))
    rows: list[Row] = []
    by_layer: list[Row] = []
    judged: list[Row] = []
    said: dict[str, list[Said]] = {claim: [] for claim in CLAIMS}
    for way in ways(read, tasks, design):
        rows += _rows(way, design, samples)
        of_layers, row, own = _judged(way, dense, design, samples)
        by_layer += of_layers
        judged.append(row)
        for claim, one in own.items():
            said[claim].append(one)
    levels = samples.means(dense.level)
    return {
        "experiment": "sensitivity",
        "lambdas": list(design.lambdas),
        "lambda": design.lam,
        "share": SHARE,
        "layers": list(design.layers),
        "rows": rows,
        "by_layer": by_layer,
        "ways": judged,
        "claims": [judge(claim, every, samples.drawn) for claim, every in said.items()],
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


def _rows(way: Way, design: Design, samples: TaskSamples) -> Iterator[Row]:
    """Means over tasks with their intervals, by layer and lambda."""
    found = {name: samples.means(values) for name, values in way.values.items() if name != "validation"}
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


def _judged(way: Way, dense: Dense, design: Design, samples: TaskSamples) -> tuple[list[Row], Row, dict[str, Said]]:
    """What a way says: layer by layer, and of both claims, at lambda and at equal kept share."""
    at, values = design.lambdas.index(design.lam), way.values
    spearman, limit = (value_at(values["kept"], values[name], SHARE) for name in ("spearman", "limit"))
    agreement = _share_of_limit(values["spearman"][:, :, at], values["limit"][:, :, at], samples)
    equal_agreement = _share_of_limit(spearman, limit, samples)
    reached_at = value_at(values["kept"], values["accuracy"], SHARE, full=dense.accuracy)
    relative = dense.where_read(reached_at / dense.accuracy)
    needed = dense.where_read(needed_share(values["kept"], values["validation"], dense.validation))
    kept, reached, spread = (samples.means(one) for one in (values["kept"][:, :, at], relative, needed))
    by_layer = [
        {
            **way.factors,
            "layer": layer,
            "kept": plain(kept.mean[i]),
            "kept_low": plain(kept.low[i]),
            "kept_high": plain(kept.high[i]),
            "agreement": plain(agreement[0, i]),
            "agreement_equal": plain(equal_agreement[0, i]),
            "relative_equal": plain(reached.mean[i]),
            "needed": plain(spread.mean[i]),
            "needed_low": plain(spread.low[i]),
            "needed_high": plain(spread.high[i]),
        }
        for i, layer in enumerate(design.layers)
    ]
    below = [j for j, lam in enumerate(design.lambdas) if lam < 1]
    rises = samples.trend(values["kept"][:, :, below])
    place = below.index(at) if at in below else 0
    whole = np.isfinite(needed).all(axis=1)  # a trend is over tasks that are known at every layer
    most = whole.mean() > MOST
    equal = samples.trend(np.where(whole[:, None] & most, needed, np.nan)[:, :, None])
    agrees = _agrees(agreement, values["spearman"][:, :, at], samples)
    agrees_equal = _agrees(equal_agreement, spearman, samples)
    said = {
        claim: Said(way.factors, says(of.low, of.high), draws)
        for claim, of, draws in (
            ("b", agrees, agrees.draws),
            ("b_equal", agrees_equal, agrees_equal.draws),
            ("d", rises, rises.draws.mean(axis=1)),
            ("d_equal", equal, equal.draws[:, 0]),
        )
    }
    return (
        by_layer,
        {
            **way.factors,
            "lambda": design.lam,
            "kept": plain(values["kept"][:, :, at].mean()),
            "accuracy": plain(values["accuracy"][:, :, at].mean()),
            "relative": plain(_mean(dense.where_read(values["accuracy"][:, :, at] / dense.accuracy))),
            "loss": plain(values["loss"][:, :, at].mean()),
            "rho": plain(rises.rho[place]),
            "rho_low": plain(rises.low[place]),
            "rho_high": plain(rises.high[place]),
            "rising_lambdas": int((rises.low > 0).sum()),
            "falling_lambdas": int((rises.high < 0).sum()),
            "of_lambdas": len(below),
            **agrees.row("beyond_half"),
            "agreeing_layers": int((agreement[0] >= AGREE).sum()),
            "of_layers": int(np.isfinite(agreement[0]).sum()),
            "relative_equal": plain(_mean(relative)),
            "needed": plain(_mean(needed)),
            "rho_equal": plain(equal.rho[0]),
            "rho_equal_low": plain(equal.low[0]),
            "rho_equal_high": plain(equal.high[0]),
            "tasks_equal": int(whole.sum()),
            "of_tasks": len(needed),
            **agrees_equal.row("beyond_half_equal"),
            "agreeing_layers_equal": int((equal_agreement[0] >= AGREE).sum()),
            "of_layers_equal": int(np.isfinite(equal_agreement[0]).sum()),
            **{claim: one.says for claim, one in said.items()},
        },
        said,
    )


def _share_of_limit(
    spearman: Float[np.ndarray, "task layer"], limit: Float[np.ndarray, "task layer"], samples: TaskSamples
) -> Float[np.ndarray, "resample layer"]:
    """Mean Spearman over tasks as a share of the mean that ties allow, in every resample of the tasks.

    NaN at layers where less than half of the tasks have any.
    """
    both = np.isfinite(spearman) & np.isfinite(limit)
    found, most = (samples.resampled(np.where(both, values, np.nan)) for values in (spearman, limit))
    counted = (both.mean(axis=0) >= MOST) & (most > 0)
    return np.divide(found, most, out=np.full(found.shape, np.nan), where=counted)


def _agrees(
    agreement: Float[np.ndarray, "resample layer"],
    spearman: Float[np.ndarray, "task layer"],
    samples: TaskSamples,
) -> Beyond:
    """NaN unless most layers are known.

    The interval counts as many phenomena or tasks as a layer knows, on average over the layers.
    """
    counted = np.isfinite(agreement[0])
    most = counted.mean() > MOST
    there = np.isfinite(agreement) & counted & most
    total, many = np.where(there, agreement, 0.0).sum(axis=1), there.sum(axis=1)
    draws = np.divide(total, many, out=np.full(len(total), np.nan), where=many > 0) - AGREE
    drawn = np.floor(samples.known(spearman)[counted].mean()) if most else 0
    return Beyond(draws, *ends(draws[1:, None], drawn))


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else np.nan
