"""The result of the localizer, and how it is gathered. Accuracies are shares in [0, 1]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neurosteer.experiments.experiment import Task, Work
from neurosteer.experiments.scope import Scope
from neurosteer.pairs import sentence_hashes
from neurosteer.results import Estimate
from neurosteer.runner.units import Read
from neurosteer.shown import short_repr
from neurosteer.studies.effects.controls import empirical_p
from neurosteer.studies.margins import accuracy

from .settings import LocalizerSettings
from .units import NAME, LocalizerMargins, localizer_name, parts_of


@dataclass(frozen=True)
class Others:
    """Accuracy under sets of as many units, and how unusual the chosen set is among them."""

    mean: float
    low: float
    high: float
    p: float  # two-sided, by the mean margin, among all sets and the chosen one


@dataclass(frozen=True)
class Localised:
    """One task: accuracies on the pairs that evaluate."""

    task: str
    phenomenon: str
    units: int
    pairs: int
    seen: int  # of these pairs, in which a sentence of those that localise comes again
    before: float
    after: float
    uniform: Others
    matched: Others

    __repr__ = short_repr


@dataclass(frozen=True)
class Localizer:
    experiment: str
    localise: str
    evaluate: str
    rows: list[Localised]
    before: Estimate  # means over tasks
    after: Estimate
    uniform: Estimate
    matched: Estimate

    __repr__ = short_repr


def compute(read: Read, work: Work, scope: Scope) -> Localizer:
    rows = [_row(read, work, task) for task in work.tasks]
    columns = {
        "before": [row.before for row in rows],
        "after": [row.after for row in rows],
        "uniform": [row.uniform.mean for row in rows],
        "matched": [row.matched.mean for row in rows],
    }
    means = {name: work.samples.means(np.array(values)[:, None]).at(0) for name, values in columns.items()}
    settings = work.recipe.of(LocalizerSettings)
    return Localizer(NAME, settings.localise, settings.evaluate, rows, **means)


def _row(read: Read, work: Work, task: Task) -> Localised:
    found, n = read(localizer_name(task.name)).typed(LocalizerMargins), work.recipe.controls
    clean, (chosen, *others) = found.clean, found.margins
    localise, evaluate = parts_of(task.pairs, work)
    known = set(sentence_hashes(localise))
    return Localised(
        task=task.name,
        phenomenon=task.phenomenon,
        units=found.units,
        pairs=len(evaluate),
        seen=sum(bool(known & set(sentence_hashes([pair]))) for pair in evaluate),
        before=accuracy(clean),
        after=accuracy(chosen),
        uniform=_others(chosen, others[:n]),
        matched=_others(chosen, others[n:]),
    )


def _others(chosen: np.ndarray, others: Sequence[np.ndarray]) -> Others:
    accuracies = [accuracy(one) for one in others]
    p = empirical_p(float(chosen.mean()), [float(one.mean()) for one in others])
    return Others(float(np.mean(accuracies)), min(accuracies), max(accuracies), p)
