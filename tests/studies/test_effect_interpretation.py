"""What an effect says in words: no more than its numbers show."""

from __future__ import annotations

from math import comb
from typing import Any

import pytest
from made_effects import altered, make_change, make_controls, make_effect, other_task, without_kl

from neurosteer.results.effect import (
    Accuracy,
    Detectable,
    EffectResult,
    KindOfEdit,
    OtherTask,
    TextControls,
    WithoutMassive,
)
from neurosteer.studies.effects.interpretation import interpret_effect

CONTROLS: dict[str, Any] = {
    "n": 19,
    "delta_mean": -0.05,
    "delta_low": -0.2,
    "delta_high": 0.1,
    "p": 0.05,
    "verdict": "stands out",
    "direction": "more",
    "detectable": Detectable(nats=0.25, share=0.125),
    "overlap": 0.16,
    "kl": 0.01,
    "kls": (0.03, *[0.009] * 18),
}
NOTHING = Detectable(nats=None, share=None)
NULL: dict[str, Any] = {"p": 0.1, "verdict": "does not stand out", "direction": None}
FEW: dict[str, Any] = {
    "n": 9,
    "p": 0.1,
    "verdict": "too few to tell",
    "direction": None,
    "detectable": NOTHING,
    "kls": (0.03,) * 9,
}
SPREAD = "matched sets change it by -0.20 to +0.10"
SEEN = "The smallest change that would have been seen with 80 % power is 0.25 nats (12 % of the unedited margin)."
CHANGE = (
    "With these 6 neurons set to zero at layer 14 the mean margin changes by -1.25 nats (95 % interval -1.50 to "
    "-1.00), accuracy goes from .90 to .65."
)
OUT = "These neurons stand out: they lower it more than all of these"
ALONE = f"19 {SPREAD}. {OUT} (p = .05)."


def controls_of(**changes: Any) -> TextControls:
    return altered(make_controls(), **(CONTROLS | changes))


def effect_of(controls: dict[str, Any] | None = None, *, without: bool = False, **changes: Any) -> EffectResult:
    """An ablation that stands out; `controls` are updates, `without` leaves them out."""
    margin = {"margin__delta": -1.25, "margin__low": -1.5, "margin__high": -1.0}
    about: dict[str, Any] = {"edit__k": 6, "accuracy": Accuracy(before=0.9, after=0.65), "side_effects__kl": 0.02}
    found = None if without else controls_of(**(controls or {}))
    about |= {"controls": found, "verdict": found and found.verdict, **margin}
    return altered(make_effect(), **(about | changes))


def light_of(k: int, delta: float, controls: TextControls | None) -> WithoutMassive:
    return WithoutMassive(k=k, **vars(make_change(delta, controls)))


def moved(task: str, verdict: str | None, nats: float | None = 0.5, **about: Any) -> OtherTask:
    """Another task's row; `delta` and `direction` as of one that falls more than under its controls."""
    direction = about.get("direction", "more" if verdict == "stands out" else None)
    found = {"verdict": verdict, "direction": direction, "detectable": Detectable(nats=nats, share=None)}
    controls = without_kl(controls_of(**found)) if verdict else None
    return other_task(task, verdict=verdict, margin__delta=about.get("delta", -0.7), controls=controls)


def kinds(*verdicts: str | None) -> tuple[KindOfEdit, ...]:
    names: tuple[Any, ...] = ("zero", "mean", "resample")
    rows = zip(names, verdicts, strict=False)
    return tuple(
        KindOfEdit(kind=name, **vars(make_change(-1.0, controls_of(verdict=verdict) if verdict else None)))
        for name, verdict in rows
    )


def test_the_plain_case():
    assert interpret_effect(effect_of()) == f"{CHANGE} {ALONE}"


@pytest.mark.parametrize(
    ("edit", "done"),
    [
        ({}, "set to zero at layer 14"),
        ({"kind": "mean"}, "set to their mean at layer 14"),
        ({"kind": "resample"}, "resampled at layer 14"),
        ({"scale": 2.5}, "scaled by 2.5 at layer 14"),
        ({"kind": "mean", "scale": -1.0}, "scaled by -1 about their mean at layer 14"),
        ({"kind": "resample", "scale": 0.5}, "scaled by 0.5 about a donor's activation at layer 14"),
        ({"kind": "clamp"}, "clamped at layer 14"),
        ({"kind": "push", "scale": 1.0}, "pushed at layer 14"),
        ({"layers": (3, 4, 9)}, "set to zero at 3 layers"),
    ],
)
def test_what_was_done(edit: dict[str, Any], done: str):
    assert interpret_effect(effect_of(**{f"edit__{name}": value for name, value in edit.items()})).startswith(
        f"With these 6 neurons {done} the mean margin changes"
    )


def test_too_few_controls_tell_nothing():
    """Neither of the set, nor of other tasks, kinds, or what is left without massive units."""
    text = interpret_effect(
        effect_of(
            FEW,
            also=(moved("a", "too few to tell"),),
            kinds=kinds("too few to tell", "too few to tell"),
            without_massive=light_of(4, -0.125, controls_of(**FEW)),
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
    about: dict[str, Any] = {"without": controls is None, "verdict": "nothing to lose", "nothing_to_lose": True}
    margin = {"margin__before": 0.25, "margin__before_low": -0.125, "margin__before_high": 0.5}
    text = interpret_effect(effect_of(controls, **about, **margin))
    alone = "Without controls this says nothing about these neurons in particular."
    spread = alone if controls is None else f"19 {SPREAD} (p = {'.10' if controls else '.05'})."
    assert "stand out" not in text
    assert text == (
        f"{CHANGE} There is nothing to lose: the unedited mean margin is +0.25 nats (95 % interval -0.12 to +0.50), "
        "no clear preference for the grammatical sentences, so no change shows that these neurons are needed for "
        f"the grammatical ones. {spread}"
    )
    wrong = {"margin__before": -2.78, "margin__before_low": -3.75, "margin__before_high": -1.72}
    text = interpret_effect(effect_of(controls, **about, **wrong))
    assert "a clear preference for the ungrammatical sentences, so no change shows" in text


@pytest.mark.parametrize(
    ("tested", "groups", "counted"),
    [(12, 12, "12 test pairs"), (95, 19, "95 test pairs (19 groups that share an item or a sentence)")],
)
def test_too_few_pairs_to_tell_whether_there_is_anything_to_lose(tested: int, groups: int, counted: str):
    """However far the interval lies above 0: neither need nor its absence is claimed, of no kind of edit either."""
    margin = {"margin__before": 3.25, "margin__before_low": 2.0, "margin__before_high": 4.5}
    about = {"data__tested": tested, "groups": groups, "nothing_to_lose": None, "verdict": "too few to tell"}
    text = interpret_effect(effect_of(kinds=kinds("stands out", "stands out"), kinds_agree=None, **margin, **about))
    assert text == (
        f"{CHANGE} {counted} are too few to tell whether there is anything to lose, 20 are wanted: the unedited mean "
        f"margin is +3.25 nats (95 % interval +2.00 to +4.50). 19 {SPREAD} (p = .05)."
    )


def test_a_rise():
    text = interpret_effect(effect_of(margin__delta=0.5, margin__low=0.25, margin__high=0.75))
    assert "the mean margin changes by +0.50 nats (95 % interval +0.25 to +0.75)" in text


@pytest.mark.parametrize(
    ("controls", "said"),
    [
        ({"p": 0.05}, f"19 {SPREAD}. {OUT} (p = .05)."),
        (
            NULL,
            f"19 {SPREAD}: no more than sets that should not matter (p = .10). {SEEN}",
        ),
        (
            NULL | {"p": 1.0, "detectable": Detectable(nats=0.375, share=None)},
            "19 matched sets change it by -0.20 to +0.10: no more than sets that should not matter (p = 1.00). The "
            "smallest change that would have been seen with 80 % power is 0.38 nats.",
        ),
        (
            NULL | {"detectable": NOTHING},
            f"19 {SPREAD}: no more than sets that should not matter (p = .10). With these controls no change is "
            "large enough to be seen with 80 % power: they hold 16 % of these neurons themselves.",
        ),
        ({"n": 99, "p": 0.01, "kls": (0.03,) * 99}, f"99 {SPREAD}. {OUT} (p = .01)."),
        ({"n": 999, "p": 0.001, "kls": (0.03,) * 999}, f"999 {SPREAD}. {OUT} (p = .001)."),
        (FEW, "9 matched sets change it by -0.20 to +0.10: too few to tell, a verdict takes 19."),
        (None, "Without controls this says nothing about these neurons in particular."),
    ],
)
def test_against_controls(controls: dict[str, Any] | None, said: str):
    assert interpret_effect(effect_of(controls, without=controls is None)) == f"{CHANGE} {said}"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            {"without_massive": light_of(4, -0.125, controls_of(**NULL | {"p": 0.35}))},
            f"Without the massive units among them (4 left) the change is -0.12 (p = .35). {SEEN}",
        ),
        (
            {"without_massive": light_of(4, -0.5, None)},
            "Without the massive units among them (4 left) the change is -0.50.",
        ),
        (
            {"kinds": kinds("stands out", "stands out"), "kinds_agree": True},
            "Replacing by zero, mean agrees.",
        ),
        (
            {"kinds": kinds("stands out", "stands out"), "kinds_agree": False},
            "Replacing by zero, mean does not agree in direction.",
        ),
        (
            {"kinds": kinds("stands out", "does not stand out", "does not stand out"), "kinds_agree": False},
            "Replacing by zero, mean, resample does not agree: they stand out under zero, not under mean, resample.",
        ),
        (
            {"kinds": kinds("does not stand out", "does not stand out"), "kinds_agree": None},
            "Under none of zero, mean do they stand out.",
        ),
        (
            {"kinds": kinds("too few to tell", "too few to tell"), "kinds_agree": False},
            "Replacing by zero, mean does not agree in direction.",
        ),
        (
            {
                "also": (
                    moved("a", "does not stand out"),
                    moved("b", "does not stand out", None),
                )
            },
            "Of 2 other tasks none moves more than under the controls. Changes that would have been seen there "
            "with 80 % power: a 0.50 nats, b none.",
        ),
        (
            {
                "also": (
                    moved("a", "stands out"),
                    moved("b", "does not stand out"),
                )
            },
            "Of 2 other tasks 1 moves more than under the controls (a down); as many do in 10 % of cases by chance. "
            "Changes that would have been seen there with 80 % power: b 0.50 nats.",
        ),
        (
            {
                "also": (
                    moved("a", "stands out"),
                    moved("b", "stands out", delta=0.7),
                )
            },
            "The effect is not specific: of 2 other tasks 2 move more than under the controls (a down, b up).",
        ),
        (
            {"also": (moved("a", "stands out"),)},
            "The effect is not specific: of 1 other task 1 moves more than under the controls (a down).",
        ),
        (
            {"also": (moved("a", "stands out", direction="less", delta=0.0),)},
            "Of 1 other task none moves more than under the controls. Less than under the controls: a.",
        ),
        (
            {
                "also": (
                    moved("a", "too few to tell"),
                    moved("b", "nothing to lose"),
                )
            },
            "Nothing to lose: b. Too few test pairs to tell whether there is anything to lose: a.",
        ),
        (
            {
                "also": (
                    moved("a", "nothing to lose"),
                    moved("b", "nothing to lose"),
                )
            },
            "Nothing to lose: a, b.",
        ),
        (
            {"side_effects__kl": 0.0301},
            "They also disturb neutral text more than all their 19 controls do (KL 0.03 against 0.01 nats a token on "
            "average), so part of this may be damage in general.",
        ),
    ],
)
def test_what_qualifies_it(more: dict[str, Any], said: str):
    assert interpret_effect(effect_of(**more)) == f"{CHANGE} {ALONE} {said}"


HURT, HELP = (f", but as those where the edit {what} least:" for what in ("hurts", "helps"))


@pytest.mark.parametrize(
    ("delta", "mean", "low", "high", "direction", "how"),
    [
        (-3.0, -0.6, -1.2, -0.1, "more", ": they lower it more than all of these"),
        (-1.0, -0.6, -1.2, -0.1, "more", ": they lower it more than most of these"),
        (+0.9, -0.1, -0.3, 0.2, "more", ": they raise it more than all of these"),
        (-0.02, -0.6, -0.9, -0.4, "less", f"{HURT} they lower it less than all of these"),
        (-0.3, -0.6, -0.9, -0.2, "less", f"{HURT} they lower it less than most of these"),
        (0.0, -0.6, -0.9, -0.4, "less", f"{HURT} they do not lower it"),
        (0.3, -0.6, -0.9, -0.4, "less", f"{HURT} they do not lower it"),
        (0.1, 0.6, 0.4, 0.9, "less", f"{HELP} they raise it less than all of these"),
        (-0.1, 0.6, 0.4, 0.9, "less", f"{HELP} they do not raise it"),
    ],
)
def test_in_what_way_they_stand_out(delta: float, mean: float, low: float, high: float, direction: str, how: str):
    found = {"delta_mean": mean, "delta_low": low, "delta_high": high, "direction": direction}
    text = interpret_effect(effect_of(found, margin__delta=delta))
    assert f". These neurons stand out{how} (p = .05)." in text


def test_without_massive_units_the_direction_is_said_too():
    text = interpret_effect(effect_of(without_massive=light_of(4, -0.01, controls_of(direction="less"))))
    assert text.endswith("(4 left) the change is -0.01 (p = .05, less than under the controls).")


@pytest.mark.parametrize(
    ("tests", "moving", "specific"),
    [(1, 1, False), (2, 1, True), (3, 2, False), (10, 1, True), (10, 2, True), (10, 3, False), (20, 3, True)],
)
def test_so_many_tests_move_some_by_chance(tests: int, moving: int, specific: bool):
    """Not specific only where chance moves as many in 1 of 20 cases at most, by the binomial's sum."""
    rows = [moved(f"t{i}", "stands out" if i < moving else "does not stand out") for i in range(tests)]
    chance = sum(comb(tests, m) * 0.05**m * 0.95 ** (tests - m) for m in range(moving, tests + 1))
    assert (chance > 0.05 + 1e-9) is specific
    text = interpret_effect(effect_of(also=tuple(rows)))
    assert ("The effect is not specific" in text) is not specific
    assert (f"in {100 * chance:.0f} % of cases by chance" in text) is specific
    assert f"f {tests} other task" in text
    assert all(f"t{i} down" in text for i in range(moving))


def test_nothing_is_unspecific_where_there_is_no_effect():
    """Two other tasks that move, while the own does not stand out, or does as the one that moves least."""
    rows = [moved("a", "stands out"), moved("b", "stands out")]
    for controls in (NULL, {"direction": "less"}):
        text = interpret_effect(effect_of(controls, also=tuple(rows)))
        assert text.endswith("Of 2 other tasks 2 move more than under the controls (a down, b down).")


@pytest.mark.parametrize(
    ("n", "as_much", "said"),
    [
        (19, 1, None),
        (19, 0, "more than all their 19 controls do"),
        (99, 5, None),
        (99, 4, "more than 95 of their 99 controls do"),
        (20, 1, None),
        (5, 0, "more than all their 5 controls do"),
    ],
)
def test_the_disturbance_is_ranked_among_the_controls(n: int, as_much: int, said: str | None):
    """Whatever the mean: the one that disturbs most here is far above it."""
    kls = (5.0,) * as_much + (0.019,) * (n - as_much)
    text = interpret_effect(effect_of({"n": n, "kl": 0.019, "kls": kls}, side_effects__kl=0.02))
    assert ("disturb neutral text" in text) is (said is not None)
    assert said is None or said in text


def test_other_tasks_without_controls_say_nothing():
    """Nothing to move more than: no claim that the effect is specific."""
    text = interpret_effect(effect_of(without=True, also=(moved("a", None),)))
    assert "none moves more than under the controls" not in text


def test_one_neuron_is_spoken_of_as_one():
    """In every sentence; a pair and a control are one, too."""
    one: dict[str, Any] = {"edit__k": 1, "edit__kind": "mean"}
    text = interpret_effect(effect_of(**one, side_effects__kl=0.0301))
    assert text == (
        "With this neuron set to its mean at layer 14 the mean margin changes by -1.25 nats (95 % interval -1.50 to "
        f"-1.00), accuracy goes from .90 to .65. 19 {SPREAD}. This neuron stands out: it lowers it more than all of "
        "these (p = .05). It also disturbs neutral text more than all its 19 controls do (KL 0.03 against 0.01 nats "
        "a token on average), so part of this may be damage in general."
    )
    null = effect_of(NULL | {"detectable": NOTHING}, kinds=kinds("does not stand out", "does not stand out"), **one)
    text = interpret_effect(null)
    assert "seen with 80 % power: 16 % of them are this neuron. Under none of zero, mean does it stand out." in text
    less = interpret_effect(effect_of({"direction": "less"}, margin__delta=0.3, **one))
    assert "This neuron stands out, but as those where the edit hurts least: it does not lower it (p" in less
    lost = interpret_effect(effect_of(nothing_to_lose=True, **one))
    assert "so no change shows that this neuron is needed for the grammatical ones." in lost
    single = effect_of(FEW | {"n": 1}, groups=1, data__tested=1, nothing_to_lose=None, edit__scale=2.0, **one)
    text = interpret_effect(single)
    assert "With this neuron scaled by 2 about its mean at layer 14" in text
    assert "1 test pair is too few to tell whether there is anything to lose" in text
    assert "1 matched set changes it by -0.20 to +0.10 (too few to tell)." in text
