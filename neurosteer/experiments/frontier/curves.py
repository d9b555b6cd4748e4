"""What the first k units of an order do, k growing until neutral text is disturbed enough; and of matched orders.

A matched order has a unit of the same block of like units at every place, so that its first k hold as many of every
block as the first k of the order itself. Every set is ablated to zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from neurosteer.edits import Edit
from neurosteer.experiments.experiment import Task, Work
from neurosteer.experiments.shared import costs
from neurosteer.forward import Text, score_texts, variant_of
from neurosteer.neurons import NeuronSet, Order, Ranking, massive, order_of, shuffled_orders
from neurosteer.pairs import Pairs, sentence_hashes
from neurosteer.runner.units import STORED_AS, Read, Unit, UnitResult
from neurosteer.seeds import seed_of
from neurosteer.store import file_stem
from neurosteer.studies.costs import UNDER_EDIT
from neurosteer.studies.effects.cases import Bench, Case
from neurosteer.studies.neutral import passages, read_neutral

from .rankings import MASK_METHOD, layers_of, mask_name, ranking_of, rankings_name
from .result import NAME
from .settings import FrontierSettings

STEP = 1.5  # times as many units at the next size, about
SIZES = 11  # of a curve, about: for the estimate


def curves_name(task: str) -> str:
    return f"{NAME}-{file_stem(task)}"


@dataclass(frozen=True, eq=False)
class CleanMargins:
    """What the unit of a task holds of the unedited model."""

    clean: Float[np.ndarray, "pair"]  # margins of the own pairs
    others: Sequence[str]  # the other tasks
    tokens: int  # of the neutral text
    beside: Float[np.ndarray, "task"] = field(metadata={STORED_AS: "clean others"})  # their mean margins


def curves_unit(work: Work, task: Task) -> Unit:
    """Of each method `<method> sizes` `[size]`, `kl` `[order size]`, `own` `[order size pair]` (margins) and `others`
    `[size task]` (mean margins): the order itself first, and for `others` alone, then the matched ones. NaN is what
    comes after the largest KL.

    `clean` are the margins of the own pairs, `clean others` the mean margins of the other tasks.
    """
    others = [other for other in work.tasks if other.name != task.name]
    own = test_pairs(work, task)

    def compute(read: Read) -> UnitResult:
        text = passages(work.model, read_neutral(None)[1])
        elsewhere = [test_pairs(work, other) for other in others]
        arrays: dict[str, np.ndarray] = {}
        for method in work.recipe.methods:
            ranking = ranking_of(read, work, task.name, method)
            orders = _orders(ranking, work, task.name)
            sizes, kl = _grow(work, ranking, orders, text)
            places = np.argwhere(np.isfinite(kl))
            cases = [Case(_edit(ranking, orders[i], sizes[j])) for i, j in places]
            measured = Bench(work.model, cases, work.progress).margins(own)
            after = np.full((*kl.shape, len(own)), np.nan)
            after[tuple(places.T)] = [one[0] for one in measured.after]
            arrays |= {f"{method} sizes": np.array(sizes), f"{method} kl": kl, f"{method} own": after}
            arrays["clean"] = measured.before
            beside = np.full((len(sizes), len(others)), np.nan)
            alone = cases[: int(np.isfinite(kl[0]).sum())]
            found = [Bench(work.model, alone, work.progress).margins(pairs) for pairs in elsewhere]
            for column, other in enumerate(found):
                beside[: len(alone), column] = [one[0].mean() for one in other.after]
            arrays[f"{method} others"] = beside
            arrays["clean others"] = np.array([other.before.mean() for other in found])
        tokens = sum(one.scored for group in text for one in group)
        return UnitResult(arrays, {"task": task.name, "others": [one.name for one in others], "tokens": tokens})

    needs = [rankings_name(task.name)]
    needs += [mask_name(task.name)] if MASK_METHOD in work.recipe.methods else []
    sets = len(work.recipe.methods) * SIZES * (1 + work.recipe.controls)
    alone = len(work.recipe.methods) * SIZES * len(others)
    tokens = 2 * costs.TOKENS * work.recipe.test_pairs
    above = 1 - min(layers_of(work)) / work.model.n_layers
    cost = costs.token_seconds(work.model) * above * UNDER_EDIT * (sets * (tokens + 600) + alone * tokens)
    size = 8 * sets * (len(own) + 1)
    return Unit(curves_name(task.name), task.name, cost, compute, needs=tuple(needs), size=size)


def test_pairs(work: Work, task: Task) -> Pairs:
    """The first test pairs of a task that no task's finding has seen; all of them where none remains."""
    seen = {
        digest
        for other in work.tasks
        for part in (other.split.train, other.split.validation)
        for digest in sentence_hashes(part)
    }
    kept = [i for i, pair in enumerate(task.split.test) if not seen & set(sentence_hashes([pair]))]
    return task.split.test.take(kept).limit(work.recipe.test_pairs)


def _orders(ranking: Ranking, work: Work, task: str) -> list[Order]:
    """The order of the ranking without massive units, and matched ones."""
    order = order_of(ranking, ranking.layers)
    light = order[: len(order) - int(massive(ranking.stats).sum())]
    like = ranking.pick([])
    return [light, *shuffled_orders(light, like, work.recipe.controls, seed_of(work.recipe.seed, task, NAME))]


def _grow(
    work: Work, ranking: Ranking, orders: Sequence[Order], text: Sequence[Sequence[Text]]
) -> tuple[list[int], Float[np.ndarray, "order size"]]:
    """Sizes, and the KL of each order at each, until it reaches the largest that is asked for; NaN beyond."""
    sizes, columns, most = list[int](), list[np.ndarray](), max(work.recipe.of(FrontierSettings).budgets)
    going, k = list(range(len(orders))), 1
    while going:
        sizes.append(k)
        variants = [variant_of(work.model, _edit(ranking, orders[i], k)) for i in going]
        found = score_texts(work.model, text, variants, divergence=True, progress=work.progress).kl
        assert found is not None
        columns.append(np.full(len(orders), np.nan))
        columns[-1][going] = found.numpy()
        going = [i for i in going if columns[-1][i] < most and k < len(orders[0])]
        k = min(len(orders[0]), max(k + 1, round(k * STEP)))
    return sizes, np.array(columns).T


def _edit(ranking: Ranking, order: Order, k: int) -> Edit:
    return Edit.ablate(_first(ranking, order, k))


def _first(ranking: Ranking, order: Order, k: int) -> NeuronSet:
    return ranking.pick((layer, unit) for layer, unit in order[:k].tolist())
