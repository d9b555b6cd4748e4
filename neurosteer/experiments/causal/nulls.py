"""The null of the whole search: the same search where there is nothing to find, on pairs that are exchanged by lot.

Each item (all pairs that share a sentence or an item) exchanges good and bad with probability 1/2. Layer and k stay
as they are, so validation data choose nothing here and only train pairs matter. Welch and L0 begin again from the
exchanged states, and L0 takes its set as the task does, at the smallest lambda whose mask keeps k units; an
attribution changes its sign with its pair.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neurosteer.experiments import costs
from neurosteer.experiments.design import Design
from neurosteer.experiments.focus import searched
from neurosteer.experiments.states import states_name
from neurosteer.model import Model
from neurosteer.pairs import Pairs, Split
from neurosteer.pairs.splitting import groups_of
from neurosteer.runner.recipe import Recipe
from neurosteer.runner.units import Read, Unit, UnitResult
from neurosteer.seeds import generator
from neurosteer.store import file_stem
from neurosteer.studies.examples import BLOCK

from .sources import attribution_name, needs_of, ranked

Exchanged = Bool[Tensor, "null pair"]


def null_sets_name(task: str) -> str:
    return f"nullsets-{file_stem(task)}"


def exchanges(pairs: Pairs, n: int, seed: int) -> Exchanged:
    """Which pairs each of `n` draws exchanges; those of one item go together."""
    groups = groups_of(pairs.sentences, [pair.item for pair in pairs])
    group = torch.zeros(len(pairs), dtype=torch.long)
    for i, members in enumerate(groups):
        group[members] = i
    return torch.stack(
        [torch.rand(len(groups), generator=generator(seed, pairs.task, "exchange", i)) < 0.5 for i in range(n)]
    )[:, group]


def null_sets_unit(model: Model, split: Split, recipe: Recipe, design: Design) -> Unit:
    """The sets that each method finds on exchanged pairs: `<method>` `[null k]`; -1 fills a smaller set."""
    task, train = split.train.task, torch.as_tensor(split.indices["train"])
    encoded = [method for method in recipe.methods if method != "attribution"]

    def compute(read: Read) -> UnitResult:
        flips = exchanges(split.train, recipe.nulls, recipe.seed)
        scores: dict[str, Float[Tensor, "null unit"]] = {}
        if encoded:
            row = design.states_layers.index(design.layer)
            states = torch.from_numpy(np.asarray(read(states_name(task)).arrays["values"]))[train][:, :, row]
            scores |= null_searches(states.to(model.float64_device), flips, task, encoded, design)
        if "attribution" in recipe.methods:
            by_pair = torch.from_numpy(np.asarray(read(attribution_name(task)).arrays["by_pair"])).double()
            signs = 1.0 - 2.0 * flips[:, : len(by_pair)].double()
            scores["attribution"] = signs @ by_pair / len(by_pair)
        return UnitResult(
            {method: _top(read, model, task, method, scores, recipe, design) for method in recipe.methods}, {}
        )

    needs = [need for method in recipe.methods for need in needs_of(task, method)]
    needs += [states_name(task)] if encoded else []
    fits = recipe.nulls * ("l0" in recipe.methods)
    cost = costs.FOCUS * 2 * len(split.train) * design.width * fits + 0.01 * recipe.nulls
    size = 8 * len(recipe.methods) * recipe.nulls * design.k
    return Unit(null_sets_name(task), task, cost, compute, needs=tuple(dict.fromkeys(needs)), size=size)


def null_searches(
    states: Float[Tensor, "pair side unit"], flips: Exchanged, task: str, methods: Sequence[str], design: Design
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
    read: Read, model: Model, task: str, method: str, scores: Mapping[str, Tensor], recipe: Recipe, design: Design
) -> np.ndarray:
    """Chosen as the task's own set is."""
    filled = np.full((recipe.nulls, design.k), -1, dtype=np.int64)
    for i, row in enumerate(scores[method]):
        ranking = ranked(read, task, method, row, design.layer, model=model.fingerprint, site=recipe.site)
        units = ranking.top(recipe.topk, layers=design.layer).units.numpy()
        filled[i, : len(units)] = units
    return filled
