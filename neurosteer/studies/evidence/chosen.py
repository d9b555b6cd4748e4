"""The set that is asked about: which ranking it heads, and among the units of which layers it was chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from neurosteer.errors import InputError
from neurosteer.neurons import NeuronSet, Ranking
from neurosteer.studies.finding import Found
from neurosteer.vocabulary import METHODS, Layers, Method

Chosen = tuple[NeuronSet, Ranking | None, tuple[int, ...]]  # the ranking that it heads, the layers it is chosen among


def chosen_of(
    found: Found,
    method: Method | None,
    topk: int | str | None,
    layers: Layers | None,
    neurons: NeuronSet | None,
) -> tuple[NeuronSet, Ranking | None]:
    if neurons is None:
        ranking = found.ranking(method or found.result.methods[0])
        if topk is not None:
            return ranking.top(topk, layers), ranking
        return ranking.suggested(found.result.topk, layers), ranking
    if method is not None or topk is not None:
        raise InputError("neurons= already says which; leave method= and topk= out")
    known = found.rankings.get(neurons.metadata.get("method"))  # type: ignore[arg-type]
    if known is not None and "k" in neurons.metadata:
        asked = layers if layers is not None else sorted(set(neurons.layers.tolist()))
        if list(known.top(neurons.metadata["k"], asked)) == list(neurons):
            return neurons, known
    stats = next(iter(found.rankings.values())).stats
    measured = bool(torch.isfinite(neurons.stats.token_mean).all())
    return (neurons if measured else replace(neurons, stats=stats)), None


def method_of(ranking: Ranking | None) -> Method | None:
    return None if ranking is None else next((one for one in METHODS if one == ranking.method), None)


def layers_among(
    neurons: NeuronSet, ranking: Ranking | None, layers: str | int | Sequence[int] | None
) -> tuple[int, ...]:
    """Among whose units the set was chosen."""
    if layers == "all" and ranking is not None:
        return ranking.layers
    if layers is None and "among" in neurons.metadata:
        return tuple(neurons.metadata["among"])
    if layers is None or isinstance(layers, str):
        return tuple(sorted(set(neurons.layers.tolist())))
    return tuple(sorted({layers} if isinstance(layers, int) else set(layers)))
