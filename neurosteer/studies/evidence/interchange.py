"""Interchangeable: does the preference follow the set's values?

Factorial items have two causes and two outcomes (`neurosteer.pairs.factorial`). The run with one cause gets the set's
values from the run with the other one, at all tokens from the first that differs on, or, where the two contexts are
of different lengths, at the last token before the outcome alone; and the other way round. The effect is
(swapped - clean) / (donor - clean), the ratio of means over items and both directions: 0 where nothing changes, 1
where the preference becomes the donor's.

Destroying a set looks like half a transfer: if its values no longer tell one cause from the other, the preference
goes half of the way in each direction. So what counts is the effect beyond that of moving the same values to their
mean, and beside it stands a swap from another item of the same cause, which should do nothing. Of a direction the
component along it is exchanged, and the rest of the states stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from neurosteer.forward import Swap, preferences
from neurosteer.results import Estimate
from neurosteer.results.evidence import Answer, Beside, MapCell
from neurosteer.studies.margins import interval, ratio
from neurosteer.vocabulary import FEWEST_CONTROLS, are, counted

from .factorial import Factorial, factorial_of, gap_of, other_cause, same_cause, towards_the_donor, why_not
from .interchange_map import map_of
from .numbers import holds, one_sided_p
from .swapping import swap_of
from .wording import against, share
from .work import AnswerParts, AskedSet

PerItem = Float[np.ndarray, "item"]
FORMS = {
    "aligned": "at all tokens from the first that differs on",
    "last": "at the last token before the outcome alone, as the contexts are of different lengths",
}


def interchangeable(work: AskedSet) -> AnswerParts:
    """What swapping the set's values between the two causes of factorial items does to the preference."""
    task = work.pairs.task
    found = factorial_of(work.model, task, seed=work.seed, but=tuple(work.neurons.metadata.get("seen", ())))
    why = why_not(task, found)
    if why:
        return work.cannot_tell("interchangeable", why, len(found.items))
    measured = measure_swaps(work, found)
    why = _no_effect_of_the_cause(measured, work.seed)
    if why:
        return work.cannot_tell("interchangeable", why, len(found.items))
    cells: tuple[MapCell, ...] = ()
    if work.map:
        cells = map_of(work.model, found, work.target, progress=work.passes.progress)
    return AnswerParts(answer=_answer(work, found, measured), map=cells)


@dataclass(frozen=True, eq=False)
class Swapped:
    """How far preferences went towards the donor's, in nats summed over both directions of each item.

    `gap` is the whole way: the donor's preference less the own one.
    """

    gap: PerItem
    clean: Float[np.ndarray, "item cause"]
    swapped: Float[np.ndarray, "set item"]  # of the set, then of its controls
    ablated: Float[np.ndarray, "set item"]
    after: Float[np.ndarray, "item cause"]  # the preferences under the swap of the set
    same_cause: PerItem
    same_cause_items: Float[np.ndarray, "item"]  # 1 where there was such an item
    whole: PerItem


def measure_swaps(work: AskedSet, found: Factorial) -> Swapped:
    """The set, its controls and the whole layers, swapped and moved to their mean: all on the same packs."""
    sets, across = work.sets, other_cause(found)
    width = work.neurons.stats.token_mean.shape[1]
    like = same_cause(found, work.seed)
    swaps = [swap_of(one, across) for one in sets]
    swaps += [swap_of(one, across, to_mean=True) for one in sets]
    swaps.append(swap_of(work.target, like))
    swaps.append(Swap({layer: torch.arange(width) for layer in work.layers}, across))
    what = f"{work.pairs.task}: {counted(len(swaps), 'swap')} of {counted(len(found.items), 'item')}, tokens"
    values = preferences(
        work.model, found.groups, swaps, site=work.neurons.site, what=what, progress=work.passes.progress
    )
    moved, n = towards_the_donor(values), len(sets)
    return Swapped(
        gap=gap_of(values),
        clean=values.clean.reshape(-1, 2),
        swapped=moved[:n],
        ablated=moved[n : 2 * n],
        after=values.swapped[0].reshape(-1, 2),
        same_cause=moved[-2],
        same_cause_items=np.array([float(bool(one.positions)) for one in like[::2]]),
        whole=moved[-1],
    )


def sign_agreement(clean: Float[np.ndarray, "item cause"], after: Float[np.ndarray, "item cause"]) -> float | None:
    """IIA: of the runs whose donor has the other sign, the share that take it; None where there is none."""
    donors = clean[:, ::-1]
    differing = np.sign(donors) != np.sign(clean)
    return float((np.sign(after) == np.sign(donors))[differing].mean()) if differing.any() else None


def _no_effect_of_the_cause(measured: Swapped, seed: int) -> str:
    """Why there is nothing to swap; empty where there is."""
    half = measured.gap / 2
    low, high = interval(half, seed)
    if low > 0:
        return ""
    return (
        f"the model's preference does not follow the cause: under cause 1 it is {half.mean():+.2f} nats from that "
        f"under cause 2 (95 % interval {low:+.2f} to {high:+.2f})"
    )


def _answer(work: AskedSet, found: Factorial, measured: Swapped) -> Answer:
    groups, gap = np.arange(len(found.items)), measured.gap
    beyond = [one - other for one, other in zip(measured.swapped, measured.ablated, strict=True)]
    value = ratio(beyond[0], gap, groups, work.seed)
    controls = [float(one.sum() / gap.sum()) for one in beyond[1:]]
    p = one_sided_p(_known(value), controls) if controls else None
    few = ""
    if len(controls) < FEWEST_CONTROLS:
        few = f"{counted(len(controls), 'control')} {are(len(controls))} too few, a verdict takes {FEWEST_CONTROLS}"
    swapped, ablated, whole = (
        ratio(one, gap, groups, work.seed) for one in (measured.swapped[0], measured.ablated[0], measured.whole)
    )
    assert found.form is not None
    items = counted(len(found.items), "item")
    sentence = (
        f"With {work.counted} swapped between the causes of {items} "
        f"({FORMS[found.form]}) the preference goes {share(swapped)} of the way to the donor's, with the same values "
        f"moved to their mean {share(ablated)}; beyond that {share(value)}{against(controls, p, work.compared)}."
    )
    return Answer(
        question="interchangeable",
        value=value.value,
        low=value.low,
        high=value.high,
        p=p,
        holds=None if few or p is None else holds(p, value.low, 0.0),
        why=few,
        sentence=sentence,
        measures="effect of the swap beyond that of moving the same values to their mean",
        n=len(controls),
        controls=tuple(controls),
        overlap=work.overlap,
        tested=len(found.items),
        beside=_beside(work, found, measured, swapped, ablated, whole),
    )


def _beside(
    work: AskedSet, found: Factorial, measured: Swapped, swapped: Estimate, ablated: Estimate, whole: Estimate
) -> tuple[Beside, ...]:
    gap = measured.gap
    like = measured.same_cause_items > 0
    rows = [("effect of the swap", swapped), ("effect of the mean at the same places", ablated)]
    if like.sum() > 1:
        alike = ratio(measured.same_cause[like], gap[like], np.arange(like.sum()), work.seed)
        rows.append((f"effect of a swap from the same cause ({counted(int(like.sum()), 'item')})", alike))
    rows.append(("effect of the whole layer swapped", whole))
    control_swaps = [float(one.sum() / gap.sum()) for one in measured.swapped[1:]]
    found_beside = [Beside(what=what, value=one.value, low=one.low, high=one.high) for what, one in rows]
    if control_swaps:
        found_beside.append(
            Beside(what="effect of the swap, mean of the controls", value=float(np.mean(control_swaps)))
        )
    found_beside += [
        Beside(what="runs that take the donor's sign (IIA)", value=sign_agreement(measured.clean, measured.after)),
        Beside(what="preference under cause 1 (nats)", value=float(measured.clean[:, 0].mean())),
        Beside(what="preference under cause 2 (nats)", value=float(measured.clean[:, 1].mean())),
        Beside(what="items drawn", value=float(found.drawn)),
        Beside(what="items of contexts of one length", value=float(found.aligned)),
        Beside(what="items of contexts of unequal length", value=float(found.unaligned)),
    ]
    found_beside += [Beside(what=f"items without form: {why}", value=float(n)) for why, n in found.unfit.items()]
    return tuple(found_beside)


def _known(one: Estimate) -> float:
    assert one.value is not None
    return one.value
