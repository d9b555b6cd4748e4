"""The ways to train a mask that are compared, declared before anything is measured.

States x start of the weights x start of the gates, each by the paper's loss after several declared numbers of steps,
and by the loss with a penalty on the weights, which has a minimum, for many steps at rates that decay. Beside them,
not among them, one start on states that are divided by a single number for each layer: raw states but for their
growth over the layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

from neurosteer.probes import L0Settings

STATES: tuple[Literal["standardised", "raw"], ...] = ("standardised", "raw")
STARTS: tuple[Literal["cold", "warm"], ...] = ("cold", "warm")
LOG_ALPHAS = (0.0, 1.2)  # where gates start: half open, or nearly all open, as in the first edition
PENALTY = "with a penalty"
UNSCALED = 4  # times as many steps until states have settled whose units differ in scale
PAPER = L0Settings(rate_weights=0.01, rate_gates=0.1, decay="none", beta2=0.999, weight_l2=0.0)


@dataclass(frozen=True)
class Variant:
    """One loss on one kind of states, from every start. `steps` are those after which it is looked at, ascending."""

    starts: tuple[L0Settings, ...]  # they differ in `start` and `log_alpha` alone
    penalised: bool
    steps: tuple[int, ...]

    @property
    def name(self) -> str:
        """`raw-paper`, safe in the name of a file."""
        return f"{self.starts[0].states}-{'penalty' if self.penalised else 'paper'}"

    @property
    def trainings(self) -> list[str]:
        """What each of the steps is called: `6000 steps`, or `with a penalty`."""
        return [PENALTY] if self.penalised else [f"{steps} steps" for steps in self.steps]


def variants(base: L0Settings, unpenalised_steps: Sequence[int]) -> list[Variant]:
    """All of them, in a fixed order. `base` is the training with the penalty."""
    steps = tuple(unpenalised_steps)
    plain, found = replace(PAPER, steps=steps[-1]), []
    for states in (*STATES, "scaled"):
        crossed = list(product(STARTS, LOG_ALPHAS)) if states in STATES else [("cold", 0.0)]
        settled = base if states == "standardised" else replace(base, steps=UNSCALED * base.steps)
        for settings, at in ((plain, steps), (settled, (settled.steps,))):
            of_states = replace(settings, states=states)  # type: ignore[arg-type]
            starts = tuple(
                replace(of_states, start=start, log_alpha=log_alpha)  # type: ignore[arg-type]
                for start, log_alpha in crossed
            )
            found.append(Variant(starts, settings is settled, at))
    return found
