"""The null of the whole search: the same search where there is nothing to find, on pairs exchanged at random.

Each item (all pairs that share a sentence or an item) exchanges good and bad with probability 1/2. Layer and k stay
as they are, so validation data choose nothing here and only train pairs matter. Welch and L0 begin again from the
exchanged states, and L0 takes its set as the task does, at the smallest lambda whose mask keeps k units; an
attribution changes its sign with its pair.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from neurosteer.experiments.design import Design
from neurosteer.experiments.experiment import Task, Work
from neurosteer.experiments.shared import costs
from neurosteer.experiments.shared.one_layer import searched
from neurosteer.experiments.shared.states import states_name, values_of
from neurosteer.pairs import Pairs
from neurosteer.pairs.splitting import groups_of
from neurosteer.runner.units import Read, Unit, UnitResult
from neurosteer.seeds import generator
from neurosteer.store import file_stem
from neurosteer.studies.examples import BLOCK
from neurosteer.vocabulary import PAPER_METHODS, CausalMethod, PaperMethod

from .settings import causal_methods
from .sources import Attributed, as_ranking, attribution_name, ranking_needs

Exchanged = Bool[Tensor, "null pair"]


def null_sets_name(task: str) -> str:
    return f"nullsets-{file_stem(task)}"


def exchanges(pairs: Pairs, draws: int, seed: int) -> Exchanged:
    """Which pairs each draw exchanges; those of one item go together."""
    groups = groups_of(pairs.sentences, [pair.item for pair in pairs])
    group = torch.zeros(len(pairs), dtype=torch.long)
    for i, members in enumerate(groups):
        group[members] = i
    return torch.stack(
        [torch.rand(len(groups), generator=generator(seed, pairs.task, "exchange", i)) < 0.5 for i in range(draws)]
    )[:, group]


def null_sets_unit(work: Work, task: Task) -> Unit:
    """The sets that each method finds on exchanged pairs: `<method>` `[null k]`; -1 fills a smaller set."""
    recipe, design, pairs = work.recipe, work.design, task.split.train
    train = torch.as_tensor(task.split.train_indices)
    encoded = [method for method in PAPER_METHODS if method in causal_methods(recipe)]

    def compute(read: Read) -> UnitResult:
        flips = exchanges(pairs, recipe.nulls, recipe.seed)
        scores: dict[str, Float[Tensor, "null unit"]] = {}
        if encoded:
            row = design.states_layers.index(design.layer)
            states = values_of(read(states_name(task.name)))[train][:, :, row]
            scores |= null_searches(states.to(work.model.float64_device), flips, task.name, encoded, design)
        if "attribution" in causal_methods(recipe):
            by_pair = torch.tensor(read(attribution_name(task.name)).typed(Attributed).by_pair).double()
            signs = 1.0 - 2.0 * flips[:, : len(by_pair)].double()
            scores["attribution"] = signs @ by_pair / len(by_pair)
        return UnitResult(
            {method: _top(read, work, task.name, method, scores[method]) for method in causal_methods(recipe)}, {}
        )

    needs = [need for method in causal_methods(recipe) for need in ranking_needs(task.name, method)]
    needs += [states_name(task.name)] if encoded else []
    fits = recipe.nulls * ("l0" in causal_methods(recipe))
    cost = costs.ONE_LAYER * 2 * len(pairs) * design.width * fits + 0.01 * recipe.nulls
    size = 8 * len(causal_methods(recipe)) * recipe.nulls * design.k
    return Unit(null_sets_name(task.name), task.name, cost, compute, needs=tuple(dict.fromkeys(needs)), size=size)


def null_searches(
    states: Float[Tensor, "pair side unit"],
    flips: Exchanged,
    task: str,
    methods: Sequence[PaperMethod],
    design: Design,
) -> dict[str, Float[Tensor, "null unit"]]:
    """The scores of the units when a task's search is repeated on exchanged states."""
    found: dict[str, list[Tensor]] = {method: [] for method in methods}
    for start in range(0, len(flips), BLOCK):
        some = flips[start : start + BLOCK].to(states.device)[:, :, None, None]
        turned = [torch.where(flip, states.flip(1), states) for flip in some]
        labels = [(task, design.layer, "l0", "exchange", start + i) for i in range(len(turned))]
        for method, scores in searched(torch.stack(turned, dim=2), labels, design, methods).items():
            found[method].append(scores)
    return {method: torch.cat(scores) for method, scores in found.items()}


def _top(
    read: Read, work: Work, task: str, method: CausalMethod, scores: Float[Tensor, "null unit"]
) -> Int[np.ndarray, "null k"]:
    """Chosen as the task's own set is."""
    filled = np.full((work.recipe.nulls, work.design.k), -1, dtype=np.int64)
    for i, row in enumerate(scores):
        ranking = as_ranking(read, work, task, method, row)
        units = ranking.top(work.recipe.topk, layers=work.design.layer).units.numpy()
        filled[i, : len(units)] = units
    return filled
