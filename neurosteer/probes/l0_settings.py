"""Everything that decides how an L0-masked probe is trained, as it is recorded in every artefact."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from neurosteer.errors import InputError, did_you_mean
from neurosteer.vocabulary import L0_DECAYS, L0_STARTS, L0_STATES, Json, L0Decay, L0Start, L0States

from .hard_concrete import Stretch

OPTIMISER = "Adam, full batch"


@dataclass(frozen=True)
class L0Settings:
    """Everything that decides how an L0-masked probe is trained: its gates, the start, and the optimiser.

    The defaults were chosen by the loss that they reach (`recipes/validity/l0_training.py`), and by nothing else.

    Attributes:
        beta: temperature of the gates.
        gamma: lower end of the stretched interval, below 0.
        zeta: upper end, above 1.
        states: `standardised` by unit, or `scaled`: all units of a layer divided by one number.
        start: of the weights: `cold`, small noise, or `warm`, the weights of the dense probe.
        weights_sd: standard deviation of the noise at a cold start.
        warm_l2: L2 strength of the dense probe at a warm start.
        log_alpha: mean of the gates' log alpha at the start.
        log_alpha_sd: standard deviation of it.
        steps: number of training steps.
        rate_weights: learning rate of weights.
        rate_gates: learning rate of gates.
        decay: of both rates: `cosine`, to 0 at the last step, or `none`.
        beta1: decay of the optimiser's averages.
        beta2: decay of its averages of squares.
        weight_l2: L2 penalty on the weights.

    Source:
        Gates: Louizos, Welling & Kingma 2018.

    Example:
        >>> short = ns.L0Settings(steps=100)
        >>> short, short.settings()["steps"], round(short.rate(50), 6)
        (L0Settings(steps=100), 100, 0.5)
    """

    beta: float = 2 / 3  # temperature of the gates
    gamma: float = -0.1  # the stretched interval
    zeta: float = 1.1
    states: L0States = "standardised"  # scaled: all units of a layer divided by one number
    start: L0Start = "cold"  # of the weights: small noise, or the weights of the dense probe
    weights_sd: float = 0.01  # of the noise at a cold start
    warm_l2: float = 1e-2  # L2 strength of the dense probe at a warm start
    log_alpha: float = 0.0  # of gates at the start, on average
    log_alpha_sd: float = 0.01
    steps: int = 1500
    rate_weights: float = 0.05
    rate_gates: float = 0.1
    decay: L0Decay = "cosine"  # of both rates, to 0 at the last step
    beta1: float = 0.9  # Adam's averages
    beta2: float = 0.99
    weight_l2: float = 1e-2

    def __post_init__(self) -> None:
        """Raises `InputError` for an unknown word, and for numbers out of range."""
        for name, words in (("states", L0_STATES), ("start", L0_STARTS), ("decay", L0_DECAYS)):
            value = getattr(self, name)
            if value not in words:
                raise InputError(
                    f"{name} must be one of {', '.join(words)}, not '{value}'{did_you_mean(value, words)}"
                )
        if self.steps < 1 or self.steps != int(self.steps):
            raise InputError(f"steps must be a whole number of at least 1, not {self.steps}")
        if not (-math.inf < self.gamma < 0 and 1 < self.zeta < math.inf):
            raise InputError(f"gamma must be below 0 and zeta above 1, not {self.gamma} and {self.zeta}")
        if not math.isfinite(self.log_alpha):
            raise InputError(f"log_alpha must be a finite number, not {self.log_alpha}")
        for name in ("beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 0 and below 1, not {getattr(self, name)}")
        for name in ("rate_weights", "rate_gates", "beta"):
            if not 0 < getattr(self, name) < math.inf:
                raise InputError(f"{name} must be a finite number above 0, not {getattr(self, name)}")
        for name in ("weight_l2", "warm_l2", "weights_sd", "log_alpha_sd"):
            if not 0 <= getattr(self, name) < math.inf:
                raise InputError(f"{name} must be a finite number of at least 0, not {getattr(self, name)}")

    def __repr__(self) -> str:
        """Only what differs from the default, so that signatures stay readable."""
        own = {one.name: getattr(self, one.name) for one in fields(self) if getattr(self, one.name) != one.default}
        return f"L0Settings({', '.join(f'{name}={value!r}' for name, value in own.items())})"

    def settings(self) -> dict[str, float | int | str]:
        """As recorded in every artefact."""
        return {**asdict(self), "optimiser": OPTIMISER}

    @property
    def stretch(self) -> Stretch:
        """The distribution of gates."""
        return Stretch(self.beta, self.gamma, self.zeta)

    def rate(self, step: int) -> float:
        """Factor of both learning rates.

        Args:
            step: the step, counted from 0.

        Returns:
            From 1 at the first step to 0 after the last.
        """
        return 1.0 if self.decay == "none" else (1 + math.cos(math.pi * step / self.steps)) / 2


L0 = L0Settings()


def recorded_settings(settings: Mapping[str, Json]) -> L0Settings:
    """Those that an artefact has recorded, beside whatever else."""
    return L0Settings(**{one.name: settings[one.name] for one in fields(L0Settings) if one.name in settings})
