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
    """One way to start, and one loss. `steps` are those after which it is looked at, ascending."""

    settings: L0Settings
    penalised: bool
    steps: tuple[int, ...]

    @property
    def name(self) -> str:
        """`raw-cold-0-paper`, safe in the name of a file."""
        settings, loss = self.settings, "penalty" if self.penalised else "paper"
        return f"{settings.states}-{settings.start}-{settings.log_alpha:g}-{loss}"

    @property
    def trainings(self) -> list[str]:
        """What each of the steps is called: `6000 steps`, or `with a penalty`."""
        return [PENALTY] if self.penalised else [f"{steps} steps" for steps in self.steps]


def variants(base: L0Settings, unpenalised_steps: Sequence[int]) -> list[Variant]:
    """All of them, in a fixed order. `base` is the training with the penalty."""
    steps, found = tuple(unpenalised_steps), []
    starts = [*product(STATES, STARTS, LOG_ALPHAS), ("scaled", "cold", 0.0)]
    for states, start, log_alpha in starts:
        plain, penalised = (
            replace(settings, states=states, start=start, log_alpha=log_alpha)  # type: ignore[arg-type]
            for settings in (PAPER, base)
        )
        penalised = penalised if states == "standardised" else replace(penalised, steps=UNSCALED * base.steps)
        found += [
            Variant(replace(plain, steps=steps[-1]), False, steps),
            Variant(penalised, True, (penalised.steps,)),
        ]
    return found
