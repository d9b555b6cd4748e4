"""Results made by hand: what the report is given, without any model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from made_found import make_compared, make_found

from neurosteer.results import FindResult


@pytest.fixture
def found_of() -> Callable[..., FindResult]:
    return make_found


def make_controls(mean: float = -0.2, spread: float = 0.65, n: int = 19, p: float = 0.05) -> dict[str, Any]:
    """What the control sets of one edit do: their changes lie evenly about the mean, in nats."""
    deltas = [round(mean + spread * (2 * place / (n - 1) - 1), 4) for place in range(n)]
    return {
        "n": n,
        "accuracy": 0.78,
        "delta_mean": mean,
        "delta_low": deltas[0],
        "delta_high": deltas[-1],
        "p": p,
        "verdict": "too few to tell" if n < 19 else "stands out" if p <= 0.05 else "does not stand out",
        "direction": "more" if n >= 19 and p <= 0.05 else None,
        "detectable": {"nats": 0.94, "share": 0.26} if n >= 19 else {"nats": None, "share": None},
        "unmatched": 0.07,
        "overlap": 0.09,
        "deltas": deltas[1::2] + deltas[::2],
        "kl": 0.031,
        "kls": [0.031] * n,
    }


def make_row(delta: float, controls: dict[str, Any] | None, *, kl: float = 0.12) -> dict[str, Any]:
    """What doses, kinds and the edit without massive units have in common."""
    about = {"accuracy": round(0.8 + 0.09 * delta, 4), "delta": delta, "low": delta - 0.24, "high": delta + 0.25}
    return {**about, "kl": kl, "controls": controls}


def make_doses(*scales: float, controls: bool = True) -> list[dict[str, Any]]:
    """One row per scale; the change grows with the distance from 1, where nothing is edited."""
    rows = []
    for scale in scales:
        far = scale - 1
        others = make_controls(0.2 * far, 0.5 * abs(far), p=0.05 if abs(far) > 0.6 else 0.25)
        still = {"accuracy": 0.8, "delta": 0.0, "low": 0.0, "high": 0.0, "kl": 0.0, "controls": others}
        row = make_row(round(min(0.9 * far, 1.5), 3), others, kl=round(0.1 * far**2, 4)) if far else still
        rows.append({"scale": scale, **row, "controls": others if controls else None})
    return rows


def make_effect(method: str = "welch", *, controls: bool = True, **changes: Any) -> dict[str, Any]:
    """An entry of `ablate`: one dose and one kind, no massive units, no other tasks, unless `changes` say so."""
    split = {"kind": "pair", "seed": 0, "train": 600, "validation": 200, "test": 200, "dropped": 0}
    entry = {
        "task": "intransitive",
        "phenomenon": "argument_structure",
        "method": method,
        "data": {"source": "./blimp", "pairs": 1000, "digest": "d1", "split": split, "tested": 200},
        "edit": {
            "kind": "zero",
            "scale": 0.0,
            "where": "all",
            "reach": "own",
            "site": "resid_post",
            "layers": [14],
            "k": 40,
        },
        "neurons": [{"layer": 14, "unit": 3, "score": 4.2, "massive": False}],
        "neurons_from": "runs/find-intransitive-smollm2-135m-e6b85c03",
        "groups": 200,
        "accuracy": {"before": 0.8, "after": 0.72},
        "margin": {
            "before": 3.62,
            "before_low": 3.1,
            "before_high": 4.14,
            "after": 2.76,
            "delta": -0.86,
            "low": -1.1,
            "high": -0.61,
            "p": 0.0001,
        },
        "flipped": {"lost": 20, "gained": 4},
        "nothing_to_lose": False,
        "verdict": "stands out" if controls else None,
        "controls": make_controls() if controls else None,
        "without_massive": None,
        "side_effects": {
            "kl": 0.124,
            "perplexity_before": 21.3,
            "perplexity_after": 24.06,
            "tokens": 512,
            "text": "built-in",
        },
        "doses": [],
        "kinds": [],
        "kinds_agree": None,
        "also": [],
        "notices": [],
        "reading": "Without these 40 neurons the mean margin falls by .86 nats.",
    }
    return {**entry, **changes}


MEASURED = ("groups", "accuracy", "margin", "controls", "nothing_to_lose", "verdict")  # of other tasks too


def make_full_effect() -> dict[str, Any]:
    """An effect with every part that an entry can have."""
    kinds = [
        {"kind": "zero", **make_row(-0.86, make_controls())},
        {"kind": "mean", **make_row(-0.41, make_controls(-0.1, 0.3), kl=0.08)},
        {"kind": "resample", **make_row(0.12, make_controls(-0.3, 0.55, p=0.35), kl=0.21)},
    ]
    other = make_effect(controls=True)
    also = [
        {"task": task, "pairs": 200, **{key: other[key] for key in MEASURED}}
        for task in ("transitive", "coordinate_structure_constraint_complex_left_branch")
    ]
    return make_effect(
        without_massive={"k": 38, **make_row(-0.5, make_controls(-0.15, 0.4, p=0.1), kl=0.05)},
        doses=make_doses(0.0, 0.5, 2.0, 4.0),
        kinds=kinds,
        kinds_agree=False,
        also=also,
    )


def make_three() -> list[dict[str, Any]]:
    """The same task by three methods: one that the controls equal, one beyond them, one far beyond them."""
    welch = make_effect("welch", controls=True)
    welch["margin"] = {"before": 3.62, "after": 3.54, "delta": -0.08, "low": -0.21, "high": 0.05, "p": 0.23}
    welch["controls"] = make_controls(-0.11, 0.32, p=0.85)
    l0 = make_effect("l0")
    l0["margin"] = {**l0["margin"], "after": 3.11, "delta": -0.51, "low": -0.78, "high": -0.26}
    l0["controls"] = make_controls(-0.16, 0.4, p=0.1)
    used = make_effect("attribution")
    used["margin"] = {**used["margin"], "after": 0.4, "delta": -3.22, "low": -3.61, "high": -2.85}
    used["controls"] = make_controls(-0.25, 0.58)
    used["side_effects"] = {**used["side_effects"], "kl": 0.61}
    used["edit"] = {**used["edit"], "layers": [17]}
    return [welch, l0, used]


@pytest.fixture
def effect_of() -> Callable[..., dict[str, Any]]:
    return make_effect


@pytest.fixture
def full_effect() -> dict[str, Any]:
    return make_full_effect()


@pytest.fixture
def three_methods() -> list[dict[str, Any]]:
    return make_three()


@pytest.fixture
def compared_of() -> Callable[..., FindResult]:
    return make_compared


@pytest.fixture
def doses_of() -> Callable[..., list[dict[str, Any]]]:
    return make_doses
