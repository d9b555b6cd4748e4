"""Margins before and after as numbers: change, interval, p-values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats

from neurosteer.seeds import seed_of

from .verdict import detectable, verdict_of

Margins = np.ndarray  # of each pair, in nats
RESAMPLES = 9999
BATCH = 500  # resamples of all pairs held at once


def accuracy(margins: Margins) -> float:
    """Share of pairs whose margin is above 0; a tie counts as wrong."""
    return float((margins > 0).mean())


def change(before: Margins, after: Margins, *, seed: int) -> dict[str, float]:
    """`{accuracy, delta, low, high}`: the mean change of the margin and its 95 % bootstrap interval over pairs."""
    low, high = interval(after - before, seed)
    return {"accuracy": accuracy(after), "delta": float((after - before).mean()), "low": low, "high": high}


def interval(changes: Margins, seed: int) -> tuple[float, float]:
    """The 95 % bootstrap interval (BCa, Efron 1987) of the mean change."""
    if np.ptp(changes) <= 1e-9 * np.abs(changes).max():  # one pair, or all alike but for rounding
        return float(changes.mean()), float(changes.mean())
    rng = np.random.default_rng(seed_of(seed, "bootstrap"))
    found = stats.bootstrap(
        (changes,), np.mean, n_resamples=RESAMPLES, batch=BATCH, method="BCa", rng=rng
    ).confidence_interval
    return float(found.low), float(found.high)


def sign_flip(changes: Margins, seed: int) -> float:
    """Two-sided p of the mean change when each pair's change is as likely to have the other sign."""
    if len(changes) < 2:
        return 1.0
    rng = np.random.default_rng(seed_of(seed, "sign flip"))
    test = stats.permutation_test(
        (changes,), _mean, permutation_type="samples", vectorized=True, n_resamples=RESAMPLES, batch=BATCH, rng=rng
    )
    return float(test.pvalue)


def empirical_p(delta: float, controls: Sequence[float]) -> float:
    """Two-sided p of a set's change among its controls': the share of sets at least as far from the others' mean.

    Each set is held against the mean of all the others, the controls as well as the chosen one: sets drawn from one
    distribution then have every p equally often. (Against the controls' own mean, from which every control but not
    the chosen set has been taken, the smallest p of 19 controls would come 6.3 % of the time instead of 5 %.)
    """
    every = np.array([delta, *controls])
    distance = np.abs(every - every.mean())  # from all is (n - 1) / n of that from the others
    ties = np.isclose(distance[1:], distance[0], rtol=1e-9, atol=0)
    return float((1 + ((distance[1:] >= distance[0]) | ties).sum()) / len(every))


def against(
    delta: float,
    before: Margins,
    controls: Sequence[Margins],
    *,
    unmatched: float,
    overlaps: Sequence[float],
    nothing_to_lose: bool,
) -> dict[str, Any] | None:
    """What the controls do beside a chosen set's change, and what follows; None where there are none.

    `overlaps` are the shares of the set's neurons that the controls hold. A share of the clean margin is only given
    where there is something to lose.
    """
    if not len(controls):
        return None
    deltas = [float((after - before).mean()) for after in controls]
    p, smallest = empirical_p(delta, deltas), detectable(deltas, overlaps)
    share = None if smallest is None or nothing_to_lose else smallest / float(before.mean())
    return {
        "n": len(deltas),
        "accuracy": float(np.mean([accuracy(after) for after in controls])),
        "delta_mean": float(np.mean(deltas)),
        "delta_low": min(deltas),
        "delta_high": max(deltas),
        "p": p,
        "verdict": verdict_of(len(deltas), p),
        "detectable": {"nats": smallest, "share": share},
        "unmatched": unmatched,
        "overlap": float(np.mean(overlaps)),
        "deltas": deltas,
    }


def _mean(values: Margins, axis: int = -1) -> Margins:
    return np.asarray(np.mean(values, axis=axis))
