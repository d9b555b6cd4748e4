"""Localizer: the protocol of the field's language localisers, with the controls that it lacks.

One part of a task's pairs localises: the 1 % of all units of all layers whose size is larger on good sentences, by
Welch's t at the last token. Another part evaluates: these units are set to zero, and the pairs are scored by the
mean log probability per token. Beside them stand sets drawn uniformly from all other units, as in the protocol, and
matched sets, as everywhere here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from matplotlib.figure import Figure

from neurosteer.edits import Edit
from neurosteer.errors import InputError
from neurosteer.forward import states_and_stats
from neurosteer.model import Model
from neurosteer.neurons import NeuronSet, Ranking, matched_controls
from neurosteer.pairs import Pairs, sentence_hashes
from neurosteer.probes import welch
from neurosteer.report.canvas import GREY, INK, VERMILION, finish, headline, new_figure
from neurosteer.report.numbers import number, p_value
from neurosteer.report.pages.charts import Chart, Series, level
from neurosteer.report.pages.ranges import Mark, ranges_chart
from neurosteer.report.table import Table
from neurosteer.results import Estimate
from neurosteer.runner.units import Read, Unit, UnitResult
from neurosteer.seeds import generator, seed_of
from neurosteer.store import file_stem
from neurosteer.studies.effects.cases import Bench, Case
from neurosteer.studies.effects.controls import empirical_p
from neurosteer.studies.margins import accuracy
from neurosteer.vocabulary import is_share

from .experiment import Caption, Drawing, Experiment, Task, Work
from .scope import Scope
from .shared import costs

NAME = "localizer"


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


def check(work: Work) -> None:
    """Raises `InputError` for parts of the pairs that a task does not have, or that overlap."""
    for task in work.tasks:
        parts_of(task.pairs, work)


def parts_of(pairs: Pairs, work: Work) -> tuple[Pairs, Pairs]:
    """The pairs that localise, and those that evaluate."""
    ranges = []
    for key in ("localise", "evaluate"):
        first, last = map(int, getattr(work.recipe, key).split("-"))
        if last >= len(pairs):
            raise InputError(f"{key} {first}-{last}: {pairs.task} has pairs 0 to {len(pairs) - 1}")
        ranges.append(range(first, last + 1))
    if set(ranges[0]) & set(ranges[1]):
        raise InputError(f"localise {work.recipe.localise} and evaluate {work.recipe.evaluate} have pairs in common")
    if len(ranges[0]) < 2:
        raise InputError(f"localise {work.recipe.localise}: at least 2 pairs are needed")
    return pairs.take(ranges[0]), pairs.take(ranges[1])


def task_units(work: Work, task: Task) -> list[Unit]:
    """The margins of the pairs that evaluate: `clean`, and `margins` under the set, uniform sets and matched ones."""
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


def compute(read: Read, work: Work, scope: Scope) -> Localizer:
    rows = [_row(read, work, task) for task in work.tasks]
    columns = {
        "before": [row.before for row in rows],
        "after": [row.after for row in rows],
        "uniform": [row.uniform.mean for row in rows],
        "matched": [row.matched.mean for row in rows],
    }
    means = {name: work.samples.means(np.array(values)[:, None]).at(0) for name, values in columns.items()}
    return Localizer(NAME, work.recipe.localise, work.recipe.evaluate, rows, **means)


def _row(read: Read, work: Work, task: Task) -> Localised:
    result, n = read(localizer_name(task.name)), work.recipe.controls
    clean, (chosen, *others) = result.arrays["clean"], result.arrays["margins"]
    localise, evaluate = parts_of(task.pairs, work)
    known = set(sentence_hashes(localise))
    return Localised(
        task=task.name,
        phenomenon=task.phenomenon,
        units=result.values["units"],
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


# what it shows

SETS = ("before", "after", "uniform", "matched")


def csvs(result: Localizer) -> Mapping[str, Sequence[object]]:
    def flat(row: Localised) -> dict[str, object]:
        own = {name: value for name, value in vars(row).items() if name not in ("uniform", "matched")}
        sets = {"uniform": row.uniform, "matched": row.matched}
        return own | {f"{of}_{name}": value for of, one in sets.items() for name, value in vars(one).items()}

    return {"": [flat(row) for row in result.rows]}


def tables(result: Localizer, scope: Scope) -> list[Table]:
    """Each task, and the mean over tasks."""
    rows = [
        (
            row.task,
            f"{row.units:,}",
            number(row.before),
            number(row.after),
            f"{number(row.uniform.mean)} {number(row.uniform.low)}–{number(row.uniform.high)}",  # noqa: RUF001
            f"{number(row.matched.mean)} {number(row.matched.low)}–{number(row.matched.high)}",  # noqa: RUF001
            number(row.matched.p),
        )
        for row in result.rows
    ]
    if len(rows) > 1:
        means = [number(getattr(result, name).value) for name in SETS]
        rows.append(("mean over tasks", "", means[0], means[1], means[2], means[3], ""))
    headers = ("task", "units", "before", "after", "uniform: mean, range", "matched: mean, range", "p")
    caption = (
        f"Accuracy on pairs {result.evaluate} before and after the units that pairs {result.localise} localise are "
        "set to zero; under uniform and matched sets of as many units; p beside the matched ones, by the mean margin"
    )
    return [Table(caption, headers, tuple(rows), left=1)]


def draw(result: Localizer, scope: Scope) -> Figure:
    """Each task in a row: before (hollow), after (full), and the ranges of both kinds of sets."""
    rows = sorted(result.rows, key=lambda row: row.after - row.matched.mean, reverse=True)
    figure = new_figure(8.4, max(2.6, 1.6 + 0.24 * len(rows)))
    axes = figure.add_subplot()
    for place, row in enumerate(rows):
        for shift, colour, others in ((0.16, GREY, row.uniform), (-0.16, INK, row.matched)):
            axes.plot([others.low, others.high], [place + shift] * 2, color=colour, linewidth=2.5, alpha=0.45)
            axes.plot(others.mean, place + shift, "|", color=colour, markersize=6)
        axes.plot(row.before, place, "o", color=VERMILION, markerfacecolor="none", markersize=5)
        axes.plot(row.after, place, "o", color=VERMILION, markersize=5)
    axes.axvline(0.5, color=GREY, linewidth=0.8, zorder=1)
    axes.set_yticks(range(len(rows)), [row.task for row in rows], fontsize=7.5)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.set_xlabel("accuracy (mean log probability per token)")
    handles = [
        axes.plot([], [], "o", color=VERMILION, markerfacecolor="none", label="before")[0],
        axes.plot([], [], "o", color=VERMILION, label="localised units at zero")[0],
        axes.plot([], [], color=GREY, linewidth=2.5, alpha=0.45, label="uniform sets")[0],
        axes.plot([], [], color=INK, linewidth=2.5, alpha=0.45, label="matched sets")[0],
    ]
    figure.legend(handles=handles, ncols=4, loc="outside lower center", frameon=False)
    headline(figure, "Localizer · Does a task need the units that localise it?", scope.subtitle())
    return finish(figure)


def charts(result: Localizer, scope: Scope) -> list[Chart]:
    """Each task in a row."""
    looks = [Series(name, place) for name, place in (("before", 0), ("localised units at zero", 1))]
    uniform, matched = Series("uniform sets", 7), Series("matched sets", 2)
    marks = []
    for row in sorted(result.rows, key=lambda row: row.matched.mean - row.after, reverse=True):
        sets = ((uniform, row.uniform), (matched, row.matched))
        values = zip(looks, (row.before, row.after), strict=True)
        marks += [Mark(row.task, look, Estimate(value)) for look, value in values]
        marks += [
            Mark(row.task, one, Estimate(of.mean, of.low, of.high), more={"p": p_value(of.p)}) for one, of in sets
        ]
    return [
        ranges_chart(
            "accuracy",
            "Accuracy before and after",
            "A row for each task, the largest drop beyond matched sets first; bars are ranges over sets, their marks "
            "means.",
            marks,
            "accuracy (mean log probability per token)",
            told={"p": "p beside them"},
            levels=level(0.5, "chance .50", at="x"),
        )
    ]


def caption(scope: Scope) -> Caption:
    return Caption(
        "Each task in a row: its accuracy before and after the units that localise it are set to zero; bars, the "
        "range of the same with units drawn uniformly from all others, and with matched sets.",
        "That units which localise a task are its own: where uniform sets do less and matched ones as much, any "
        "units of that size and spread would do.",
    )


EXPERIMENT = Experiment(
    name=NAME,
    heading="Localizer: the protocol of language localisers",
    needs=frozenset(),
    result=Localizer,
    compute=compute,
    tables=tables,
    csvs=csvs,
    drawings={NAME: Drawing(draw, caption, charts)},
    task_units=task_units,
    check=check,
)
