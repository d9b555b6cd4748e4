"""The result of a `find` as plain JSON values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from neurosteer.neurons import Ranking
from neurosteer.pairs import Pairs, Split, Tokenise
from neurosteer.studies.bootstrap import groups_in

from .agreement import agreement
from .layers import Equivalent, LayerResult, Settings
from .reading import reading
from .uncertainty import baseline_intervals, layer_intervals


@dataclass(frozen=True, eq=False)
class Search:
    """Everything that a `find` measured."""

    pairs: Pairs
    parts: Split | None  # None where the caller split
    settings: Settings
    results: Sequence[LayerResult]  # one per layer
    significant: Sequence[int]  # units per layer that pass at a false discovery rate of .05
    equivalent: Equivalent | None = None  # how many times k random units reach the top k of the best layer
    held_out: Split | None = None  # the lexical split, beside a split by pair
    unseen: Sequence[LayerResult] = ()  # the layers on it
    notices: Sequence[str] = ()

    def best_layer(self, method: str) -> int:
        """The layer whose top-k probe has the highest validation accuracy, or by attribution the largest drop.

        Of equal ones the lowest.
        """
        if method == "attribution":
            return max(self.results, key=lambda result: result.drop or 0.0).layer
        return max(self.results, key=lambda result: result.topk[method].validation).layer

    def result_at(self, layer: int) -> LayerResult:
        return next(result for result in self.results if result.layer == layer)

    def settings_of(self, method: str) -> dict[str, Any]:
        """How a method's ranking was made; for `l0` how masks were trained, and the lambda chosen at each layer."""
        if method != "l0":
            return {}
        chosen = {str(result.layer): result.l0.lam for result in self.results if result.l0}
        return {"l0": {**self.settings.l0.settings(), "lambda": chosen}}


def entry_of(
    search: Search, rankings: Mapping[str, Ranking], *, site: str, position: str, width: int, tokenise: Tokenise
) -> dict[str, Any]:
    """One element of `results` in the JSON of `neurosteer find`; paths of rankings are added when they are saved."""
    pairs, settings = search.pairs, search.settings
    unseen = {result.layer: result for result in search.unseen}
    groups, new_groups = (groups_in(split.test) if split else None for split in (search.parts, search.held_out))
    seen_ends = layer_intervals(search.results, settings, groups)
    unseen_ends = layer_intervals(search.unseen, settings, new_groups)
    rows = zip(search.results, search.significant, strict=True)
    baselines = pairs.baselines(search.parts, tokenise)
    on_new_words = search.held_out and pairs.baselines(search.held_out, tokenise)
    entry: dict[str, Any] = {
        "task": pairs.task,
        "phenomenon": pairs.phenomenon,
        "data": _data(search),
        "site": site,
        "position": position,
        "width": width,
        "baselines": baselines.to_dict(),
        "baselines_intervals": baseline_intervals(baselines, settings, groups),
        "baselines_new_words": on_new_words and on_new_words.to_dict(),
        "baselines_new_words_intervals": on_new_words and baseline_intervals(on_new_words, settings, new_groups),
        "layers": [
            _row(result, count, settings, unseen.get(result.layer))
            | {"intervals": _intervals(seen_ends[result.layer], unseen_ends.get(result.layer))}
            for result, count in rows
        ],
        "best_layer": search.best_layer(settings.methods[0]),
        "best_layers": {method: search.best_layer(method) for method in settings.methods},
        "k": settings.k,
        "methods": list(settings.methods),
        **_equivalent(search.equivalent),
        "rankings": {},
        "neurons": {method: _neurons(ranking, settings.k) for method, ranking in rankings.items()},
        "notices": [*search.notices, *_short_sets(rankings, settings.k)],
    }
    return {**entry, "reading": reading(entry)}


def _data(search: Search) -> dict[str, Any]:
    pairs = search.pairs
    new_words = search.held_out and _split(search.held_out)
    return {**pairs.describe(), "split": _split(search.parts), "split_new_words": new_words}


def _split(parts: Split | None) -> dict[str, Any]:
    if parts is None:
        return {}
    sizes = {name: len(part) for name, part in zip(("train", "validation", "test"), parts, strict=True)}
    return {"kind": parts.kind, "seed": parts.seed, **sizes, "dropped": parts.dropped}


def _short_sets(rankings: Mapping[str, Ranking], k: int) -> list[str]:
    sizes = {method: len(ranking.top(k)) for method, ranking in rankings.items()}
    return [
        f"{method} keeps only {size} neurons at its best layer, fewer than {k}"
        for method, size in sizes.items()
        if size < k
    ]


def _row(result: LayerResult, significant: int, settings: Settings, unseen: LayerResult | None) -> dict[str, Any]:
    drawn, l0 = [accuracy.test for accuracy in result.random], result.l0
    return {
        "layer": result.layer,
        "dense": result.dense.test,
        "topk": result.topk[settings.methods[0]].test,
        "topk_by_method": {method: accuracy.test for method, accuracy in result.topk.items()},
        "random": {
            "mean": sum(drawn) / len(drawn) if drawn else None,
            "low": min(drawn, default=None),
            "high": max(drawn, default=None),
        },
        "l0": l0 and {"lambda": l0.lam, "kept": l0.kept, "accuracy": l0.accuracy.test, "reached": l0.reached},
        "spearman": l0.spearman if l0 else None,
        "agreement": agreement(result.scores, settings.k),
        "attribution": None if result.drop is None else {"drop": result.drop},
        "significant": significant,
        "new_words": unseen and {"dense": unseen.dense.test, "topk": unseen.topk[settings.methods[0]].test},
        "l2": result.l2,
    }


def _intervals(ends: dict[str, Any], unseen: dict[str, Any] | None) -> dict[str, Any]:
    """The 95 % intervals of a layer's test accuracies."""
    return ends | {f"new_words_{name}": unseen and unseen[name] for name in ("dense", "topk")}


def _equivalent(found: Equivalent | None) -> dict[str, Any]:
    """How many times k random units are worth the top k, and the interval; null is no end, or no number that does."""
    if found is None:
        return {"random_equivalent": None, "random_equivalent_interval": None}
    times, *ends = (value if math.isfinite(value) else None for value in (found.times, found.low, found.high))
    return {"random_equivalent": times, "random_equivalent_interval": ends}


def _neurons(ranking: Ranking, k: int) -> list[dict[str, Any]]:
    """The top k at the ranking's best layer, best first."""
    top = ranking.top(k)
    found = [
        {"layer": layer, "unit": unit, "score": round(score, 6)}
        for (layer, unit), score in zip(top, top.scores.tolist(), strict=True)
    ]
    return sorted(found, key=lambda neuron: -neuron["score"])
