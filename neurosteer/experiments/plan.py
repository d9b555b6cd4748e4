"""From a recipe to its units, and from their pieces to the outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

from neurosteer.errors import InputError
from neurosteer.model import Model, sentence_tokens, untrained
from neurosteer.pairs import LexicalSplitError, Pairs, Split, Tokenise, mean_baselines
from neurosteer.progress import QUIET, Progress
from neurosteer.runner.recipe import Recipe
from neurosteer.runner.units import Plan, Read, Unit

from .bands import fig6
from .causal import causal_result, causal_units, measured_tasks, task_units
from .costs import token_seconds
from .curves import Sweep, by_luck, controls, fig2, fig3, fig4, fig5
from .design import NEURONS, UNTRAINED, Design
from .focus import focus_unit
from .intervals import TaskSamples
from .overlap import overlap
from .sensitivity import sensitivity_result, sensitivity_units
from .states import states_unit
from .sweep import block_starts, stacked, sweep_name, sweep_units
from .transfer import TRANSFER, Member, general_units, transfer_unit
from .verdicts import verdicts

Row = dict[str, Any]


def plan_recipe(recipe: Recipe, model: Model, tasks: Sequence[Pairs], progress: Progress = QUIET) -> Plan:
    """The units of a recipe, in the order in which they are to run.

    Tasks whose words allow no lexical split are left out and listed. Raises `InputError` where none is left, and for
    settings that the model cannot meet.
    """
    design = Design.of(recipe, model)
    splits, skipped = _splits(recipe, tasks, progress)
    kept = sorted((pairs for pairs in tasks if pairs.task in splits), key=lambda p: (p.phenomenon or p.task, p.task))
    members = [Member.of(pairs) for pairs in kept]
    phenomena = [member.phenomenon for member in members]
    samples = TaskSamples.of(phenomena, design.seed)
    _check_folds(splits, design)
    blank = cache(lambda: untrained(model, design.seed))
    causal = "causal" in design.experiments
    measured = measured_tasks(recipe, members) if causal else []
    units: list[Unit] = []
    for pairs in kept:
        split = splits[pairs.task]
        units += _task_units(model, blank, pairs, split, design, progress)
        if causal:
            units += task_units(model, recipe, split, design, measured=pairs.task in measured, progress=progress)
    if "fig6" in design.experiments or causal:
        units.append(transfer_unit([member.task for member in members]))
    if "fig6" in design.experiments:
        units += general_units(members)
    own = {pairs.task: splits[pairs.task] for pairs in kept}
    if causal:
        units += causal_units(model, recipe, own, design, progress=progress)
    tokenise = partial(sentence_tokens, model)
    described = [_task_row(pairs, splits[pairs.task], tokenise) for pairs in kept]
    remarks = [remark for pairs in kept for remark in pairs.remarks()]
    remarks += samples.notices(phenomena) if design.probes or design.trains_anew else []
    for remark in remarks:
        progress.notice(remark)
    about: Row = {
        "data": {
            "source": kept[0].source,
            "pairs": sum(map(len, kept)),
            "split": recipe.split,
            "seed": recipe.seed,
        },
        "tasks": described,
        "skipped": skipped,
        "settings": design.describe(model) | {"resampled": samples.describe()},
    }

    def gather(read: Read) -> Row:
        results = [_result(name, read, recipe, own, described, design, samples) for name in design.experiments]
        validation = 2 * min(row["validation"] for row in described)
        for result in results:
            if "floor" in result:
                result["chance_above_floor"] = by_luck(validation)
        return {"results": results, "verdicts": verdicts(results, about["settings"]), "notices": remarks}

    return Plan(units, gather, about, models=2 if UNTRAINED in design.variants else 1)


def _check_folds(splits: Mapping[str, Split], design: Design) -> None:
    """Raise `InputError` where a fold of the train pairs would hold fewer than two."""
    fewest = min(splits, key=lambda task: len(splits[task].train))
    pairs = len(splits[fewest].train)
    if "overlap" in design.experiments and pairs < 2 * design.folds:
        raise InputError(f"folds {design.folds} are too many for the {pairs} train pairs of '{fewest}'")


def _splits(recipe: Recipe, tasks: Sequence[Pairs], progress: Progress) -> tuple[dict[str, Split], list[Row]]:
    splits, skipped = {}, []
    for i, pairs in enumerate(tasks):
        progress.step("splits, tasks", i, len(tasks))
        try:
            splits[pairs.task] = pairs.split(recipe.split, recipe.seed)
        except LexicalSplitError as error:
            skipped.append({"task": pairs.task, "reason": str(error)})
    progress.step("splits, tasks", len(tasks), len(tasks))
    if not splits:
        raise InputError(f"none of the {len(tasks)} tasks allows a lexical split: {skipped[0]['reason']}")
    return splits, skipped


def _task_units(
    model: Model, blank: Callable[[], Model], pairs: Pairs, split: Split, design: Design, progress: Progress
) -> list[Unit]:
    """States, what is known of the layer that is looked at, and the probes of every layer in every variant."""
    seconds = token_seconds(model)
    units = [states_unit(lambda: model, pairs, split, design, progress, seconds=seconds)]
    if design.focuses:
        units.append(focus_unit(model, pairs, split, design))
    if design.trains_anew:
        units += sensitivity_units(model, pairs, split, design)
    for variant in design.variants:
        if variant == UNTRAINED:
            units.append(states_unit(blank, pairs, split, design, progress, seconds=seconds, model_name=variant))
        units += sweep_units(model, pairs, split, design, variant)
    return units


def _task_row(pairs: Pairs, split: Split, tokenise: Tokenise) -> Row:
    sizes = {name: len(part) for name, part in zip(("train", "validation", "test"), split, strict=True)}
    return {
        "task": pairs.task,
        "phenomenon": pairs.phenomenon,
        "pairs": len(pairs),
        **sizes,
        "dropped": split.dropped,
        "baselines": pairs.baselines(split, tokenise).to_dict(),
    }


def _result(
    name: str,
    read: Read,
    recipe: Recipe,
    splits: Mapping[str, Split],
    described: Sequence[Row],
    design: Design,
    samples: TaskSamples,
) -> Row:
    """What one experiment found."""
    members = [Member.of(split.test) for split in splits.values()]
    tasks = [member.task for member in members]
    match name:
        case "fig6":
            found = fig6(read, members, design)
        case "overlap":
            found = overlap(read, members, design)
        case "causal":
            found = causal_result(read, recipe, splits, design.layer, read(TRANSFER).arrays["pairwise_sparse"])
        case "sensitivity":
            found = sensitivity_result(read, tasks, design, samples)
        case "controls":
            sweeps = {variant: _sweep(read, tasks, design, variant) for variant in design.variants}
            found = controls(sweeps, tasks, design, samples)
        case _:
            found = _by_layer(name, _sweep(read, tasks, design, NEURONS), tasks, described, design, samples)
    return found


def _by_layer(
    name: str, sweep: Sweep, tasks: Sequence[str], described: Sequence[Row], design: Design, samples: TaskSamples
) -> Row:
    """Figures 2 to 5."""
    if name in ("fig2", "fig3"):
        mean = mean_baselines([row["baselines"] for row in described])
        return (fig2 if name == "fig2" else fig3)(sweep, tasks, design, samples, mean)
    return (fig4 if name == "fig4" else fig5)(sweep, tasks, design, samples)


def _sweep(read: Read, tasks: Sequence[str], design: Design, variant: str) -> Sweep:
    starts = block_starts(design)
    return stacked([[read(sweep_name(task, start, variant)) for start in starts] for task in tasks])
