"""95 % bootstrap intervals (percentiles); those of accuracies are over test pairs.

What is drawn are pairs, not sentences: the two sentences of a pair are much alike. To the pairs are added one that is
wholly right and one that is wholly wrong, as Agresti & Coull (1998) do with trials. Without them a probe that makes
no mistake would seem to be known exactly: at a true accuracy of .97 and 50 pairs the plain interval holds it 78 to 95
times in 100, with them 98 times; at 8 pairs 21 to 37 times, with them 98 to 100 times.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from neurosteer.seeds import seed_of

RESAMPLES = 2000
ENDS = (2.5, 97.5)
BATCH = 250  # resamples at once, to bound memory

Interval = tuple[float, float]


def pair_intervals(share: Float[np.ndarray, "probe pair"], *, task: str, seed: int) -> list[Interval]:
    """The interval of the accuracy of each probe, whose `share` of each pair's sentences in [0, 1] is right."""
    low, high = interval(resampled_pairs(share, task=task, seed=seed))
    return list(zip(low.tolist(), high.tolist(), strict=True))


def resampled_pairs(
    share: Float[np.ndarray, "probe pair"], *, task: str, seed: int
) -> Float[np.ndarray, "resample probe"]:
    """The accuracy of every probe in every resample of the pairs: the same resamples for all of them.

    Rounded to 12 digits, so that two probes with as many right sentences are equal.
    """
    probes, pairs = share.shape
    ends = np.broadcast_to([1.0, 0.0], (probes, 2))
    columns = np.concatenate([share, ends], axis=1).T
    rng = np.random.default_rng(seed_of(seed, task, "test pairs"))
    means = [_drawn(rng, pairs + 2) @ columns / (pairs + 2) for _ in range(RESAMPLES // BATCH)]
    return np.concatenate(means).round(12)


def _drawn(rng: np.random.Generator, pairs: int) -> Int[np.ndarray, "resample pair"]:
    """How often each pair is in each resample."""
    return rng.multinomial(pairs, np.full(pairs, 1 / pairs), size=BATCH)


def interval(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Percentiles over the first axis, infinity included; NaN where a whole column is NaN."""
    ordered = np.sort(draws, axis=0)  # NaN comes last
    count = np.isfinite(draws).sum(axis=0) + np.isposinf(draws).sum(axis=0)
    ends = []
    for end in ENDS:
        place = np.clip(np.round(end / 100 * (count - 1)).astype(int), 0, None)
        ends.append(np.take_along_axis(ordered, place[None], axis=0)[0])
    return ends[0], ends[1]
