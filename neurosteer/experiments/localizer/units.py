"""Units of the localizer: the margins of the pairs that evaluate, before and after its units are set to zero."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float

from neurosteer.edits import Edit
from neurosteer.errors import InputError
from neurosteer.experiments.experiment import Task, Work
from neurosteer.experiments.shared import costs
from neurosteer.forward import states_and_stats
from neurosteer.model import Model
from neurosteer.neurons import NeuronSet, Ranking, matched_controls
from neurosteer.pairs import Pairs
from neurosteer.probes import welch
from neurosteer.runner.units import Read, Unit, UnitResult
from neurosteer.seeds import generator, seed_of
from neurosteer.store import file_stem
from neurosteer.studies.effects.cases import Bench, Case
from neurosteer.vocabulary import is_share

from .settings import LocalizerSettings

NAME = "localizer"


def check(work: Work) -> None:
    """Raises `InputError` for parts of the pairs that a task does not have, or that overlap."""
    for task in work.tasks:
        parts_of(task.pairs, work)


def parts_of(pairs: Pairs, work: Work) -> tuple[Pairs, Pairs]:
    """The pairs that localise, and those that evaluate."""
    ranges, settings = [], work.recipe.of(LocalizerSettings)
    for key, span in (("localise", settings.localise), ("evaluate", settings.evaluate)):
        first, last = map(int, span.split("-"))
        if last >= len(pairs):
            raise InputError(f"{key} {first}-{last}: {pairs.task} has pairs 0 to {len(pairs) - 1}")
        ranges.append(range(first, last + 1))
    if set(ranges[0]) & set(ranges[1]):
        raise InputError(f"localise {settings.localise} and evaluate {settings.evaluate} have pairs in common")
    if len(ranges[0]) < 2:
        raise InputError(f"localise {settings.localise}: at least 2 pairs are needed")
    return pairs.take(ranges[0]), pairs.take(ranges[1])


@dataclass(frozen=True, eq=False)
class LocalizerMargins:
    """Margins of the pairs that evaluate: unedited; under the set, uniform sets and matched ones."""

    clean: Float[np.ndarray, "pair"]
    margins: Float[np.ndarray, "set pair"]
    units: int


def task_units(work: Work, task: Task) -> list[Unit]:
    """`LocalizerMargins` of a task."""
    localise, evaluate = parts_of(task.pairs, work)
    sets = 1 + 2 * work.recipe.controls

    def compute(read: Read) -> UnitResult:
        chosen = localise_units(work.model, localise, work)
        every = [chosen, *uniform_sets(chosen, work, task.name), *_matched(chosen, work, task.name)]
        cases = [Case(Edit.ablate(one)) for one in every]
        measured = Bench(work.model, cases, work.progress, "minicons").margins(evaluate)
        margins = np.concatenate(measured.after)
        return UnitResult({"clean": measured.before, "margins": margins}, {"units": len(chosen)})

    token = costs.token_seconds(work.model) * 2 * costs.TOKENS
    cost = token * (len(localise) + len(evaluate) * (1 + sets))
    return [Unit(localizer_name(task.name), task.name, cost, compute, size=8 * (1 + sets) * len(evaluate))]


def localizer_name(task: str) -> str:
    return f"{NAME}-{file_stem(task)}"


def localise_units(model: Model, pairs: Pairs, work: Work) -> NeuronSet:
    """The top of all units of all layers by Welch's t of their sizes, good above bad."""
    design, everyone = work.design, range(len(pairs))
    states, stats = states_and_stats(
        model,
        pairs,
        everyone,
        site=design.site,
        layers=design.layers,
        position=design.position,
        cache=False,
        progress=work.progress,
    )
    t = welch(states.values.abs(), everyone).t
    ranking = Ranking.from_scores(
        model, t, layers=design.layers, site=design.site, stats=stats, method=NAME, task=pairs.task
    )
    return ranking.top(units_of(work.recipe.topk, t.numel()), layers="all")


def units_of(topk: int | str, units: int) -> int:
    """A share is rounded down, as the protocol does: 172 of 17,280 units, not 173."""
    return max(1, int(units * float(topk[:-1]) / 100)) if isinstance(topk, str) and is_share(topk) else int(topk)


def uniform_sets(chosen: NeuronSet, work: Work, task: str) -> list[NeuronSet]:
    """Sets of as many units, each drawn from all others of all layers."""
    layers, width = chosen.stats.layers, chosen.stats.token_mean.shape[1]
    taken, sets = set(chosen), []
    rest = [(layer, unit) for layer in layers for unit in range(width) if (layer, unit) not in taken]
    for i in range(work.recipe.controls):
        drawn = torch.randperm(len(rest), generator=generator(work.recipe.seed, task, "uniform", i))[: len(chosen)]
        places = sorted(rest[place] for place in drawn.tolist())
        layer, unit = torch.tensor(places).unbind(1)
        sets.append(replace(chosen, layers=layer, units=unit, scores=torch.zeros(len(places))))
    return sets


def _matched(chosen: NeuronSet, work: Work, task: str) -> list[NeuronSet]:
    return matched_controls(chosen, work.recipe.controls, seed_of(work.recipe.seed, task, NAME))
