"""95 % bootstrap intervals (percentiles); those of accuracies are over test pairs.

What is drawn are pairs, not sentences: the two sentences of a pair are much alike. To the pairs are added one that is
wholly right and one that is wholly wrong, as Agresti & Coull (1998) do with trials. Without them a probe that makes
no mistake would seem to be known exactly: at a true accuracy of .97 and 50 pairs the plain interval holds it 78 to 95
times in 100, with them 98 times; at 8 pairs 21 to 37 times, with them 98 to 100 times.

Pairs that share an item or a sentence are drawn as one, as splits keep them together: five bad sentences beside one
good one are not five trials. The two that are added are then as large as such a group is on average.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from neurosteer.pairs import Pairs
from neurosteer.pairs.splitting import groups_of
from neurosteer.results import Interval
from neurosteer.seeds import seed_of
from neurosteer.vocabulary import FEWEST_PAIRS, counted_pairs

RESAMPLES = 2000
TAIL = 0.025  # of the resamples, beyond either end
BATCH = 250  # resamples at once, to bound memory

Groups = Int[np.ndarray, "pair"]  # which group each pair belongs to, counted from 0


def groups_in(pairs: Pairs) -> Groups:
    """The groups of pairs that share an item or a sentence, in the order of their first pairs."""
    found = np.empty(len(pairs), dtype=int)
    for group, members in enumerate(groups_of(pairs.sentences, [pair.item for pair in pairs])):
        found[members] = group
    return found


def few_pairs(pairs: int, groups: int, noun: str = "test pair") -> list[str]:
    """A notice where pairs are of too few groups for intervals to be trusted to the last digit."""
    if groups >= FEWEST_PAIRS:
        return []
    return [
        f"only {counted_pairs(pairs, groups, noun)}: accuracies are rough, and so are their 95 % intervals "
        f"(at least {FEWEST_PAIRS} are wanted)"
    ]


def group_sums(
    values: Float[np.ndarray, "row pair"], groups: Groups | None
) -> tuple[Float[np.ndarray, "row group"], Float[np.ndarray, "group"]]:
    """The sum of each group's values, and its number of pairs; without `groups` each pair is one."""
    if groups is None:
        return values, np.ones(values.shape[1])
    sizes = np.bincount(groups).astype(float)
    return np.stack([np.bincount(groups, weights=row) for row in values]), sizes


def pair_intervals(
    share: Float[np.ndarray, "probe pair"], *, task: str, seed: int, groups: Groups | None = None
) -> list[Interval]:
    """The interval of the accuracy of each probe, whose `share` of each pair's sentences in [0, 1] is right."""
    low, high = interval(resampled_pairs(share, task=task, seed=seed, groups=groups))
    return list(zip(low.tolist(), high.tolist(), strict=True))


def resampled_pairs(
    share: Float[np.ndarray, "probe pair"], *, task: str, seed: int, groups: Groups | None = None
) -> Float[np.ndarray, "resample probe"]:
    """The accuracy of every probe in every resample of the groups of pairs: the same resamples for all of them.

    Without `groups` each pair is one. Rounded to 12 digits, so that two probes with as many right sentences are
    equal.
    """
    sums, sizes = group_sums(share, groups)
    typical = sizes.mean()
    ends = np.broadcast_to([typical, 0.0], (len(share), 2))
    columns, weights = np.concatenate([sums, ends], axis=1).T, np.append(sizes, [typical, typical])
    rng = np.random.default_rng(seed_of(seed, task, "test pairs"))
    means, drawn = [], len(weights)
    for _ in range(RESAMPLES // BATCH):
        counts = rng.multinomial(drawn, np.full(drawn, 1 / drawn), size=BATCH)  # of each group in each resample
        means.append(counts @ columns / (counts @ weights)[:, None])
    return np.concatenate(means).round(12)


def interval(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Percentiles over the first axis, infinity included; NaN where a whole column is NaN."""
    return quantile(draws, TAIL), quantile(draws, 1 - TAIL)


def quantile(draws: np.ndarray, share: np.ndarray | float) -> np.ndarray:
    """The draw below which this share of its column lies, by rank: infinity is a draw too, and NaN is none."""
    ordered, count = np.sort(draws, axis=0), (~np.isnan(draws)).sum(axis=0)  # NaN comes last
    place = np.round(share * np.maximum(count - 1, 0)).astype(int)
    return np.asarray(np.take_along_axis(ordered, place[None], axis=0)[0])
