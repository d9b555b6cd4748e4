"""What an effect says in words: no more than its numbers show."""

from __future__ import annotations

from typing import Any

import pytest

from neurosteer.studies.effects.reading import effect_reading

CONTROLS = {"n": 19, "delta_low": -0.2, "delta_high": 0.1, "p": 0.05, "kl": 0.01}
CHANGE = (
    "With these 6 neurons set to zero at layer 14 the mean margin changes by -1.25 nats (95 % interval -1.50 to "
    "-1.00), accuracy goes from .90 to .65."
)
ALONE = "19 matched sets change it by -0.20 to +0.10: these neurons stand out (p = .05)."


def entry(**changes: Any) -> dict[str, Any]:
    """An ablation that stands out; `edit`, `margin` and `controls` are updates."""
    edit = {"kind": "zero", "scale": 0.0, "k": 6, "layers": [14]} | changes.pop("edit", {})
    controls = changes.pop("controls", {})
    return {
        "edit": edit,
        "margin": {"delta": -1.25, "low": -1.5, "high": -1.0} | changes.pop("margin", {}),
        "accuracy": {"before": 0.9, "after": 0.65},
        "controls": None if controls is None else CONTROLS | controls,
        "without_massive": None,
        "kinds": [],
        "kinds_agree": None,
        "side_effects": {"kl": 0.02},
        "also": [],
        **changes,
    }


def moved(task: str, p: float | None) -> dict[str, Any]:
    return {"task": task, "controls": None if p is None else {"n": 19, "p": p}}


def test_the_plain_case():
    assert effect_reading(entry()) == f"{CHANGE} {ALONE}"


@pytest.mark.parametrize(
    ("edit", "done"),
    [
        ({}, "set to zero at layer 14"),
        ({"kind": "mean"}, "set to their mean at layer 14"),
        ({"kind": "resample"}, "resampled at layer 14"),
        ({"scale": 2.5}, "scaled by 2.5 at layer 14"),
        ({"kind": "mean", "scale": -1.0}, "scaled by -1 about their mean at layer 14"),
        ({"kind": "resample", "scale": 0.5}, "scaled by 0.5 about a donor at layer 14"),
        ({"kind": "clamp"}, "clamped at layer 14"),
        ({"kind": "push", "scale": 1.0}, "pushed at layer 14"),
        ({"layers": [3, 4, 9]}, "set to zero at 3 layers"),
    ],
)
def test_what_was_done(edit: dict[str, Any], done: str):
    assert effect_reading(entry(edit=edit)).startswith(f"With these 6 neurons {done} the mean margin changes")


def test_too_few_controls_may_still_speak():
    """Ten controls can give no p below .09: another task that moves as much as they can show is named."""
    text = effect_reading(
        entry(controls={"n": 10, "p": 1 / 11}, also=[{"task": "a", "controls": {"n": 10, "p": 1 / 11}}])
    )
    assert "a moves too" in text
    assert "none moves more" not in text


def test_a_rise():
    text = effect_reading(entry(margin={"delta": 0.5, "low": 0.25, "high": 0.75}))
    assert "the mean margin changes by +0.50 nats (95 % interval +0.25 to +0.75)" in text


@pytest.mark.parametrize(
    ("controls", "said"),
    [
        ({"p": 0.05}, "19 matched sets change it by -0.20 to +0.10: these neurons stand out (p = .05)."),
        (
            {"p": 0.1},
            "19 matched sets change it by -0.20 to +0.10: no more than sets that should not matter (p = .10).",
        ),
        (
            {"p": 1.0},
            "19 matched sets change it by -0.20 to +0.10: no more than sets that should not matter (p = 1.00).",
        ),
        ({"n": 99, "p": 0.01}, "99 matched sets change it by -0.20 to +0.10: these neurons stand out (p = .01)."),
        ({"n": 999, "p": 0.001}, "999 matched sets change it by -0.20 to +0.10: these neurons stand out (p = .001)."),
        (
            {"n": 9, "p": 0.1},
            "9 matched sets change it by -0.20 to +0.10: these neurons stand out, as far as so few can tell "
            "(p = .10).",
        ),
        (
            {"n": 9, "p": 0.2},
            "9 matched sets change it by -0.20 to +0.10: no more than sets that should not matter (p = .20).",
        ),
        (None, "Without controls this says nothing about these neurons in particular."),
    ],
)
def test_against_controls(controls: dict[str, Any] | None, said: str):
    assert effect_reading(entry(controls=controls)) == f"{CHANGE} {said}"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            {"without_massive": {"k": 4, "delta": -0.125, "controls": {"p": 0.35}}},
            "Without the massive units among them (4 left) the change is -0.12 (p = .35).",
        ),
        (
            {"without_massive": {"k": 4, "delta": -0.5, "controls": None}},
            "Without the massive units among them (4 left) the change is -0.50.",
        ),
        ({"kinds": [{"kind": "zero"}, {"kind": "mean"}], "kinds_agree": True}, "Replacing by zero, mean agrees."),
        (
            {"kinds": [{"kind": "zero"}, {"kind": "resample"}], "kinds_agree": False},
            "Replacing by zero, resample does not agree.",
        ),
        (
            {"also": [moved("a", 0.1), moved("b", 1.0)]},
            "Of the other tasks none moves more than under the controls.",
        ),
        ({"also": [moved("a", 0.05), moved("b", 0.5)]}, "The effect is not specific: a moves too."),
        ({"also": [moved("a", 0.05), moved("b", 0.01)]}, "The effect is not specific: a, b move too."),
        (
            {"side_effects": {"kl": 0.0201}},
            "They also disturb neutral text more than their controls do (KL 0.02 against 0.01 nats a token), so part "
            "of this may be damage in general.",
        ),
    ],
)
def test_what_qualifies_it(more: dict[str, Any], said: str):
    assert effect_reading(entry(**more)) == f"{CHANGE} {ALONE} {said}"


def test_other_tasks_without_controls_say_nothing():
    """Nothing to move more than: no claim that the effect is specific."""
    text = effect_reading(entry(controls=None, also=[moved("a", None)]))
    assert "none moves more than under the controls" not in text
