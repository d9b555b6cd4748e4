"""What may be said of a set's change beside those of its controls, in one word, and what a null could have missed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy import stats

from neurosteer.results.effect import Controls
from neurosteer.vocabulary import (
    DOES_NOT_STAND_OUT,
    FEWEST_CONTROLS,
    LESS,
    LEVEL,
    MORE,
    NOTHING_TO_LOSE,
    POWER,
    STANDS_OUT,
    TOO_FEW_TO_TELL,
    EffectVerdict,
    MoreOrLess,
)


def verdict_of(n: int, p: float) -> EffectVerdict:
    """Of a p among `n` controls."""
    if n < FEWEST_CONTROLS:
        return TOO_FEW_TO_TELL
    return STANDS_OUT if p <= LEVEL + 1e-9 else DOES_NOT_STAND_OUT


def direction_of(verdict: EffectVerdict, delta: float, controls: Sequence[float]) -> MoreOrLess | None:
    """Whether a set that stands out moves the margin farther than its controls do in the mean, or less far.

    None where it does not stand out.
    """
    if verdict != STANDS_OUT:
        return None
    return MORE if abs(delta) > float(np.mean(np.abs(controls))) else LESS


def chance_of(moved: int, tests: int) -> float:
    """How probable it is that so many or more of some tests stand out where nothing is to be found."""
    return float(stats.binom.sf(moved - 1, tests, LEVEL))


def overall(controls: Controls | None, *, nothing_to_lose: bool | None) -> EffectVerdict | None:
    """Of an effect: the verdict of its controls (None without any), where there is a preference that can be lost.

    `nothing_to_lose` is None where too few pairs tell.
    """
    if nothing_to_lose is None:
        return TOO_FEW_TO_TELL
    if nothing_to_lose:
        return NOTHING_TO_LOSE
    return controls.verdict if controls else None


def detectable(deltas: Sequence[float], overlaps: Sequence[float]) -> float | None:
    """The smallest effect, in nats, that these controls would have shown with a power of 80 %.

    The change of each control in turn stands for what a set without effect does; `d` is added to it, and to every
    control the part of `d` that it shares, as it holds `overlaps` (in [0, 1]) of the set's neurons. The set so made
    is tested against all the controls at the level of .05, two-sided. The answer is the `d` at which 80 % of these
    tests reject, for a rise as well as for a fall. None where no `d` is large enough (too many controls hold the
    same neurons), and with fewer than 19 controls.
    """
    if len(deltas) < FEWEST_CONTROLS:
        return None
    values, shares = np.asarray(deltas, dtype=float), np.asarray(overlaps, dtype=float)
    size = float(np.ptp(values))

    def enough(d: float) -> bool:
        return min(_power(values, shares, d), _power(values, shares, -d)) >= POWER

    if not size:
        return 0.0 if enough(1.0) else None
    low, high = 0.0, size
    while not enough(high):
        low, high = high, 2 * high
        if high > 1e6 * size:
            return None
    while high - low > 1e-4 * size:
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _power(values: Float[np.ndarray, "control"], shares: Float[np.ndarray, "control"], d: float) -> float:
    """How often a set with the effect `d` would stand out, each control in turn being its change without `d`."""
    n = len(values)
    controls = np.sort(values + shares * d)
    sets = values + d
    middle = (controls.sum() + sets) / (n + 1)
    far = np.abs(sets - middle) * (1 - 1e-9)
    inside = np.searchsorted(controls, middle + far, "left") - np.searchsorted(controls, middle - far, "right")
    return float((1 + n - inside <= LEVEL * (n + 1) + 1e-9).mean())
