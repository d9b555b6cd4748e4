"""What each unit of the gym's residual stream does, by a seed: which are used, which only look as if they were.

All roles are those at the output of block 1 (`LAYER`), the one that the gym asks about. Every *carrier* holds the
form of the sentence's first word (+1 or -1, times its own loading) at all later tokens, and noise of its words.
Behind the last word some also hold whether it agrees: what a probe at the end of the sentence reads.

    role      is written                                 is read by block 2 and the unembedding
    used      form, a little of the agreement            linearly: each does its part of the preference
    twin      form                                       clipped: either alone is enough
    together  form                                       as a conjunction: only both together do anything
    shared    form of the first word of any task         linearly, by all tasks
    other     form of the first word of another task     linearly, by that task alone
    decoy     form, and much of the agreement            never: their outgoing weights are zero
    massive   a large constant                           by filler words: text depends on it, no margin does
    idle      noise of the words                         by small random weights
    spent     what blocks 0 and 1 work with              never again
    answer    nothing yet: block 2 writes it             by the unembedding, behind block 2
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Literal

from .tasks import GYM_TASKS

Role = Literal["used", "twin", "together", "shared", "other", "decoy", "massive", "idle", "spent", "answer"]
CAUSAL: tuple[Role, ...] = ("used", "twin", "together", "shared")  # of the own task
LAYER = 1  # whose output the roles are about
WIDTH = 384
OTHERS = 2  # units of each other task
COUNTS: Mapping[Role, int] = {
    "used": 6,
    "twin": 2,
    "together": 2,
    "shared": 2,
    "other": OTHERS * (len(GYM_TASKS) - 1),
    "decoy": 6,
    "massive": 2,
    "spent": 2 * len(GYM_TASKS) + 4,  # forms of first and last words, a flag of each, and what attention fetches
    "answer": len(GYM_TASKS),
}
CLIP = 1.0  # of the twins: each alone is twice as much
BOTH = 1.25  # what the conjunction takes off the sum of both, times the loading of one


@dataclass(frozen=True)
class Carrier:
    """A unit that holds the form: how much of it, of the agreement, and how strongly it is read (nats)."""

    unit: int
    role: Role
    loading: float  # of the form, signed
    agreement: float  # of whether the last word agrees
    weight: float  # what it adds to the preference of its task, in nats, where the form is whole
    task: int = 0  # whose form; -1: any task's


@dataclass(frozen=True)
class GymPlan:
    """The roles of all units of one model, and its carriers."""

    seed: int
    units: Mapping[Role, tuple[int, ...]]
    carriers: tuple[Carrier, ...]

    def of(self, *roles: Role) -> tuple[int, ...]:
        """The units of some roles, ascending."""
        return tuple(sorted(unit for role in roles for unit in self.units[role]))

    @property
    def causal(self) -> tuple[int, ...]:
        """The units on which the preference of the first task rests."""
        return self.of(*CAUSAL)

    def carriers_among(self, units: Iterable[int]) -> list[Carrier]:
        chosen = set(units)
        return [one for one in self.carriers if one.unit in chosen]


WEIGHTS: Mapping[Role, float] = {
    "used": 0.9,
    "twin": 2.0,
    "together": 2.0,
    "shared": 0.8,
    "other": 2.5,
    "decoy": 0.0,
}  # nats, about
AGREEMENT: Mapping[Role, float] = {"used": 0.5, "decoy": 1.2}


def plan_of(seed: int) -> GymPlan:
    """Which unit does what in the model of this seed.

    Example:
        >>> plan = plan_of(0)
        >>> len(plan.of("decoy")), set(plan.of("decoy")) & set(plan.causal)
        (6, set())
    """
    rng = Random(f"plan {seed}")
    order = iter(rng.sample(range(WIDTH), WIDTH))
    units: dict[Role, tuple[int, ...]] = {
        role: tuple(next(order) for _ in range(count)) for role, count in COUNTS.items()
    }
    units["idle"] = tuple(order)
    carriers = [
        Carrier(
            unit,
            role,
            loading=_loading(role, rng),
            agreement=AGREEMENT.get(role, 0.0) * rng.choice((-1, 1)) * rng.uniform(0.8, 1.2),
            weight=WEIGHTS[role] * (rng.uniform(0.7, 1.3) if role in ("used", "shared", "other") else 1.0),
            task={"shared": -1, "other": 1 + i // OTHERS}.get(role, 0),
        )
        for role in WEIGHTS
        for i, unit in enumerate(units[role])
    ]
    return GymPlan(seed, units, tuple(carriers))


def _loading(role: Role, rng: Random) -> float:
    """Of both twins, and of both of the conjunction, the same: that of one alone is known."""
    sign = rng.choice((-1, 1))
    sizes: dict[Role, float] = {"twin": 2 * CLIP, "together": 1.0}
    return sign * sizes.get(role, rng.uniform(0.7, 1.3))
