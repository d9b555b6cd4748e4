"""Masks of different trainings at the same kept share, interpolated along each task's curve over lambda."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurosteer.vocabulary import ENOUGH

from .units import Curves, DenseProbes, Points, TrainedMasks

SHARE = 0.10  # of the units kept


@dataclass(frozen=True, eq=False)
class EqualShare:
    """The masks of one configuration where they keep `SHARE` of the units; NaN where that is not known."""

    spearman: Points  # of |t| and gate
    limit: Points  # the largest that ties allow
    relative: Points  # accuracy over the dense probe's, where that reads anything
    needed: Points  # share of the units that reaches 95 % of its validation accuracy, where that reads anything

    @classmethod
    def of(cls, masks: TrainedMasks, dense: DenseProbes) -> EqualShare:
        accuracy = value_at(masks.kept, masks.accuracy, SHARE, full=dense.accuracy)
        return cls(
            value_at(masks.kept, masks.spearman, SHARE),
            value_at(masks.kept, masks.limit, SHARE),
            dense.where_readable(accuracy / dense.accuracy),
            dense.where_readable(needed_share(masks.kept, masks.validation, dense.validation)),
        )


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

    Along the curve over the masks that keep any unit; share and accuracy are first made to rise together, as what
    fewer units read more can read too. NaN where even the smallest of them reaches that, or none does: how few, or
    how many, it takes, no mask of this grid says.
    """
    found = np.full(kept.shape[:2], np.nan)
    for at in np.ndindex(found.shape):
        some = kept[at] > 0
        order = np.argsort(kept[at][some], kind="stable")
        x, y = kept[at][some][order], np.maximum.accumulate(accuracy[at][some][order])
        above = int(np.argmax(y >= ENOUGH * dense[at])) if y.size else 0
        if above > 0:
            share = (ENOUGH * dense[at] - y[above - 1]) / (y[above] - y[above - 1])
            found[at] = x[above - 1] + share * (x[above] - x[above - 1])
    return found
