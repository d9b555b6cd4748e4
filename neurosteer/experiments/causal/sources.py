"""The neurons of a task at one layer, by each method, and the attribution that also predicts what they do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from neurosteer.data import UnitStats
from neurosteer.experiments import costs
from neurosteer.experiments.focus import focus_name
from neurosteer.forward import attribute_pairs
from neurosteer.model import Model
from neurosteer.neurons import STATS, Ranking, massive
from neurosteer.pairs import Pairs
from neurosteer.progress import QUIET, Progress
from neurosteer.runner.recipe import Recipe
from neurosteer.runner.units import Read, Unit, UnitResult
from neurosteer.store import file_stem


def attribution_name(task: str) -> str:
    return f"attribution-{file_stem(task)}"


def attribution_unit(
    model: Model, task: str, train: Pairs, recipe: Recipe, layer: int, *, progress: Progress = QUIET
) -> Unit:
    """The predicted drop of the margin for every unit of the layer, from the first train pairs.

    `drop` `[unit]` is that of the mean margin, `by_pair` `[pair unit]` that of each pair, whose mean it is. The
    gradient is taken down to the layer: of the blocks below only activations are computed.
    """
    pairs = train.limit(recipe.attribution_pairs)

    def compute(_: Read) -> UnitResult:
        found = attribute_pairs(model, pairs, site=recipe.site, layers=[layer], progress=progress)
        by_pair = found.drop()[:, 0].numpy()
        about = {"task": task, "pairs": len(pairs), "model": model.fingerprint, "site": recipe.site, "layer": layer}
        return UnitResult({"drop": by_pair.mean(axis=0), "by_pair": by_pair.astype(np.float32)}, about)

    cost = costs.BACKWARD * costs.token_seconds(model) * costs.BY_PAIR * beginnings(pairs)
    size = (8 + 4 * len(pairs)) * model.d_model
    return Unit(attribution_name(task), task, cost, compute, size=size)


def beginnings(pairs: Pairs) -> int:
    """About how many tokens a pass over the pairs computes: sentences share those of their common beginnings."""
    words = [sentence.split() for both in pairs.sentences for sentence in both]
    return len({tuple(sentence[:end]) for sentence in words for end in range(1, len(sentence) + 1)})


def needs_of(task: str, method: str) -> tuple[str, ...]:
    """The units that a ranking of the task is made from."""
    return (focus_name(task), *((attribution_name(task),) if method == "attribution" else ()))


def ranking_of(read: Read, task: str, method: str, layer: int, *, model: str, site: str) -> Ranking:
    """A task's ranking of the units of the layer."""
    return ranked(read, task, method, _scores(read, task, method), layer, model=model, site=site)


def ranked(
    read: Read, task: str, method: str, scores: Float[Tensor, "unit"], layer: int, *, model: str, site: str
) -> Ranking:
    """Scores as a ranking. Massive units come last: without one the model breaks down, whatever the task."""
    stats = _stats(read, task, layer)
    light = scores.float()[None].masked_fill(massive(stats), 0.0)
    return Ranking(light, None, method, stats, model, site, {"task": task})


def massive_units(read: Read, tasks: Sequence[str], layer: int) -> list[int]:
    """The units that are massive on the train sentences of every task: no set holds one."""
    flags = torch.stack([massive(_stats(read, task, layer))[0] for task in tasks])
    units: list[int] = flags.all(dim=0).nonzero()[:, 0].tolist()
    return units


def _stats(read: Read, task: str, layer: int) -> UnitStats:
    focus = read(focus_name(task)).arrays
    return UnitStats(
        **{name: torch.tensor(focus[name])[None] for name in STATS}, tokens=int(focus["tokens"][0]), layers=(layer,)
    )


def _scores(read: Read, task: str, method: str) -> Float[Tensor, "unit"]:
    if method == "attribution":
        found = read(attribution_name(task)).arrays["drop"]
    else:
        focus = read(focus_name(task)).arrays
        found = np.abs(focus["t"]) if method == "welch" else focus["l0"]
    return torch.tensor(found, dtype=torch.float32)
