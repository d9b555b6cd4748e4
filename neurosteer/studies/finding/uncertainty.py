"""How far the accuracies of a `find` are known: 95 % intervals over its test pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neurosteer.pairs import Baselines
from neurosteer.studies.bootstrap import Groups, pair_intervals
from neurosteer.vocabulary import FEWEST_PAIRS, counted_pairs

from .layers import LayerResult, Settings, pair_shares

Ends = list[float]  # lower and upper end


def layer_intervals(
    results: Sequence[LayerResult], settings: Settings, groups: Groups | None
) -> dict[int, dict[str, Any]]:
    """By layer the intervals of `dense`, `topk`, `topk_by_method`, `random` (the mean over draws) and `l0`.

    None where there is no such accuracy. The random sets are taken as they were drawn: how much draws differ, their
    range shows. `groups` are those of the test pairs.
    """
    if not results:
        return {}
    probes = {(result.layer, name): found for result in results for name, found in _probes(result).items() if found}
    shares = np.stack([pair_shares(found) for found in probes.values()])
    ends = pair_intervals(shares, task=settings.task, seed=settings.seed, groups=groups)
    by_probe = {probe: list(pair) for probe, pair in zip(probes, ends, strict=True)}
    return {result.layer: _named(result, by_probe, settings) for result in results}


def _probes(result: LayerResult) -> dict[str, list[Any]]:
    """The accuracies that are averaged into each number of a layer."""
    return {
        "dense": [result.dense],
        "random": list(result.random),
        "l0": [result.l0.accuracy] if result.l0 else [],
        **{f"topk {method}": [accuracy] for method, accuracy in result.topk.items()},
    }


def _named(result: LayerResult, ends: Mapping[tuple[int, str], Ends], settings: Settings) -> dict[str, Any]:
    by_method = {method: ends[result.layer, f"topk {method}"] for method in result.topk}
    return {
        "dense": ends[result.layer, "dense"],
        "topk": by_method[settings.methods[0]],
        "topk_by_method": by_method,
        "random": ends.get((result.layer, "random")),
        "l0": ends.get((result.layer, "l0")),
    }


def baseline_intervals(baselines: Baselines, settings: Settings, groups: Groups | None) -> dict[str, Any]:
    """The intervals of baselines under their names in JSON; None for `majority`, which nothing is measured for.

    The pairs are resampled as for the probes.
    """
    shares = np.array(list(baselines.shares.values()))
    ends = pair_intervals(shares, task=settings.task, seed=settings.seed, groups=groups) if len(shares) else []
    known = {name: list(pair) for name, pair in zip(baselines.shares, ends, strict=True)}
    return {
        name: {inner: known[f"{name}.{inner}"] for inner in value} if isinstance(value, dict) else known.get(name)
        for name, value in baselines.to_dict().items()
    }


def few_pairs(test: int, groups: int) -> list[str]:
    """A notice where the test pairs are of too few groups for intervals to be trusted to the last digit."""
    if groups >= FEWEST_PAIRS:
        return []
    return [
        f"only {counted_pairs(test, groups)}: accuracies are rough, and so are their 95 % intervals "
        f"(at least {FEWEST_PAIRS} are wanted)"
    ]
