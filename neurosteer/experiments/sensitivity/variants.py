"""The trainings of masks that are compared, declared before anything is measured.

States x start of the weights x start of the gates, each by the paper's loss after several declared numbers of steps,
and by the loss with a penalty on the weights, which has a minimum, for many steps at rates that decay. Beside them,
not among them, one start on states that are divided by the median of a layer's standard deviations: raw states but
for their growth over the layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

from neurosteer.probes import L0Settings
from neurosteer.vocabulary import L0Start, L0States

from .result import Configuration

STATES: tuple[L0States, ...] = ("standardised", "raw")
SCALED: L0States = "scaled"
STARTS: tuple[L0Start, ...] = ("cold", "warm")
LOG_ALPHAS = (0.0, 1.2)  # where gates start: half open, or nearly all open, as in the first edition
PENALTY = "with a penalty"
UNSCALED = 4  # times as many steps until states have settled whose units differ in scale
PAPER = L0Settings(rate_weights=0.01, rate_gates=0.1, decay="none", beta2=0.999, weight_l2=0.0)


@dataclass(frozen=True)
class TrainingVariant:
    """One loss on one kind of states, trained from every start at once."""

    settings: tuple[L0Settings, ...]  # one for each start: they differ in `start` and `log_alpha` alone
    penalised: bool
    steps: tuple[int, ...]  # after which masks are looked at, ascending

    @property
    def name(self) -> str:
        """`raw-paper`, safe in the name of a file."""
        return f"{self.settings[0].states}-{'penalty' if self.penalised else 'paper'}"

    @property
    def trainings(self) -> list[str]:
        """What the training up to each of the steps is called: `6000 steps`, or `with a penalty`."""
        return [PENALTY] if self.penalised else [f"{steps} steps" for steps in self.steps]

    def configurations(self) -> list[list[Configuration]]:
        """`[start][step]`."""
        return [
            [Configuration(one.states, one.start, one.log_alpha, training) for training in self.trainings]
            for one in self.settings
        ]


def variants(base: L0Settings, unpenalised_steps: Sequence[int]) -> list[TrainingVariant]:
    """All of them, in a fixed order. `base` is the training with the penalty."""
    steps = tuple(unpenalised_steps)
    unpenalised, found = replace(PAPER, steps=steps[-1]), []
    for states in (*STATES, SCALED):
        starts = list(product(STARTS, LOG_ALPHAS)) if states in STATES else [(STARTS[0], LOG_ALPHAS[0])]
        penalised = base if states == "standardised" else replace(base, steps=UNSCALED * base.steps)
        for settings, at in ((unpenalised, steps), (penalised, (penalised.steps,))):
            each = [replace(settings, states=states, start=start, log_alpha=alpha) for start, alpha in starts]
            found.append(TrainingVariant(tuple(each), settings is penalised, at))
    return found
