"""What an effect says, in sentences that do not claim more than it shows."""

from __future__ import annotations

from typing import Any

from .numbers import LEVEL, stands_out


def effect_reading(entry: dict[str, Any]) -> str:
    """The change, whether matched controls do the same, whether massive units carry it, and what else it disturbs."""
    parts = (_change(entry), _against(entry), _massive(entry), _kinds(entry), _disturbance(entry), _elsewhere(entry))
    return " ".join(filter(None, parts))


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
    if found is None:
        return "Without controls this says nothing about these neurons in particular."
    spread = f"{found['n']} matched sets change it by {found['delta_low']:+.2f} to {found['delta_high']:+.2f}"
    if not stands_out(found):
        return f"{spread}: no more than sets that should not matter (p = {_short(found['p'])})."
    few = ", as far as so few can tell" if found["p"] > LEVEL else ""
    return f"{spread}: these neurons stand out{few} (p = {_short(found['p'])})."


def _massive(entry: dict[str, Any]) -> str:
    light = entry["without_massive"]
    if light is None:
        return ""
    left = f"Without the massive units among them ({light['k']} left) the change is {light['delta']:+.2f}"
    return left + (f" (p = {_short(light['controls']['p'])})." if light["controls"] else ".")


def _kinds(entry: dict[str, Any]) -> str:
    if entry["kinds_agree"] is None:
        return ""
    names = ", ".join(kind["kind"] for kind in entry["kinds"])
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
    hit = [row["task"] for row in entry["also"] if stands_out(row["controls"])]
    if not hit:
        return "Of the other tasks none moves more than under the controls."
    return f"The effect is not specific: {', '.join(hit)} move{'s' if len(hit) == 1 else ''} too."


def _short(value: float) -> str:
    text = f"{value:.2f}" if value >= 0.01 or value == 0 else f"{value:.1g}"
    return text[1:] if text.startswith("0") else text
