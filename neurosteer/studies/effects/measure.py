"""`measure_effect`: what an edit does to the preference for grammatical sentences, against matched controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from neurosteer.arguments import expect, expect_all
from neurosteer.edits import Edit
from neurosteer.errors import InputError
from neurosteer.forward import check_edit, pairs_of_texts, refuse_unscored
from neurosteer.model import Model, active_edits
from neurosteer.neurons import check_count, without_massive
from neurosteer.pairs import Pairs, sentence_hashes
from neurosteer.progress import AUTO, Progress, Remembering
from neurosteer.results.effect import (
    Accuracy,
    Change,
    Controls,
    Dose,
    EditedNeuron,
    EffectResult,
    Flipped,
    KindOfEdit,
    Margin,
    OtherTask,
    SideEffects,
    TextControls,
    WithoutMassive,
)
from neurosteer.results.pairs_used import MeasuredPairs, PairsUsed
from neurosteer.store import digest_of
from neurosteer.studies.margins import Preference, accuracy, sign_flip
from neurosteer.studies.neutral import passages, read_neutral
from neurosteer.studies.token_scores import most_changed, token_scores
from neurosteer.vocabulary import (
    FEWEST_PAIRS,
    MEAN_CONVENTIONS,
    STANDS_OUT,
    TOO_FEW_TO_TELL,
    Convention,
    Reference,
    are,
    counted_pairs,
)

from .cases import Bench, Case, Disturbance, Measured
from .direction_controls import direction_controls
from .effect import Effect, effect_of
from .interpretation import interpret_effect
from .plan import Plan, at_equal_kl, plan_cases, plan_direction
from .verdict import overall


def measure_effect(
    model: Model,
    pairs: Pairs,
    edit: Edit,
    *,
    controls: int = 19,
    scales: Sequence[float] = (),
    kinds: Sequence[Reference] = (),
    donors: Pairs | None = None,
    train: Pairs | None = None,
    also: Sequence[Pairs] = (),
    neutral: str | Path | None = None,
    kl: float | Literal["auto"] | None = None,
    convention: Convention = "sum",
    seed: int = 0,
    progress: Progress = AUTO,
) -> Effect:
    """Measure what an edit does to the margins of pairs, compared with the same edit of matched neuron sets.

    Args:
        model: the model, unedited; it is not changed.
        pairs: the pairs to measure: none that the search has seen, such as `found.test`.
        edit: what is done to which neurons, or along which direction (compared with random ones, and null searches).
        controls: how many matched sets, at most 100,000; at least 19 for a verdict.
        scales: more scales at which the set and its controls are measured, a dose-response curve.
        kinds: references that are compared: `zero`, `mean`, and `resample` from the sentences of `donors`.
        donors: pairs whose sentences `resample` takes activations from, such as `found.train`.
        train: of a direction, the train pairs, in whose states its controls are drawn.
        also: other tasks, which a specific effect does not change.
        neutral: a file of text on which side effects are measured. None is a small text that is built in.
        kl: nats per token of it, or "auto": the set and each control take the scale at which they reach this KL.
        convention: how sentences are scored, as in `score`.
        seed: decides the controls and the intervals.
        progress: where progress and notices go.

    Returns:
        An `Effect`: margins (nats) before and after, p among the controls, the verdict, a row per pair.

    Raises:
        InputError: for pairs that the search has seen, an edit that scores cannot show, an empty set, neurons of
            another model, the task itself in `also`, `kl` with several scales, and more than 100,000 controls.

    Example:
        >>> ns.measure_effect(model, found.test, ns.Edit.ablate(top, to="mean"), controls=19).verdict
        'stands out'
    """
    expect(model, Model, "model")
    expect(pairs, Pairs, "pairs")
    expect(edit, Edit, "edit")
    expect_all(also, Pairs, "also")
    check_edit(model, edit)
    if active_edits(model):
        raise InputError("the model is being steered: measure outside of the `with` block, from the unedited model")
    _refuse(edit, pairs, also, controls)
    name, text = read_neutral(None if neutral is None else Path(neutral))
    remembered = Remembering(progress)
    if edit.direction is None:
        given = () if donors is None else tuple(s for pair in donors for s in (pair.good, pair.bad))
        plan = plan_cases(edit, controls, scales, kinds, given, seed)
    else:
        if set(kinds) - {edit.kind}:
            raise InputError("an edit along a direction is compared at one reference; leave kinds out")
        drawn = direction_controls(model, edit.direction, train, controls, seed, remembered)
        plan = plan_direction(edit, drawn, scales)
    equal = None
    if kl is not None:
        plan, equal = at_equal_kl(model, plan, kl, passages(model, text), remembered)
    bench = Bench(model, plan.cases, remembered, convention)
    measured = bench.margins(pairs, doses=plan.doses)
    with_controls = [0, *(place for place in (plan.light, plan.exchanged) if place is not None)]
    disturbed = bench.disturbance(passages(model, text), with_controls)
    elsewhere = [(other, bench.margins(other, only_first=True)) for other in also]
    side_effects = SideEffects(
        kl=disturbed[0].kl[0],
        perplexity_before=disturbed[0].perplexity,
        perplexity_after=disturbed[0].perplexities[0],
        tokens=disturbed[0].tokens,
        text=name,
        digest=digest_of(text),
    )
    result = _result(pairs, plan, measured, disturbed, elsewhere, side_effects, seed)
    result = replace(
        result,
        convention=None if convention == "sum" else convention,
        equal=equal,
        notices=(*result.notices, *_per_token(convention), *_few(result), *remembered.caveats),
    )
    result = replace(result, reading=interpret_effect(result))
    after = measured.after[0]
    shown = most_changed(np.abs(after[0] - measured.before))
    assert measured.by_token is not None
    scales = list(bench.shown_scales(plan.doses))
    texts = pairs_of_texts(model, pairs, convention)
    tokens = token_scores(model, pairs, texts, measured.by_token, shown, scales)
    return effect_of(result, edit.target, pairs, measured.before, after[0], after[1:], tokens)


def _refuse(edit: Edit, task: Pairs, also: Sequence[Pairs], controls: int) -> None:
    refuse_unscored(edit.where)
    if len(edit.neurons) == 0:
        raise InputError("no neurons to edit: the set is empty")
    check_count(controls)
    if task.task in {other.task for other in also}:
        raise InputError(f"{task.task} is the task itself; give another one to compare with, or none")
    seen = set(edit.neurons.metadata.get("seen", ()))
    for pairs in (task, *also):
        if not len(pairs):
            raise InputError(f"{pairs.task}: no pairs to measure on")
        known = [pair.id for pair in pairs if seen & set(sentence_hashes([pair]))]
        if known:
            raise InputError(
                f"{pairs.task}: the finding of these neurons has seen sentences of {len(known)} of the {len(pairs)} "
                f"pairs (pair {known[0]} is the first); measure on its test pairs"
            )


def _per_token(convention: Convention) -> list[str]:
    """A notice where margins are means: such are in nats too, and much smaller than sums."""
    mean = convention in MEAN_CONVENTIONS
    return [f"margins are of mean log probabilities per token (convention {convention})"] if mean else []


def _few(result: EffectResult) -> list[str]:
    """A notice for each task whose pairs are of too few groups for its interval."""
    tasks = [(result.task, result.data.tested, result.groups)]
    tasks += [(row.task, row.pairs, row.groups) for row in result.also]
    return [
        f"{task}: {counted_pairs(pairs, groups)} {are(pairs)} few: below {FEWEST_PAIRS} the 95 % interval is too "
        "narrow (at 40 it holds the truth in 88 % of cases)"
        for task, pairs, groups in tasks
        if groups < FEWEST_PAIRS
    ]


def _result(
    pairs: Pairs,
    plan: Plan,
    measured: Measured,
    disturbed: Sequence[Disturbance],
    elsewhere: Sequence[tuple[Pairs, Measured]],
    side_effects: SideEffects,
    seed: int,
) -> EffectResult:
    """All but the reading, and the notices that depend on more than the plan."""
    edit, clean = plan.cases[0].edit, measured.clean(seed)

    def row(index: int) -> Change:
        kl = disturbed[index].kl[0]
        return measured.change(index, plan.cases[index], seed, nothing_to_lose=clean.nothing_to_lose, kl=kl)

    own = row(0)
    kinds = tuple(KindOfEdit(kind=kind, **vars(row(index))) for kind, index in plan.kinds.items())
    return EffectResult(
        task=pairs.task,
        phenomenon=pairs.phenomenon,
        data=MeasuredPairs(**vars(PairsUsed.of(pairs)), tested=len(pairs)),
        method=edit.neurons.metadata.get("method"),
        edit=edit.describe(),
        neurons=_neurons(edit),
        groups=clean.groups,
        accuracy=_accuracy(measured),
        margin=_margin(measured, own, clean, seed),
        flipped=_flipped(measured),
        controls=_on_text(own.controls, disturbed[0]),
        nothing_to_lose=clean.nothing_to_lose,
        verdict=overall(own.controls, nothing_to_lose=clean.nothing_to_lose),
        exchanged=None if plan.exchanged is None else row(plan.exchanged).controls,
        without_massive=None if plan.light is None else _light(plan, row(plan.light), disturbed[plan.light]),
        side_effects=side_effects,
        by_scale=tuple(Dose(scale=scale, **vars(row(index))) for scale, index in plan.doses.items()),
        kinds=kinds,
        kinds_agree=kinds_agree(kinds) if clean.clean else None,
        also=tuple(other_task(other, found, plan.cases[0], seed) for other, found in elsewhere),
        notices=tuple(plan.notices),
        reading="",
    )


def other_task(pairs: Pairs, measured: Measured, case: Case, seed: int) -> OtherTask:
    """What the first case does to another task."""
    clean = measured.clean(seed)
    own = measured.change(0, case, seed, nothing_to_lose=clean.nothing_to_lose)
    return OtherTask(
        task=pairs.task,
        pairs=len(pairs),
        groups=clean.groups,
        accuracy=_accuracy(measured),
        margin=_margin(measured, own, clean, seed),
        flipped=_flipped(measured),
        controls=own.controls,
        nothing_to_lose=clean.nothing_to_lose,
        verdict=overall(own.controls, nothing_to_lose=clean.nothing_to_lose),
    )


def _accuracy(measured: Measured) -> Accuracy:
    return Accuracy(before=accuracy(measured.before), after=accuracy(measured.after[0][0]))


def _margin(measured: Measured, own: Change, clean: Preference, seed: int) -> Margin:
    before, after = measured.before, measured.after[0][0]
    return Margin(
        before=clean.margin,
        before_low=clean.low,
        before_high=clean.high,
        after=float(after.mean()),
        delta=own.delta,
        low=own.low,
        high=own.high,
        p=sign_flip(after - before, seed, measured.groups),
    )


def _flipped(measured: Measured) -> Flipped:
    before, after = measured.before > 0, measured.after[0][0] > 0
    return Flipped(lost=int((before & ~after).sum()), gained=int((~before & after).sum()))


def _on_text(controls: Controls | None, disturbed: Disturbance) -> TextControls | None:
    """With what the controls do to neutral text."""
    kls = disturbed.kl[1:]
    return None if controls is None else TextControls(**vars(controls), kl=float(np.mean(kls)), kls=tuple(kls))


def _light(plan: Plan, row: Change, disturbed: Disturbance) -> WithoutMassive:
    assert plan.light is not None
    found = vars(row) | {"controls": _on_text(row.controls, disturbed)}
    return WithoutMassive(k=len(plan.cases[plan.light].edit.neurons.members), **found)


def kinds_agree(kinds: Sequence[KindOfEdit]) -> bool | None:
    """Whether the set stands out under every reference, on one side of its controls, as moving more or as less.

    None where there is but one, where the set stands out under none, and where too few controls tell: then the
    changes may still differ in direction, which is False.
    """
    if not kinds:
        return None
    verdicts = {kind.controls.verdict if kind.controls else TOO_FEW_TO_TELL for kind in kinds}
    if TOO_FEW_TO_TELL in verdicts:
        return None if len({kind.delta > 0 for kind in kinds}) == 1 else False
    if STANDS_OUT not in verdicts:
        return None
    sides = {(kind.controls.direction, kind.delta > kind.controls.delta_mean) for kind in kinds if kind.controls}
    return verdicts == {STANDS_OUT} and len(sides) == 1


def _neurons(edit: Edit) -> tuple[EditedNeuron, ...]:
    """Best first, massive ones flagged."""
    if edit.direction is not None:
        return ()
    light = set(without_massive(edit.neurons, reach=edit.reach))
    return tuple(
        EditedNeuron(**vars(row), massive=(row.layer, row.unit) not in light) for row in edit.neurons.listed()
    )
