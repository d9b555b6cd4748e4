"""What an effect says in words: no more than its numbers show."""

from __future__ import annotations

from typing import Any

import pytest

from neurosteer.studies.effects.reading import effect_reading

CONTROLS = {
    "n": 19,
    "delta_low": -0.2,
    "delta_high": 0.1,
    "p": 0.05,
    "verdict": "stands out",
    "detectable": {"nats": 0.25, "share": 0.125},
    "overlap": 0.16,
    "kl": 0.01,
}
NULL = {"p": 0.1, "verdict": "does not stand out"}
FEW = {"n": 9, "p": 0.1, "verdict": "too few to tell", "detectable": {"nats": None, "share": None}}
SPREAD = "matched sets change it by -0.20 to +0.10"
SEEN = "The smallest change that would have been seen with 80 % power is 0.25 nats (12 % of the unedited margin)."
CHANGE = (
    "With these 6 neurons set to zero at layer 14 the mean margin changes by -1.25 nats (95 % interval -1.50 to "
    "-1.00), accuracy goes from .90 to .65."
)
ALONE = "19 matched sets change it by -0.20 to +0.10: these neurons stand out (p = .05)."


def entry(**changes: Any) -> dict[str, Any]:
    """An ablation that stands out; `edit`, `margin` and `controls` are updates."""
    edit = {"kind": "zero", "scale": 0.0, "k": 6, "layers": [14]} | changes.pop("edit", {})
    controls = changes.pop("controls", {})
    controls = None if controls is None else CONTROLS | controls
    return {
        "edit": edit,
        "margin": {"delta": -1.25, "low": -1.5, "high": -1.0} | changes.pop("margin", {}),
        "accuracy": {"before": 0.9, "after": 0.65},
        "controls": controls,
        "verdict": controls and controls["verdict"],
        "nothing_to_lose": False,
        "without_massive": None,
        "kinds": [],
        "kinds_agree": None,
        "side_effects": {"kl": 0.02},
        "also": [],
        **changes,
    }


def moved(task: str, verdict: str | None, nats: float | None = 0.5) -> dict[str, Any]:
    controls = verdict and {"n": 19, "verdict": verdict, "detectable": {"nats": nats, "share": None}}
    return {"task": task, "verdict": verdict, "controls": controls}


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


def test_too_few_controls_tell_nothing():
    """Neither of the set, nor of other tasks, kinds, or what is left without massive units."""
    text = effect_reading(
        entry(
            controls=FEW,
            also=[moved("a", "too few to tell")],
            kinds=[{"kind": "zero"}, {"kind": "mean"}],
            without_massive={"k": 4, "delta": -0.125, "controls": CONTROLS | FEW},
        )
    )
    assert text == (
        f"{CHANGE} 9 {SPREAD}: too few to tell, a verdict takes 19. Without the massive units among them (4 left) "
        "the change is -0.12 (too few to tell). Replacing by zero, mean agrees in direction; without 19 controls no "
        "more can be told. Of the other tasks too few controls tell nothing either."
    )


@pytest.mark.parametrize("controls", [{}, NULL, None])
def test_nothing_to_lose(controls: dict[str, Any] | None):
    """No claim that the neurons are needed, or that they are not."""
    margin = {"before": 0.25, "before_low": -0.125, "before_high": 0.5}
    text = effect_reading(entry(controls=controls, margin=margin, verdict="nothing to lose", nothing_to_lose=True))
    alone = "Without controls this says nothing about these neurons in particular."
    spread = alone if controls is None else f"19 {SPREAD} (p = {'.10' if controls else '.05'})."
    assert text == (
        f"{CHANGE} There is nothing to lose: the unedited mean margin is +0.25 nats (95 % interval -0.12 to +0.50), "
        "no clear preference for the grammatical sentences, so no change shows that these neurons are needed for "
        f"it. {spread}"
    )


def test_a_rise():
    text = effect_reading(entry(margin={"delta": 0.5, "low": 0.25, "high": 0.75}))
    assert "the mean margin changes by +0.50 nats (95 % interval +0.25 to +0.75)" in text


@pytest.mark.parametrize(
    ("controls", "said"),
    [
        ({"p": 0.05}, "19 matched sets change it by -0.20 to +0.10: these neurons stand out (p = .05)."),
        (
            NULL,
            f"19 {SPREAD}: no more than sets that should not matter (p = .10). {SEEN}",
        ),
        (
            NULL | {"p": 1.0, "detectable": {"nats": 0.375, "share": None}},
            "19 matched sets change it by -0.20 to +0.10: no more than sets that should not matter (p = 1.00). The "
            "smallest change that would have been seen with 80 % power is 0.38 nats.",
        ),
        (
            NULL | {"detectable": {"nats": None, "share": None}},
            f"19 {SPREAD}: no more than sets that should not matter (p = .10). With these controls no change is "
            "large enough to be seen with 80 % power: they hold 16 % of these neurons themselves.",
        ),
        ({"n": 99, "p": 0.01}, "99 matched sets change it by -0.20 to +0.10: these neurons stand out (p = .01)."),
        ({"n": 999, "p": 0.001}, "999 matched sets change it by -0.20 to +0.10: these neurons stand out (p = .001)."),
        (FEW, "9 matched sets change it by -0.20 to +0.10: too few to tell, a verdict takes 19."),
        (None, "Without controls this says nothing about these neurons in particular."),
    ],
)
def test_against_controls(controls: dict[str, Any] | None, said: str):
    assert effect_reading(entry(controls=controls)) == f"{CHANGE} {said}"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            {"without_massive": {"k": 4, "delta": -0.125, "controls": CONTROLS | NULL | {"p": 0.35}}},
            f"Without the massive units among them (4 left) the change is -0.12 (p = .35). {SEEN}",
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
            {"also": [moved("a", "does not stand out"), moved("b", "does not stand out", None)]},
            "Of the other tasks none moves more than under the controls. Changes that would have been seen there "
            "with 80 % power: a 0.50 nats, b none.",
        ),
        (
            {"also": [moved("a", "stands out"), moved("b", "does not stand out")]},
            "The effect is not specific: a moves too. Changes that would have been seen there with 80 % power: b "
            "0.50 nats.",
        ),
        (
            {"also": [moved("a", "stands out"), moved("b", "stands out")]},
            "The effect is not specific: a, b move too.",
        ),
        ({"also": [moved("a", "nothing to lose"), moved("b", "nothing to lose")]}, "Nothing to lose: a, b."),
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
