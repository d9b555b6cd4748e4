"""The sets of units that questions are asked about, of each of which the plan knows the answers."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from neurosteer.gym import COUNTS, GymPlan

HAND = "hand"
ABOUT: Mapping[str, str] = {
    "used": "the units that each do a part",
    "decoys": "readable, and nothing reads them",
    "twin": "one of two of which either is enough",
    "twins": "both",
    "together": "two that only act together",
    "half": "one of them",
    "shared": "what all tasks use",
    "massive": "large, and no margin rests on them",
    "idle": "units of no meaning, drawn by lot",
}


def sets_of(plan: GymPlan) -> dict[str, tuple[int, ...]]:
    """The sets by hand, by name."""
    twins, both = plan.units["twin"], plan.units["together"]
    return {
        "used": plan.of("used"),
        "decoys": plan.of("decoy"),
        "twin": twins[:1],
        "twins": twins,
        "together": both,
        "half": both[:1],
        "shared": plan.of("shared"),
        "massive": plan.of("massive"),
        "idle": tuple(Random(f"idle {plan.seed}").sample(plan.of("idle"), COUNTS["used"])),
    }
