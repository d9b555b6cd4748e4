"""From what was measured to an `Effect`: the numbers of its result, and the margins that they were made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from neurosteer.edits import Edit
from neurosteer.neurons import Direction, NeuronSet, without_massive
from neurosteer.pairs import Pairs
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
    PairEffect,
    SideEffects,
    TextControls,
    WithoutMassive,
)
from neurosteer.results.pairs_used import MeasuredPairs, PairsUsed, SplitPairs
from neurosteer.studies.margins import Preference, accuracy, sign_flip
from neurosteer.studies.token_scores import TokenScores
from neurosteer.vocabulary import STANDS_OUT, TOO_FEW_TO_TELL

from .cases import Case, Disturbance, MeasuredMargins
from .effect import Effect
from .plan import EffectPlan
from .verdict import overall


def effect_of(
    result: EffectResult,
    neurons: NeuronSet | Direction,
    pairs: Pairs,
    before: Float[np.ndarray, "pair"],
    after: Float[np.ndarray, "pair"],
    controls: Float[np.ndarray, "control pair"],
    tokens: TokenScores | None = None,
) -> Effect:
    """A result with the margins that it was made from."""
    means: Sequence[float | None] = controls.mean(axis=0).tolist() if len(controls) else [None] * len(pairs)
    columns = zip(pairs, before.tolist(), after.tolist(), means, strict=True)
    rows = tuple(
        PairEffect(
            pair=pair.id,
            sentence_good=pair.good,
            sentence_bad=pair.bad,
            margin_before=old,
            margin_after=new,
            margin_controls=mean,
        )
        for pair, old, new, mean in columns
    )
    return Effect(
        **vars(result),
        neuron_set=neurons,
        by_pair=rows,
        digest=pairs.digest,
        control_margins=controls,
        tokens=tokens,
    )


def with_origin(effect: Effect, *, neurons_from: str, data: SplitPairs | None = None) -> Effect:
    """The same effect, with the run or file that its neurons come from, and the pairs that its test pairs are of."""
    whole = effect.data if data is None else MeasuredPairs(**vars(data), tested=effect.data.tested)
    return replace(effect, data=whole, neurons_from=neurons_from)


def result_of(
    pairs: Pairs,
    plan: EffectPlan,
    measured: MeasuredMargins,
    disturbed: Sequence[Disturbance],
    elsewhere: Sequence[tuple[Pairs, MeasuredMargins]],
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


def other_task(pairs: Pairs, measured: MeasuredMargins, case: Case, seed: int) -> OtherTask:
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


def _accuracy(measured: MeasuredMargins) -> Accuracy:
    return Accuracy(before=accuracy(measured.before), after=accuracy(measured.after[0][0]))


def _margin(measured: MeasuredMargins, own: Change, clean: Preference, seed: int) -> Margin:
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


def _flipped(measured: MeasuredMargins) -> Flipped:
    before, after = measured.before > 0, measured.after[0][0] > 0
    return Flipped(lost=int((before & ~after).sum()), gained=int((~before & after).sum()))


def _on_text(controls: Controls | None, disturbed: Disturbance) -> TextControls | None:
    """With what the controls do to neutral text."""
    kls = disturbed.kl[1:]
    return None if controls is None else TextControls(**vars(controls), kl=float(np.mean(kls)), kls=tuple(kls))


def _light(plan: EffectPlan, row: Change, disturbed: Disturbance) -> WithoutMassive:
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
