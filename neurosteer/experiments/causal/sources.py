"""The neurons of a task at one layer, by each method, and the attribution that also predicts what they do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from neurosteer.data import UnitStats
from neurosteer.experiments.experiment import Task, Work
from neurosteer.experiments.shared import costs
from neurosteer.experiments.shared.one_layer import ScoredUnits, one_layer_name
from neurosteer.forward import attribute_pairs
from neurosteer.neurons import NeuronSet, Ranking, massive
from neurosteer.runner.units import Read, Unit, UnitResult
from neurosteer.store import file_stem
from neurosteer.studies.costs import count_prefixes
from neurosteer.vocabulary import CausalMethod

from .settings import CausalSettings


def attribution_name(task: str) -> str:
    return f"attribution-{file_stem(task)}"


@dataclass(frozen=True, eq=False)
class Attributed:
    """Predicted drops of the margin (nats) without each neuron of the layer."""

    drop: Float[np.ndarray, "unit"]  # of the mean margin
    by_pair: Float[np.ndarray, "pair unit"]


def attribution_unit(work: Work, task: Task) -> Unit:
    """`Attributed`, from the first train pairs.

    The gradient is taken down to the layer: of the blocks below only activations are computed.
    """
    model, site, layer = work.model, work.recipe.site, work.design.layer
    pairs = task.split.train.limit(work.recipe.of(CausalSettings).attribution_pairs)

    def compute(_: Read) -> UnitResult:
        found = attribute_pairs(model, pairs, site=site, layers=[layer], progress=work.progress)
        by_pair = found.drop()[:, 0].numpy()
        values = {"task": task.name, "pairs": len(pairs), "model": model.fingerprint, "site": site, "layer": layer}
        return UnitResult({"drop": by_pair.mean(axis=0), "by_pair": by_pair.astype(np.float32)}, values)

    cost = costs.BACKWARD * costs.token_seconds(model) * costs.BY_PAIR * count_prefixes(pairs)
    size = (8 + 4 * len(pairs)) * model.d_model
    return Unit(attribution_name(task.name), task.name, cost, compute, size=size)


def ranking_needs(task: str, method: CausalMethod) -> tuple[str, ...]:
    """The units that a ranking of the task is made from."""
    return (one_layer_name(task), *((attribution_name(task),) if method == "attribution" else ()))


def chosen_set(read: Read, work: Work, task: str, method: CausalMethod) -> NeuronSet:
    """A task's set by a method; empty where no score is above 0."""
    return ranking_of(read, work, task, method).top(work.recipe.topk, layers=work.design.layer)


def ranking_of(read: Read, work: Work, task: str, method: CausalMethod) -> Ranking:
    """A task's ranking of the neurons of the layer."""
    return as_ranking(read, work, task, method, _scores(read, task, method))


def as_ranking(read: Read, work: Work, task: str, method: CausalMethod, scores: Float[Tensor, "unit"]) -> Ranking:
    """Scores of the layer's neurons as a ranking, beside the statistics of the task's train sentences.

    Massive ones come last: without one the model breaks down, whatever the task.
    """
    stats = _stats(read, task, work.design.layer)
    scores = scores.float()[None].masked_fill(massive(stats), 0.0)
    return Ranking(scores, None, method, stats, work.model.fingerprint, work.recipe.site, {"task": task})


def massive_units(read: Read, tasks: Sequence[str], layer: int) -> list[int]:
    """The units that are massive on the train sentences of every task: no set has one."""
    flags = torch.stack([massive(_stats(read, task, layer))[0] for task in tasks])
    units: list[int] = flags.all(dim=0).nonzero()[:, 0].tolist()
    return units


def _stats(read: Read, task: str, layer: int) -> UnitStats:
    return read(one_layer_name(task)).typed(ScoredUnits).stats(layer)


def _scores(read: Read, task: str, method: CausalMethod) -> Float[Tensor, "unit"]:
    if method == "attribution":
        found = read(attribution_name(task)).typed(Attributed).drop
    else:
        found = read(one_layer_name(task)).typed(ScoredUnits).scores(method)
    return torch.tensor(found, dtype=torch.float32)
