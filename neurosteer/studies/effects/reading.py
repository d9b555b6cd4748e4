"""What an effect says, in sentences that do not claim more than it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from neurosteer.vocabulary import DOES_NOT_STAND_OUT, FEWEST_CONTROLS, NOTHING_TO_LOSE, STANDS_OUT, TOO_FEW_TO_TELL


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
    if entry["nothing_to_lose"]:
        margin = entry["margin"]
        return (
            f"There is nothing to lose: the unedited mean margin is {margin['before']:+.2f} nats (95 % interval "
            f"{margin['before_low']:+.2f} to {margin['before_high']:+.2f}), no clear preference for the grammatical "
            "sentences, so no change shows that these neurons are needed for it. "
            + (f"{spread} ({_p(found)})." if found else alone)
        )
    if found is None:
        return alone
    if found["verdict"] == TOO_FEW_TO_TELL:
        return f"{spread}: too few to tell, a verdict takes {FEWEST_CONTROLS}."
    if found["verdict"] == DOES_NOT_STAND_OUT:
        return f"{spread}: no more than sets that should not matter ({_p(found)}). {missed(found)}"
    return f"{spread}: these neurons stand out ({_p(found)})."


def _massive(entry: dict[str, Any]) -> str:
    light = entry["without_massive"]
    if light is None:
        return ""
    left = f"Without the massive units among them ({light['k']} left) the change is {light['delta']:+.2f}"
    found = light["controls"]
    null = found and found["verdict"] == DOES_NOT_STAND_OUT and not entry["nothing_to_lose"]
    return (left + (f" ({_p(found)})." if found else ".")) + (f" {missed(found)}" if null else "")


def _kinds(entry: dict[str, Any]) -> str:
    if len(entry["kinds"]) < 2:
        return ""
    names = ", ".join(kind["kind"] for kind in entry["kinds"])
    if entry["kinds_agree"] is None:
        return f"Replacing by {names} agrees in direction; without {FEWEST_CONTROLS} controls no more can be told."
    return f"Replacing by {names} {'agrees' if entry['kinds_agree'] else 'does not agree'}."


def _disturbance(entry: dict[str, Any]) -> str:
    own, controls = entry["side_effects"]["kl"], entry["controls"]
    if controls is None or own <= 2 * controls["kl"]:
        return ""
    return (
        f"They also disturb neutral text more than their controls do (KL {own:.2g} against {controls['kl']:.2g} nats "
        "a token), so part of this may be damage in general."
    )


def _elsewhere(entry: dict[str, Any]) -> str:
    if not entry["also"]:
        return ""
    if entry["controls"] is None:
        return "Without controls nothing can be said of the other tasks either."
    if entry["controls"]["verdict"] == TOO_FEW_TO_TELL:
        return "Of the other tasks too few controls tell nothing either."
    told = {
        word: [row for row in entry["also"] if row["verdict"] == word] for word in (STANDS_OUT, DOES_NOT_STAND_OUT)
    }
    empty = [row["task"] for row in entry["also"] if row["verdict"] == NOTHING_TO_LOSE]
    parts = []
    if told[STANDS_OUT]:
        names = [row["task"] for row in told[STANDS_OUT]]
        parts += [f"The effect is not specific: {', '.join(names)} move{'s' if len(names) == 1 else ''} too."]
    elif told[DOES_NOT_STAND_OUT]:
        parts += ["Of the other tasks none moves more than under the controls."]
    if told[DOES_NOT_STAND_OUT]:
        parts += [f"Changes that would have been seen there with 80 % power: {_seen(told[DOES_NOT_STAND_OUT])}."]
    if empty:
        parts += [f"Nothing to lose: {', '.join(empty)}."]
    return " ".join(parts)


def _seen(rows: Sequence[Mapping[str, Any]]) -> str:
    smallest = [(row["task"], row["controls"]["detectable"]["nats"]) for row in rows]
    return ", ".join(f"{task} {'none' if nats is None else f'{nats:.2f} nats'}" for task, nats in smallest)


def _p(controls: Mapping[str, Any]) -> str:
    return TOO_FEW_TO_TELL if controls["verdict"] == TOO_FEW_TO_TELL else f"p = {_short(controls['p'])}"


def _short(value: float) -> str:
    text = f"{value:.2f}" if value >= 0.01 or value == 0 else f"{value:.1g}"
    return text[1:] if text.startswith("0") else text
