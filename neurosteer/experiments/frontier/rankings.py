"""The order in which each method takes the units, massive ones left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from neurosteer.data import UnitStats
from neurosteer.experiments.experiment import Task, Work
from neurosteer.experiments.shared import costs
from neurosteer.forward import states_and_stats
from neurosteer.neurons import Ranking, massive, stats_arrays, stats_from
from neurosteer.runner.units import Read, Unit, UnitResult
from neurosteer.store import file_stem
from neurosteer.studies.finding import find
from neurosteer.studies.masks import MASK, MaskSite, Paths, mask_texts
from neurosteer.vocabulary import Method

from .result import NAME
from .settings import FrontierSettings

MASK_METHOD: Method = "causal-l0"
PROBES = 4.0  # seconds of one layer's probes and masks


def layers_of(work: Work) -> tuple[int, ...]:
    """Whose units are chosen from: the one layer, or all of the recipe's."""
    return work.design.layers if work.recipe.of(FrontierSettings).pooled else (work.design.layer,)


def rankings_name(task: str) -> str:
    return f"{NAME}-rankings-{file_stem(task)}"


def mask_name(task: str) -> str:
    return f"{NAME}-mask-{file_stem(task)}"


def rankings_unit(work: Work, task: Task) -> Unit:
    """The scores of every method but the mask, `<method>` `[layer unit]`, and the statistics of the units."""
    methods = tuple(method for method in work.recipe.methods if method != MASK_METHOD)
    layers = layers_of(work)

    def compute(_: Read) -> UnitResult:
        if not methods:
            return UnitResult(stats_arrays(_stats(work, task)), {"task": task.name})
        found = find(
            work.model,
            task.pairs,
            methods=methods,
            split=task.split.kind,
            topk=work.design.k,
            layers=layers,
            site=work.design.site,
            position=work.design.position,
            lambdas=work.design.lambdas,
            seed=task.split.seed,
            draws=1,
            l0=work.design.l0,
            cache=False,
            progress=work.progress,
        )
        scores = {method: found.ranking(method).scores.numpy() for method in methods}
        return UnitResult(scores | stats_arrays(found.ranking(methods[0]).stats), {"task": task.name})

    tokens = 2 * costs.TOKENS * len(task.pairs)
    backward = costs.BACKWARD * len(task.split.train) * 2 * costs.TOKENS * ("attribution" in methods)
    cost = costs.token_seconds(work.model) * (tokens + backward) + PROBES * len(layers)
    size = 4 * len(layers) * work.design.width * (len(methods) + 4)
    return Unit(rankings_name(task.name), task.name, cost, compute, size=size)


def mask_unit(work: Work, task: Task) -> Unit:
    """The scores of a causal mask `[layer unit]`: the mean of `mask_seeds` paths of `mask_steps` steps."""
    asked = work.recipe.of(FrontierSettings)
    settings = replace(MASK, seeds=asked.mask_seeds, steps=asked.mask_steps or MASK.steps)

    def compute(read: Read) -> UnitResult:
        stats = read_stats(read, task.name)
        place = MaskSite(work.design.site, layers_of(work), "zero", stats)
        paths = Paths(
            work.model,
            task.split.train,
            place,
            settings,
            mask_texts(None).train,
            task.split.seed,
            cache=True,
            progress=work.progress,
        )
        found = [paths.follow(number) for number in range(settings.seeds)]
        scores = torch.stack([path.scores for path in found]).mean(dim=0)
        return UnitResult({"scores": scores.numpy()}, {"task": task.name, "starts": [path.start for path in found]})

    above = 1 - min(layers_of(work)) / work.model.n_layers
    step = costs.token_seconds(work.model) * costs.BACKWARD * above * 2 * costs.TOKENS * 2 * settings.batch
    needs = (rankings_name(task.name),)
    size = 4 * len(layers_of(work)) * work.design.width
    return Unit(
        mask_name(task.name), task.name, step * settings.steps * settings.seeds, compute, needs=needs, size=size
    )


def read_stats(read: Read, task: str) -> UnitStats:
    return stats_from(read(rankings_name(task)).arrays)


def ranking_of(read: Read, work: Work, task: str, method: Method) -> Ranking:
    """A method's scores as a ranking in which massive units come last."""
    stats = read_stats(read, task)
    unit, name = (mask_name(task), "scores") if method == MASK_METHOD else (rankings_name(task), method)
    scores = torch.from_numpy(np.array(read(unit).arrays[name], dtype=np.float32))
    lowest = float(scores.min()) - 1
    scores = scores.masked_fill(massive(stats), lowest)
    return Ranking(scores, None, method, stats, work.model.fingerprint, work.design.site, {"task": task})


def _stats(work: Work, task: Task) -> UnitStats:
    _, stats = states_and_stats(
        work.model,
        task.pairs,
        task.split.train_indices,
        site=work.design.site,
        layers=layers_of(work),
        position=work.design.position,
        cache=False,
        progress=work.progress,
    )
    return stats
