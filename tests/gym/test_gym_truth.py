"""What the plan says of sets, by hand."""

from __future__ import annotations

import pytest

from neurosteer.gym import plan_of, truth_of
from neurosteer.vocabulary import QUESTIONS

EXPECTED = {  # encoded, necessary, sufficient, interchangeable, selective, isolated
    "used": "yes yes yes yes yes yes",
    "decoy": "yes no no no no no",
    "massive": "no no no no no no",
    "idle": "no no no no no no",
    "spent": "no no no no no no",
    "other": "no no no no no no",
    "twin": "no yes yes yes yes yes",
    "together": "no yes yes yes yes yes",
    "shared": "no yes yes yes yes no",
}


@pytest.mark.parametrize("role", EXPECTED)
@pytest.mark.parametrize("seed", range(3))
def test_of_each_role(role, seed):
    truth = truth_of(plan_of(seed), plan_of(seed).of(role))
    assert ["yes" if truth.answer(one) else "no" for one in QUESTIONS] == EXPECTED[role].split()


def test_one_twin_is_enough_and_one_of_both_is_not():
    plan = plan_of(0)
    twin, half = (truth_of(plan, plan.of(role)[:1]) for role in ("twin", "together"))
    assert (twin.lost, twin.kept > 0.1) == (0.0, True)
    assert (half.lost > 0.1, half.kept, half.turned) == (True, 0.0, 0.0)


def test_all_causal_units_are_all_of_it():
    plan = plan_of(1)
    whole = truth_of(plan, plan.causal)
    assert (whole.lost, whole.kept) == (pytest.approx(1.0), pytest.approx(1.0))
