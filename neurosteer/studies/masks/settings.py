"""Everything that decides how a causal mask is trained and chosen, as it is recorded in every ranking."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields

from neurosteer.errors import InputError


@dataclass(frozen=True)
class MaskSettings:
    """What is asked of a causal mask, and how it is trained.

    The price of a unit is what it has to be worth for its gate to open, as a share of the margin that can be lost. It
    is the first one during the warm-up, then rises to the last one in equal factors.

    Attributes:
        share: of the margin that can be lost, that the set has to take.
        kl: the most that the set may disturb neutral text, in nats per token.
        seeds: number of masks, whose mean ranks.
        steps: number of training steps.
        batch: pairs of a step.
        tau: share of the margin below which what is left counts less and less.
        beta: what a nat of KL per token costs, as a share of the margin.
        first_price: price of a unit during the warm-up.
        last_price: price at the last step.
        warm_up: share of the steps.
        rate: learning rate.
        beta1: decay of the optimiser's averages (Adam).
        beta2: decay of its averages of squares.
        most: log alpha stays between this and its negative, or its start where that is lower.

    Source:
        Gates: Louizos, Welling & Kingma 2018.

    Example:
        >>> short = ns.MaskSettings(steps=50)
        >>> short, short.settings()["kl"], short.price(0), short.price(49)
        (MaskSettings(steps=50), 0.1, 0.0005, 0.2)
    """

    share: float = 0.9  # of the margin that can be lost, that the set has to take
    kl: float = 0.1  # the most that it may disturb neutral text, in nats per token
    seeds: int = 3
    steps: int = 100
    batch: int = 32  # pairs of a step
    tau: float = 0.25  # in the same shares: below it a margin counts less and less
    beta: float = 2.0  # what a nat of KL per token costs, in the same shares
    first_price: float = 5e-4
    last_price: float = 0.2
    warm_up: float = 0.4  # of the steps
    rate: float = 0.4
    beta1: float = 0.9  # Adam's averages
    beta2: float = 0.99
    most: float = 3.0  # log alpha stays between this and its negative, or its start where that is lower

    def __post_init__(self) -> None:
        """Raises `InputError` for numbers out of range."""
        if not 0 < self.share <= 1:
            raise InputError(f"share must be above 0 and at most 1, not {self.share}")
        if not 0 < self.kl < math.inf:
            raise InputError(f"kl must be a finite number above 0, not {self.kl}")
        for name in ("seeds", "steps", "batch"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, not {getattr(self, name)}")

    def __repr__(self) -> str:
        """Only what differs from the default, so that signatures stay readable."""
        own = {one.name: getattr(self, one.name) for one in fields(self) if getattr(self, one.name) != one.default}
        return f"MaskSettings({', '.join(f'{name}={value!r}' for name, value in own.items())})"

    def settings(self) -> dict[str, float | int]:
        """As recorded in every ranking."""
        return asdict(self)

    @property
    def warm_steps(self) -> int:
        """Steps at the first price."""
        return int(self.warm_up * self.steps)

    def price(self, step: int) -> float:
        """Price of a unit.

        Args:
            step: the step, counted from 0.

        Returns:
            A share of the margin that can be lost.
        """
        path = max(self.steps - 1 - self.warm_steps, 1)
        rise = max(step - self.warm_steps, 0) / path
        return float(self.first_price * (self.last_price / self.first_price) ** rise)


MASK = MaskSettings()
