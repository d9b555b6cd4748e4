"""What is asked about: a set, the ranking that it heads and the layers it was chosen among; or a direction."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from neurosteer.errors import InputError
from neurosteer.neurons import Direction, NeuronSet, Ranking
from neurosteer.studies.finding import Found
from neurosteer.vocabulary import METHODS, Layers, Method


@dataclass(frozen=True, eq=False)
class Chosen:
    """What is asked about."""

    target: NeuronSet | Direction
    ranking: Ranking | None  # that a set heads
    layers: tuple[int, ...]  # among whose units it was chosen

    @property
    def neurons(self) -> NeuronSet:
        """The set; of a direction the units that it has a value for."""
        return self.target.neurons if isinstance(self.target, Direction) else self.target

    @property
    def direction(self) -> Direction | None:
        """The direction, where that is asked about."""
        return self.target if isinstance(self.target, Direction) else None


def direction_of(found: Found, direction: Direction) -> Chosen:
    """A direction, with the statistics of the find where it has none of its own."""
    return Chosen(replace(direction, neurons=_measured(found, direction.neurons)), None, (direction.layer,))


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
    return _measured(found, neurons), None


def _measured(found: Found, neurons: NeuronSet) -> NeuronSet:
    """With the statistics of the find where nobody has measured any."""
    if bool(torch.isfinite(neurons.stats.token_mean).all()):
        return neurons
    return replace(neurons, stats=next(iter(found.rankings.values())).stats)


def method_of(ranking: Ranking | None) -> Method | None:
    return None if ranking is None else next((one for one in METHODS if one == ranking.method), None)


def layers_among(target: NeuronSet | Direction, ranking: Ranking | None, layers: Layers | None) -> tuple[int, ...]:
    """Among whose units a set was chosen; the layer of a direction."""
    if isinstance(target, Direction):
        return (target.layer,)
    if layers == "all" and ranking is not None:
        return ranking.layers
    if layers is None and "among" in target.metadata:
        return tuple(target.metadata["among"])
    if layers is None or isinstance(layers, str):
        return tuple(sorted(set(target.layers.tolist())))
    return tuple(sorted({layers} if isinstance(layers, int) else set(layers)))
