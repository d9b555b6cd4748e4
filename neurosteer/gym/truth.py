"""What is true of a set of units, by the plan: what evidence should find.

The preference of a task is a sum over its carriers, in which twins are clipped and the conjunction takes two. Here it
is written down as that sum, for units that are left, taken away or exchanged, without the noise of words and without
the model.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from neurosteer.vocabulary import Question

from .plan import BOTH, CLIP, Carrier, GymPlan
from .tasks import GYM_TASKS

LITTLE = 1e-9  # nats: rounding


@dataclass(frozen=True)
class Truth:
    """Of one set: the shares of the own preference that are lost without it, kept by it, and turned by a swap beyond
    an ablation; the largest share that another task loses; and whether it holds the agreement."""

    lost: float
    kept: float
    turned: float
    elsewhere: float
    readable: bool

    def answer(self, question: Question) -> bool:
        """Whether the question should hold. `selective` holds of a set without which something is lost."""
        return {
            "encoded": self.readable,
            "necessary": self.lost > LITTLE,
            "sufficient": self.kept > LITTLE,
            "interchangeable": self.turned > LITTLE,
            "selective": self.lost > LITTLE,
            "isolated": self.lost > self.elsewhere + LITTLE,
        }[question]


def truth_of(plan: GymPlan, units: Collection[int]) -> Truth:
    """What is true of the units at the layer of the plan.

    Example:
        >>> from neurosteer.gym import plan_of
        >>> truth_of(plan_of(0), plan_of(0).of("decoy")).answer("necessary")
        False
    """
    chosen = set(units)
    whole = preference(plan, 0)
    gone = preference(plan, 0, dict.fromkeys(chosen, 0.0))
    others = {one.unit: 0.0 for one in plan.carriers if one.unit not in chosen}
    turned = preference(plan, 0, dict.fromkeys(chosen, -1.0))
    losses = [
        1 - preference(plan, task, dict.fromkeys(chosen, 0.0)) / preference(plan, task)
        for task in range(1, len(GYM_TASKS))
    ]
    return Truth(
        lost=1 - gone / whole,
        kept=preference(plan, 0, others) / whole,
        turned=(gone - turned) / (2 * whole),
        elsewhere=sum(map(abs, losses)) / len(losses),
        readable=any(one.agreement != 0 for one in plan.carriers_among(chosen)),
    )


def preference(plan: GymPlan, task: int, left: dict[int, float] | None = None) -> float:
    """Of a task, in nats; `left` says how much of the form some units still hold (1: all, 0: none, -1: the other)."""
    left = left or {}
    mine = [one for one in plan.carriers if one.task in (task, -1)]
    linear = sum(one.weight * left.get(one.unit, 1.0) for one in mine if one.role in ("used", "shared", "other"))
    return linear + _twins(mine, left) + _together(mine, left)


def _twins(carriers: Collection[Carrier], left: dict[int, float]) -> float:
    twins = [one for one in carriers if one.role == "twin"]
    total = sum(2 * CLIP * left.get(one.unit, 1.0) for one in twins)
    return twins[0].weight * max(-CLIP, min(CLIP, total)) / CLIP if twins else 0.0


def _together(carriers: Collection[Carrier], left: dict[int, float]) -> float:
    both = [one for one in carriers if one.role == "together"]
    total = sum(left.get(one.unit, 1.0) for one in both)
    beyond = max(0.0, total - BOTH) - max(0.0, -total - BOTH)
    return both[0].weight * beyond / (2 - BOTH) if both else 0.0
