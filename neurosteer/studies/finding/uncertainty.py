"""How far the accuracies of a `find` are known: 95 % intervals over its test pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from neurosteer.pairs.baselines import FEATURES, TOKEN_FEATURES, Baselines
from neurosteer.results import BaselineIntervals, FindIntervals, Interval, TokenIntervals
from neurosteer.studies.bootstrap import Groups, pair_intervals
from neurosteer.studies.examples import ProbeAccuracy
from neurosteer.vocabulary import Method

from .layers import LayerResult, ProbeSettings, pair_shares


def layer_intervals(
    results: Sequence[LayerResult], settings: ProbeSettings, groups: Groups | None
) -> dict[int, FindIntervals]:
    """The intervals of each layer's accuracies, by layer.

    None where there is no such accuracy. The random sets are taken as they were drawn: how much draws differ, their
    range shows. `groups` are those of the test pairs.
    """
    if not results:
        return {}
    probes = {(result.layer, name): found for result in results for name, found in _probes(result).items() if found}
    shares = np.stack([pair_shares(found) for found in probes.values()])
    ends = pair_intervals(shares, task=settings.task, seed=settings.seed, groups=groups)
    by_probe = dict(zip(probes, ends, strict=True))
    return {result.layer: _intervals(result, by_probe, settings.methods[0]) for result in results}


def _probes(result: LayerResult) -> dict[str, Sequence[ProbeAccuracy]]:
    """The accuracies that are averaged into each number of a layer."""
    return {
        "dense": [result.dense],
        "random": result.random,
        "l0": [result.l0.accuracy] if result.l0 else [],
        **{f"topk {method}": [accuracy] for method, accuracy in result.topk.items()},
    }


def _intervals(result: LayerResult, ends: Mapping[tuple[int, str], Interval], first: Method) -> FindIntervals:
    return FindIntervals(
        dense=ends[result.layer, "dense"],
        topk=ends[result.layer, f"topk {first}"],
        topk_by_method={method: ends[result.layer, f"topk {method}"] for method in result.topk},
        random=ends.get((result.layer, "random")),
        l0=ends.get((result.layer, "l0")),
    )


def baseline_intervals(baselines: Baselines, settings: ProbeSettings, groups: Groups | None) -> BaselineIntervals:
    """The intervals of baselines; the pairs are resampled as for the probes."""
    shares = np.array(list(baselines.shares.values()))
    ends = pair_intervals(shares, task=settings.task, seed=settings.seed, groups=groups) if len(shares) else []
    known = dict(zip(baselines.shares, ends, strict=True))
    return BaselineIntervals(
        majority=None,
        **{name: known.get(name) for name in FEATURES},
        tokens=TokenIntervals(**{name: known[f"tokens.{name}"] for name in TOKEN_FEATURES})
        if baselines.tokens
        else None,
    )
