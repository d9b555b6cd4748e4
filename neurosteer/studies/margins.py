"""Margins, and their changes, as numbers: preference, interval, ratio, p.

Pairs that share an item or a sentence (`neurosteer.studies.bootstrap.groups_in`) are resampled, and change sign, as
one; without `groups` each pair is by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import stats

from neurosteer.results import Estimate
from neurosteer.seeds import seed_of
from neurosteer.studies.bootstrap import Groups, group_sums
from neurosteer.vocabulary import FEWEST_PREFERRED

Margins = np.ndarray  # of each pair, in nats
RESAMPLES = 9999
BATCH = 500  # resamples of all pairs held at once


def accuracy(margins: Margins) -> float:
    """Share of pairs whose margin is above 0; a tie counts as wrong."""
    return float((margins > 0).mean())


@dataclass(frozen=True)
class Preference:
    """For the good sentences, without an edit: the mean margin (nats), its 95 % interval, from so many groups."""

    margin: float
    low: float
    high: float
    groups: int

    @property
    def nothing_to_lose(self) -> bool | None:
        """Whether the interval is not above 0; None where too few groups tell."""
        return None if self.groups < FEWEST_PREFERRED else self.low <= 0

    @property
    def clean(self) -> bool:
        """Whether there is a preference that an edit can take away."""
        return self.nothing_to_lose is False


def clean_preference(margins: Margins, groups: Groups | None, seed: int) -> Preference:
    """What the margins of the unedited model say of its preference; `groups` as in `interval`."""
    count = len(margins) if groups is None else len(np.unique(groups))
    return Preference(float(margins.mean()), *interval(margins, seed, groups), count)


def interval(changes: Margins, seed: int, groups: Groups | None = None) -> tuple[float, float]:
    """The 95 % bootstrap interval (BCa, Efron 1987) of the mean change over pairs, whose groups are resampled."""
    sums, sizes = _by_group(changes, groups)
    means = sums / sizes
    if np.ptp(means) <= 1e-9 * np.abs(means).max():  # one group, or all alike but for rounding
        return float(changes.mean()), float(changes.mean())
    rng = np.random.default_rng(seed_of(seed, "bootstrap"))
    found = stats.bootstrap(
        (sums, sizes), _ratio, paired=True, n_resamples=RESAMPLES, batch=BATCH, method="BCa", rng=rng
    ).confidence_interval
    return float(found.low), float(found.high)


def ratio(part: Margins, whole: Margins, groups: Groups, seed: int) -> Estimate:
    """The sum of `part` over that of `whole`, with its 95 % interval (BCa): both are resampled together."""
    sums, _ = group_sums(np.stack([part, whole]), groups)
    value = float(sums[0].sum() / sums[1].sum())
    if len(sums[0]) < 2 or np.allclose(sums[0], value * sums[1], rtol=1e-9, atol=1e-12):
        return Estimate(value, value, value)
    rng = np.random.default_rng(seed_of(seed, "ratio"))
    found = stats.bootstrap(
        (sums[0], sums[1]), _ratio, paired=True, n_resamples=RESAMPLES, batch=BATCH, method="BCa", rng=rng
    ).confidence_interval
    return Estimate.of(value, float(found.low), float(found.high))


def sign_flip(changes: Margins, seed: int, groups: Groups | None = None) -> float:
    """Two-sided p of the mean change when the changes of each group are as likely to have the other sign."""
    sums, _ = _by_group(changes, groups)
    if len(sums) < 2:
        return 1.0
    rng = np.random.default_rng(seed_of(seed, "sign flip"))
    test = stats.permutation_test(
        (sums,), _mean, permutation_type="samples", vectorized=True, n_resamples=RESAMPLES, batch=BATCH, rng=rng
    )
    return float(test.pvalue)


def _by_group(
    values: Margins, groups: Groups | None
) -> tuple[Float[np.ndarray, "group"], Float[np.ndarray, "group"]]:
    """Sums of the values, and how many pairs they are of."""
    sums, sizes = group_sums(values[None], groups)
    return sums[0], sizes


def _ratio(part: np.ndarray, whole: np.ndarray, axis: int = -1) -> np.ndarray:
    """Of sums; over the sizes of groups it is the mean over pairs."""
    return np.asarray(part.sum(axis=axis) / whole.sum(axis=axis))


def _mean(values: Margins, axis: int = -1) -> Margins:
    return np.asarray(np.mean(values, axis=axis))
