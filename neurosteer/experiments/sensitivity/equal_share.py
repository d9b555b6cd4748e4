"""Masks of different trainings at the same kept share, interpolated along each task's curve over lambda."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from neurosteer.vocabulary import ENOUGH

Curves = Float[np.ndarray, "task layer lambda"]
Points = Float[np.ndarray, "task layer"]


def value_at(kept: Curves, values: Curves, share: float, *, full: Points | None = None) -> Points:
    """The value where a mask keeps this share of the units, linear between lambdas; NaN beyond what was kept.

    `full` is the value when all units are kept, where that is known.
    """
    found = np.full(kept.shape[:2], np.nan)
    for at in np.ndindex(found.shape):
        x, y = kept[at], values[at]
        if full is not None:
            x, y = np.append(x, 1.0), np.append(y, full[at])
        there = np.isfinite(y)
        order = np.argsort(x[there], kind="stable")
        if there.any():
            found[at] = np.interp(share, x[there][order], y[there][order], left=np.nan, right=np.nan)
    return found


def needed_share(kept: Curves, accuracy: Curves, dense: Points) -> Points:
    """The smallest kept share at which the accuracy reaches 95 % of the dense probe's.

    Along the curve over the masks that keep any unit, and last all units; share and accuracy are first made to rise
    together, as what fewer units read more can read too. NaN where even the smallest of them reaches that: how few
    would do, no mask of this grid says.
    """
    found = np.full(kept.shape[:2], np.nan)
    for at in np.ndindex(found.shape):
        some = kept[at] > 0
        order = np.argsort(kept[at][some], kind="stable")
        x = np.append(kept[at][some][order], 1.0)
        y = np.maximum.accumulate(np.append(accuracy[at][some][order], dense[at]))
        above = int(np.argmax(y >= ENOUGH * dense[at]))
        if above > 0:
            share = (ENOUGH * dense[at] - y[above - 1]) / (y[above] - y[above - 1])
            found[at] = x[above - 1] + share * (x[above] - x[above - 1])
    return found
