"""A change beside those of matched controls: p, and what follows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurosteer.results.effect import Controls, Detectable
from neurosteer.studies.margins import Margins, accuracy

from .verdict import detectable, direction_of, verdict_of


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
    nothing_to_lose: bool | None,
) -> Controls | None:
    """What the controls do beside a chosen set's change, and what follows; None where there are none.

    `overlaps` are the shares of the set's neurons that the controls hold. A share of the clean margin is only given
    where `nothing_to_lose` is False.
    """
    if not len(controls):
        return None
    deltas = [float((after - before).mean()) for after in controls]
    p, smallest = empirical_p(delta, deltas), detectable(deltas, overlaps)
    share = None if smallest is None or nothing_to_lose is not False else smallest / float(before.mean())
    verdict = verdict_of(len(deltas), p)
    return Controls(
        n=len(deltas),
        accuracy=float(np.mean([accuracy(after) for after in controls])),
        delta_mean=float(np.mean(deltas)),
        delta_low=min(deltas),
        delta_high=max(deltas),
        p=p,
        verdict=verdict,
        direction=direction_of(verdict, delta, deltas),
        detectable=Detectable(nats=smallest, share=share),
        unmatched=unmatched,
        overlap=float(np.mean(overlaps)),
        deltas=tuple(deltas),
    )
