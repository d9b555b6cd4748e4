"""What an effect says, in sentences that do not claim more than it shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args

from neurosteer.references import REFERENCE_POINTS, about, reference_of
from neurosteer.report.numbers import change
from neurosteer.results.effect import AppliedEdit, Controls, EffectResult, OtherTask
from neurosteer.vocabulary import (
    DOES_NOT_STAND_OUT,
    FEWEST_CONTROLS,
    FEWEST_PREFERRED,
    LESS,
    LEVEL,
    MORE,
    NOTHING_TO_LOSE,
    STANDS_OUT,
    TOO_FEW_TO_TELL,
    EffectVerdict,
    are,
    counted,
    counted_pairs,
)

from .verdict import chance_of


@dataclass(frozen=True)
class _Words:
    """How one neuron, or several, are spoken of."""

    these: str  # neurons, or heads
    they: str
    their: str
    s: str  # of a verb after `they`
    do: str


def _words(edit: AppliedEdit) -> _Words:
    if edit.k == 1:
        return _Words(f"this {edit.noun}", "it", "its", "s", "does")
    return _Words(f"these {edit.noun}s", "they", "their", "", "do")


def interpret_effect(effect: EffectResult) -> str:
    """The change, whether matched controls do the same, whether massive units carry it, and what else it disturbs."""
    parts = (_change, _against, _exchanged, _massive, _kinds, _disturbance, _elsewhere)
    return " ".join(filter(None, (part(effect) for part in parts)))


def missed(controls: Controls, edit: AppliedEdit) -> str:
    """What these controls could have missed: the smallest change that they would have shown, with a power of 80 %."""
    smallest, share = controls.detectable.nats, controls.detectable.share
    if smallest is None:
        overlap = f"{100 * controls.overlap:.0f} %"
        if edit.by == "direction":
            return (
                f"With these controls no change is large enough to be seen with 80 % power: {overlap} of them is it."
            )
        theirs = (
            f"{overlap} of them are this {edit.noun}"
            if edit.k == 1
            else f"they hold {overlap} of these {edit.noun}s themselves"
        )
        return f"With these controls no change is large enough to be seen with 80 % power: {theirs}."
    of_clean = "" if share is None else f" ({100 * share:.0f} % of the unedited margin)"
    return f"The smallest change that would have been seen with 80 % power is {smallest:.2f} nats{of_clean}."


def _change(effect: EffectResult) -> str:
    edit, margin, accuracy = effect.edit, effect.margin, effect.accuracy
    these = f"this {edit.noun}" if edit.k == 1 else f"these {edit.k} {edit.noun}s"
    layers = f"layer {edit.layers[0]}" if len(edit.layers) == 1 else f"{len(edit.layers)} layers"
    return (
        f"With {these} {_done(edit)} at {layers} the mean margin changes by {change(margin.delta)} "
        f"nats (95 % interval {change(margin.low)} to {change(margin.high)}), accuracy goes "
        f"from {_short(accuracy.before)} to {_short(accuracy.after)}."
    )


def _done(edit: AppliedEdit) -> str:
    kind, scale, their = edit.kind, edit.scale, _words(edit).their
    if edit.by == "direction":
        return _done_along(edit)
    reference = reference_of(kind)
    if reference is None:
        return f"{kind}ed"
    if scale == 0:
        return REFERENCE_POINTS[reference].replaced(their)
    return f"scaled by {scale:g}{about(reference, their)}"


def _done_along(edit: AppliedEdit) -> str:
    reference = reference_of(edit.kind)
    if reference is None:
        return f"{edit.kind}ed along"
    if edit.scale == 0:
        return f"projected out{about(reference, 'its', 'to')}"
    return f"scaled by {edit.scale:g}{about(reference, 'its')}"


def _against(effect: EffectResult) -> str:
    found, words = effect.controls, _words(effect.edit)
    spread = found and (
        f"{found.n} {_compared(effect.edit, found.n)} it by {change(found.delta_low)} to {change(found.delta_high)}"
    )
    alone = f"Without controls this says nothing about {words.these} in particular."
    if effect.nothing_to_lose is not False:
        return f"{_no_preference(effect)} " + (f"{spread} ({_p(found)})." if found else alone)
    if found is None:
        return alone
    if found.verdict == TOO_FEW_TO_TELL:
        return f"{spread}: too few to tell, a verdict takes {FEWEST_CONTROLS}."
    if found.verdict == DOES_NOT_STAND_OUT:
        sets = "directions" if effect.edit.by == "direction" else "sets"
        null = f"no more than {sets} that should not matter ({_p(found)})"
        return f"{spread}: {null}. {missed(found, effect.edit)}"
    stand = f"{words.these.capitalize()} stand{words.s} out"
    return f"{spread}. {stand}{_how(found, effect.margin.delta, words)} (p = {_short(found.p)})."


def _compared(edit: AppliedEdit, n: int) -> str:
    """What the controls are, with their verb."""
    what = "random direction" if edit.by == "direction" else "matched set"
    return f"{what} changes" if n == 1 else f"{what}s change"


def _exchanged(effect: EffectResult) -> str:
    """What directions of exchanged labels do, where there are any."""
    found = effect.exchanged
    if found is None:
        return ""
    spread = f"{change(found.delta_low)} to {change(found.delta_high)}"
    verb = "direction of exchanged labels changes" if found.n == 1 else "directions of exchanged labels change"
    return f"{found.n} {verb} it by {spread} ({_p(found)})."


def _no_preference(effect: EffectResult) -> str:
    """That there is nothing to lose, or that too few pairs tell."""
    margin, words, pairs = effect.margin, _words(effect.edit), effect.data.tested
    clean = (
        f"the unedited mean margin is {change(margin.before)} nats (95 % interval {change(margin.before_low)} to "
        f"{change(margin.before_high)})"
    )
    if effect.nothing_to_lose is None:
        return (
            f"{counted_pairs(pairs, effect.groups)} {are(pairs)} too few to tell whether there is "
            f"anything to lose, {FEWEST_PREFERRED} are wanted: {clean}."
        )
    found = (
        "a clear preference for the ungrammatical sentences"
        if margin.before_high < 0
        else "no clear preference for the grammatical sentences"
    )
    return (
        f"There is nothing to lose: {clean}, {found}, so no change shows that {words.these} {are(effect.edit.k)} "
        "needed for the grammatical ones."
    )


def _how(controls: Controls, delta: float, words: _Words) -> str:
    """In what way a set stands out, after these words."""
    mean, verb = controls.delta_mean, "lower" if delta < 0 else "raise"
    they, s = words.they, words.s
    if controls.direction == MORE:
        beyond = delta < controls.delta_low or delta > controls.delta_high
        return f": {they} {verb}{s} it more than {'all' if beyond else 'most'} of these"
    common, least = ("lower", "hurts") if mean < 0 else ("raise", "helps")
    between = controls.delta_low <= delta <= controls.delta_high
    how = f"{they} {verb}{s} it less than {'most' if between else 'all'} of these"
    if verb != common or not delta:
        how = f"{they} {words.do} not {common} it"
    return f", but as those where the edit {least} least: {how}"


def _massive(effect: EffectResult) -> str:
    light = effect.without_massive
    if light is None:
        return ""
    left = f"Without the massive units among them ({light.k} left) the change is {change(light.delta)}"
    found = light.controls
    null = found if found and found.verdict == DOES_NOT_STAND_OUT and effect.nothing_to_lose is False else None
    return (left + (f" ({_p(found)})." if found else ".")) + (
        f" {missed(null, replace(effect.edit, k=light.k))}" if null else ""
    )


def _kinds(effect: EffectResult) -> str:
    """Whether replacing by other references says the same; nothing where there is nothing to lose."""
    kinds, agree, words = effect.kinds, effect.kinds_agree, _words(effect.edit)
    if len(kinds) < 2 or effect.nothing_to_lose is not False:
        return ""
    names = ", ".join(kind.kind for kind in kinds)
    verdicts = {kind.kind: kind.controls.verdict if kind.controls else TOO_FEW_TO_TELL for kind in kinds}
    few = TOO_FEW_TO_TELL in verdicts.values()
    out = [kind for kind, one in verdicts.items() if one == STANDS_OUT]
    if agree:
        verdict = "agrees"
    elif few and agree is None:
        verdict = f"agrees in direction; without {FEWEST_CONTROLS} controls no more can be told"
    elif few or len(out) == len(kinds):
        verdict = "does not agree in direction"
    elif not out:
        return f"Under none of {names} {words.do} {words.they} stand out."
    else:
        rest = ", ".join(kind for kind in verdicts if kind not in out)
        stand = f"{words.they} stand{words.s}"
        verdict = f"does not agree: {stand} out under {', '.join(out)}, not under {rest}"
    return f"Replacing by {names} {verdict}."


def _disturbance(effect: EffectResult) -> str:
    """Said where fewer than one in twenty controls disturbs neutral text as much."""
    own, controls, words = effect.side_effects.kl, effect.controls, _words(effect.edit)
    if controls is None or controls.kl is None or controls.kls is None:
        return ""
    as_much = sum(kl >= own for kl in controls.kls)
    if as_much >= LEVEL * controls.n:
        return ""
    rank = f"{controls.n - as_much} of {words.their}" if as_much else f"all {words.their}"
    beaten = f"{words.their} control does" if controls.n == 1 else f"{rank} {controls.n} controls do"
    return (
        f"{words.they.capitalize()} also disturb{words.s} neutral text more than {beaten} (KL {own:.2g} against "
        f"{controls.kl:.2g} nats a token on average), so part of this may be damage in general."
    )


def _elsewhere(effect: EffectResult) -> str:
    if not effect.also:
        return ""
    if effect.controls is None:
        return "Without controls nothing can be said of the other tasks either."
    if effect.controls.verdict == TOO_FEW_TO_TELL:
        return "Of the other tasks too few controls tell nothing either."
    rows = {word: [row for row in effect.also if row.verdict == word] for word in get_args(EffectVerdict)}
    less = [row for row in rows[STANDS_OUT] if row.controls and row.controls.direction == LESS]
    moved = [row for row in rows[STANDS_OUT] if row.controls and row.controls.direction == MORE]
    parts = [_moved(effect, moved, len(rows[STANDS_OUT]) + len(rows[DOES_NOT_STAND_OUT]))]
    if less:
        parts += [f"Less than under the controls: {_names(less)}."]
    if rows[DOES_NOT_STAND_OUT]:
        parts += [f"Changes that would have been seen there with 80 % power: {_seen(rows[DOES_NOT_STAND_OUT])}."]
    if rows[NOTHING_TO_LOSE]:
        parts += [f"Nothing to lose: {_names(rows[NOTHING_TO_LOSE])}."]
    if rows[TOO_FEW_TO_TELL]:
        parts += [f"Too few test pairs to tell whether there is anything to lose: {_names(rows[TOO_FEW_TO_TELL])}."]
    return " ".join(filter(None, parts))


def _moved(effect: EffectResult, moved: Sequence[OtherTask], tests: int) -> str:
    """Which of the other tasks move more than under the controls, and whether so many do by chance."""
    if not tests:
        return ""
    of = f"Of {counted(tests, 'other task')}"
    if not moved:
        return f"{of} none moves more than under the controls."
    names = ", ".join(f"{row.task} {'down' if row.margin.delta < 0 else 'up'}" for row in moved)
    many = f"{len(moved)} move{'s' if len(moved) == 1 else ''} more than under the controls ({names})"
    chance = chance_of(len(moved), tests)
    if chance > LEVEL + 1e-9:
        return f"{of} {many}; as many do in {100 * chance:.0f} % of cases by chance."
    own = effect.verdict == STANDS_OUT and effect.controls and effect.controls.direction == MORE
    return f"{'The effect is not specific: of' + of[2:] if own else of} {many}."


def _names(rows: Sequence[OtherTask]) -> str:
    return ", ".join(row.task for row in rows)


def _seen(rows: Sequence[OtherTask]) -> str:
    smallest = [(row.task, row.controls and row.controls.detectable.nats) for row in rows]
    return ", ".join(f"{task} {'none' if nats is None else f'{nats:.2f} nats'}" for task, nats in smallest)


def _p(controls: Controls) -> str:
    if controls.verdict == TOO_FEW_TO_TELL:
        return TOO_FEW_TO_TELL
    less = ", less than under the controls" if controls.direction == LESS else ""
    return f"p = {_short(controls.p)}{less}"


def _short(value: float) -> str:
    text = f"{value:.2f}" if value >= 0.01 or value == 0 else f"{value:.1g}"
    return text[1:] if text.startswith("0") else text
