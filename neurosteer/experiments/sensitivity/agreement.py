"""How far |t| and gates agree, as a share of what ties allow: by layer, and its mean beside one half."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from neurosteer.experiments.fig4 import MOST
from neurosteer.experiments.intervals import TaskSamples, ends, plain
from neurosteer.results import Estimate
from neurosteer.vocabulary import AGREE

from .claims import Measurement, answer_of
from .result import Configuration

Points = Float[np.ndarray, "task layer"]
Shares = Float[np.ndarray, "resample layer"]


@dataclass(frozen=True, eq=False)
class ShareOfTies:
    """Of the masks of one configuration; the first resample is the tasks as they are."""

    shares: Shares  # of what ties allow; NaN at layers where less than half of the tasks have any
    beyond: Float[np.ndarray, "resample"]  # their mean over layers, less half; NaN unless most layers are known
    low: Float[np.ndarray, "1"]  # of its interval
    high: Float[np.ndarray, "1"]

    @classmethod
    def of(cls, spearman: Points, limit: Points, samples: TaskSamples) -> ShareOfTies:
        shares = share_of_limit(spearman, limit, samples)
        return cls(shares, *beyond_half(shares, spearman, samples))

    @property
    def estimate(self) -> Estimate:
        """Of the mean over layers, less half."""
        return Estimate.of(self.beyond[0], self.low[0], self.high[0])

    @property
    def agreeing_layers(self) -> int:
        return int((self.shares[0] >= AGREE).sum())

    @property
    def known_layers(self) -> int:
        return int(np.isfinite(self.shares[0]).sum())

    def at(self, layer: int) -> float | None:
        """The share of the so many-th layer, if it is known."""
        return plain(self.shares[0, layer])

    def measurement(self, configuration: Configuration) -> Measurement:
        return Measurement(configuration, answer_of(self.low, self.high), self.beyond)


def share_of_limit(spearman: Points, limit: Points, samples: TaskSamples) -> Shares:
    """Mean Spearman over tasks as a share of the mean that ties allow, in every resample of the tasks.

    NaN at layers where less than half of the tasks have any.
    """
    both = np.isfinite(spearman) & np.isfinite(limit)
    found, most = (samples.means_of_resamples(np.where(both, values, np.nan)) for values in (spearman, limit))
    counted = (both.mean(axis=0) >= MOST) & (most > 0)
    return np.divide(found, most, out=np.full(found.shape, np.nan), where=counted)


def beyond_half(
    shares: Shares, spearman: Points, samples: TaskSamples
) -> tuple[Float[np.ndarray, "resample"], Float[np.ndarray, "1"], Float[np.ndarray, "1"]]:
    """The mean share over layers less half in every resample, and its interval; NaN unless most layers are known.

    The interval counts as many phenomena or tasks as a layer knows, on average over the layers.
    """
    counted = np.isfinite(shares[0])
    most = counted.mean() > MOST
    there = np.isfinite(shares) & counted & most
    total, many = np.where(there, shares, 0.0).sum(axis=1), there.sum(axis=1)
    draws = np.divide(total, many, out=np.full(len(total), np.nan), where=many > 0) - AGREE
    drawn = np.floor(samples.known(spearman)[counted].mean()) if most else 0
    return draws, *ends(draws[1:, None], drawn)
