"""What an effect says, in sentences that do not claim more than it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

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
    Verdict,
    counted_pairs,
)

from .verdict import chance_of


def effect_reading(entry: dict[str, Any]) -> str:
    """The change, whether matched controls do the same, whether massive units carry it, and what else it disturbs."""
    parts = (_change(entry), _against(entry), _massive(entry), _kinds(entry), _disturbance(entry), _elsewhere(entry))
    return " ".join(filter(None, parts))


def missed(controls: Mapping[str, Any]) -> str:
    """What these controls could have missed: the smallest change that they would have shown, with a power of 80 %."""
    smallest = controls["detectable"]["nats"]
    if smallest is None:
        return (
            "With these controls no change is large enough to be seen with 80 % power: they hold "
            f"{100 * controls['overlap']:.0f} % of these neurons themselves."
        )
    share = controls["detectable"]["share"]
    of_clean = "" if share is None else f" ({100 * share:.0f} % of the unedited margin)"
    return f"The smallest change that would have been seen with 80 % power is {smallest:.2f} nats{of_clean}."


def _change(entry: dict[str, Any]) -> str:
    edit, margin, accuracy = entry["edit"], entry["margin"], entry["accuracy"]
    layers = f"layer {edit['layers'][0]}" if len(edit["layers"]) == 1 else f"{len(edit['layers'])} layers"
    return (
        f"With these {edit['k']} neurons {_done(edit)} at {layers} the mean margin changes by {margin['delta']:+.2f} "
        f"nats (95 % interval {margin['low']:+.2f} to {margin['high']:+.2f}), accuracy goes "
        f"from {_short(accuracy['before'])} to {_short(accuracy['after'])}."
    )


def _done(edit: dict[str, Any]) -> str:
    kind, scale = edit["kind"], edit["scale"]
    if kind in ("clamp", "push"):
        return f"{kind}ed"
    if scale == 0:
        return "resampled" if kind == "resample" else f"set to {'their mean' if kind == 'mean' else 'zero'}"
    about = {"zero": "", "mean": " about their mean", "resample": " about a donor"}[kind]
    return f"scaled by {scale:g}{about}"


def _against(entry: dict[str, Any]) -> str:
    found = entry["controls"]
    spread = (
        found and f"{found['n']} matched sets change it by {found['delta_low']:+.2f} to {found['delta_high']:+.2f}"
    )
    alone = "Without controls this says nothing about these neurons in particular."
    if entry["nothing_to_lose"] is not False:
        return f"{_no_preference(entry)} " + (f"{spread} ({_p(found)})." if found else alone)
    if found is None:
        return alone
    if found["verdict"] == TOO_FEW_TO_TELL:
        return f"{spread}: too few to tell, a verdict takes {FEWEST_CONTROLS}."
    if found["verdict"] == DOES_NOT_STAND_OUT:
        return f"{spread}: no more than sets that should not matter ({_p(found)}). {missed(found)}"
    return f"{spread}. These neurons stand out{_how(found, entry['margin']['delta'])} (p = {_short(found['p'])})."


def _no_preference(entry: dict[str, Any]) -> str:
    """That there is nothing to lose, or that too few pairs tell."""
    margin = entry["margin"]
    clean = (
        f"the unedited mean margin is {margin['before']:+.2f} nats (95 % interval {margin['before_low']:+.2f} to "
        f"{margin['before_high']:+.2f})"
    )
    if entry["nothing_to_lose"] is None:
        return (
            f"{counted_pairs(entry['data']['tested'], entry['groups'])} are too few to tell whether there is "
            f"anything to lose, {FEWEST_PREFERRED} are wanted: {clean}."
        )
    found = (
        "a clear preference for the ungrammatical sentences"
        if margin["before_high"] < 0
        else "no clear preference for the grammatical sentences"
    )
    return (
        f"There is nothing to lose: {clean}, {found}, so no change shows that these neurons are needed for the "
        "grammatical ones."
    )


def _how(controls: Mapping[str, Any], delta: float) -> str:
    """In what way a set stands out, after these words."""
    mean, verb = controls["delta_mean"], "lower" if delta < 0 else "raise"
    if controls["direction"] == MORE:
        beyond = delta < controls["delta_low"] or delta > controls["delta_high"]
        return f": they {verb} it more than {'all' if beyond else 'most'} of these"
    common, least = ("lower", "hurts") if mean < 0 else ("raise", "helps")
    between = controls["delta_low"] <= delta <= controls["delta_high"]
    how = f"they {verb} it less than {'most' if between else 'all'} of these"
    if verb != common or not delta:
        how = f"they do not {common} it"
    return f", but as those where the edit {least} least: {how}"


def _massive(entry: dict[str, Any]) -> str:
    light = entry["without_massive"]
    if light is None:
        return ""
    left = f"Without the massive units among them ({light['k']} left) the change is {light['delta']:+.2f}"
    found = light["controls"]
    null = found and found["verdict"] == DOES_NOT_STAND_OUT and entry["nothing_to_lose"] is False
    return (left + (f" ({_p(found)})." if found else ".")) + (f" {missed(found)}" if null else "")


def _kinds(entry: dict[str, Any]) -> str:
    """Whether replacing by other references says the same; nothing where there is nothing to lose."""
    kinds, agree = entry["kinds"], entry["kinds_agree"]
    if len(kinds) < 2 or entry["nothing_to_lose"] is not False:
        return ""
    names = ", ".join(kind["kind"] for kind in kinds)
    verdicts = {kind["kind"]: kind["controls"]["verdict"] if kind["controls"] else TOO_FEW_TO_TELL for kind in kinds}
    few = TOO_FEW_TO_TELL in verdicts.values()
    out = [kind for kind, verdict in verdicts.items() if verdict == STANDS_OUT]
    if agree:
        said = "agrees"
    elif few and agree is None:
        said = f"agrees in direction; without {FEWEST_CONTROLS} controls no more can be told"
    elif few or len(out) == len(kinds):
        said = "does not agree in direction"
    elif not out:
        return f"Under none of {names} do they stand out."
    else:
        rest = ", ".join(kind for kind in verdicts if kind not in out)
        said = f"does not agree: they stand out under {', '.join(out)}, not under {rest}"
    return f"Replacing by {names} {said}."


def _disturbance(entry: dict[str, Any]) -> str:
    """Said where fewer than one in twenty controls disturbs neutral text as much."""
    own, controls = entry["side_effects"]["kl"], entry["controls"]
    if controls is None:
        return ""
    as_much = sum(kl >= own for kl in controls["kls"])
    if as_much >= LEVEL * controls["n"]:
        return ""
    rank = f"{controls['n'] - as_much} of their {controls['n']}" if as_much else f"all their {controls['n']}"
    return (
        f"They also disturb neutral text more than {rank} controls do (KL {own:.2g} against {controls['kl']:.2g} "
        "nats a token on average), so part of this may be damage in general."
    )


def _elsewhere(entry: dict[str, Any]) -> str:
    if not entry["also"]:
        return ""
    if entry["controls"] is None:
        return "Without controls nothing can be said of the other tasks either."
    if entry["controls"]["verdict"] == TOO_FEW_TO_TELL:
        return "Of the other tasks too few controls tell nothing either."
    told = {word: [row for row in entry["also"] if row["verdict"] == word] for word in get_args(Verdict)}
    less = [row for row in told[STANDS_OUT] if row["controls"]["direction"] == LESS]
    moved = [row for row in told[STANDS_OUT] if row["controls"]["direction"] == MORE]
    parts = [_moved(entry, moved, len(told[STANDS_OUT]) + len(told[DOES_NOT_STAND_OUT]))]
    if less:
        parts += [f"Less than under the controls: {_names(less)}."]
    if told[DOES_NOT_STAND_OUT]:
        parts += [f"Changes that would have been seen there with 80 % power: {_seen(told[DOES_NOT_STAND_OUT])}."]
    if told[NOTHING_TO_LOSE]:
        parts += [f"Nothing to lose: {_names(told[NOTHING_TO_LOSE])}."]
    if told[TOO_FEW_TO_TELL]:
        parts += [f"Too few test pairs to tell whether there is anything to lose: {_names(told[TOO_FEW_TO_TELL])}."]
    return " ".join(filter(None, parts))


def _moved(entry: dict[str, Any], moved: Sequence[Mapping[str, Any]], tests: int) -> str:
    """Which of the other tasks move more than under the controls, and whether so many do by chance."""
    if not tests:
        return ""
    of = "Of 1 other task" if tests == 1 else f"Of {tests} other tasks"
    if not moved:
        return f"{of} none moves more than under the controls."
    names = ", ".join(f"{row['task']} {'down' if row['margin']['delta'] < 0 else 'up'}" for row in moved)
    many = f"{len(moved)} move{'s' if len(moved) == 1 else ''} more than under the controls ({names})"
    chance = chance_of(len(moved), tests)
    if chance > LEVEL + 1e-9:
        return f"{of} {many}; as many do in {100 * chance:.0f} % of cases by chance."
    own = entry["verdict"] == STANDS_OUT and entry["controls"]["direction"] == MORE
    return f"{'The effect is not specific: of' + of[2:] if own else of} {many}."


def _names(rows: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(row["task"] for row in rows)


def _seen(rows: Sequence[Mapping[str, Any]]) -> str:
    smallest = [(row["task"], row["controls"]["detectable"]["nats"]) for row in rows]
    return ", ".join(f"{task} {'none' if nats is None else f'{nats:.2f} nats'}" for task, nats in smallest)


def _p(controls: Mapping[str, Any]) -> str:
    if controls["verdict"] == TOO_FEW_TO_TELL:
        return TOO_FEW_TO_TELL
    less = ", less than under the controls" if controls["direction"] == LESS else ""
    return f"p = {_short(controls['p'])}{less}"


def _short(value: float) -> str:
    text = f"{value:.2f}" if value >= 0.01 or value == 0 else f"{value:.1g}"
    return text[1:] if text.startswith("0") else text
