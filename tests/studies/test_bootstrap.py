"""Intervals over test pairs: as scipy's, as wide as they say, and never a point."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sizes import quick_and_slow

from neurosteer.pairs import Pair, Pairs
from neurosteer.seeds import seed_of
from neurosteer.studies.bootstrap import RESAMPLES, groups_in, pair_intervals, resampled_pairs


@pytest.mark.parametrize(("pairs", "right"), [(200, 0.7), (40, 0.93), (12, 0.5)])
def test_against_scipy(pairs: int, right: float):
    """Percentiles of the mean of the pairs and of the two that are added, within the noise of the draws."""
    rng = np.random.default_rng(pairs)
    share = rng.binomial(2, right, (3, pairs)) / 2
    for own, (low, high) in zip(share, pair_intervals(share, task="t", seed=0), strict=True):
        sample = np.concatenate([own, [1.0, 0.0]])
        plain = stats.bootstrap(
            (sample,), np.mean, n_resamples=20000, batch=1000, method="percentile", rng=rng
        ).confidence_interval
        noise = 0.3 * sample.std() / len(sample) ** 0.5  # of a percentile of 2,000 draws: 5 standard deviations
        assert low == pytest.approx(plain.low, abs=noise + 0.5 / len(sample))
        assert high == pytest.approx(plain.high, abs=noise + 0.5 / len(sample))


@pytest.mark.parametrize("pairs", quick_and_slow([20], [50, 200]))
@pytest.mark.parametrize("true", quick_and_slow([0.75, 0.97], [0.5, 0.9]))
@pytest.mark.parametrize("alike", [False, True], ids=["apart", "alike"])
def test_coverage(pairs: int, true: float, alike: bool):
    """Of 2,000 test sets, with sentences that are right or wrong by themselves or both of a pair together."""
    rng = np.random.default_rng(7)
    share = rng.binomial(1, true, (2000, pairs)) * 1.0 if alike else rng.binomial(2, true, (2000, pairs)) / 2
    ends = np.array(pair_intervals(share, task="t", seed=1))
    held = np.mean((ends[:, 0] <= true + 1e-9) & (true - 1e-9 <= ends[:, 1]))
    assert 0.93 <= held <= 0.995


def test_it_is_no_wider_than_it_must_be():
    """Of many pairs 1.96 standard errors to either side; those of sentences that are alike are those of pairs."""
    rng = np.random.default_rng(3)
    for share in (rng.binomial(2, 0.8, (1, 2000)) / 2, rng.binomial(1, 0.8, (1, 2000)) * 1.0):
        [(low, high)] = pair_intervals(share, task="t", seed=0)
        error = share.std() / 2000**0.5
        assert (share.mean() - low, high - share.mean()) == pytest.approx((1.96 * error, 1.96 * error), rel=0.12)


def test_no_mistake_is_no_certainty():
    lows = [pair_intervals(np.ones((1, pairs)), task="t", seed=0)[0] for pairs in (2, 8, 50, 200)]
    assert [high for _, high in lows] == [1.0] * 4
    assert [low for low, _ in lows] == sorted(low for low, _ in lows)
    assert lows[1][0] <= 0.8
    assert lows[3][0] >= 0.98


@pytest.mark.parametrize("true", [0.6, 0.9])
def test_coverage_with_five_pairs_an_item(true: float):
    """40 items whose pairs are alike: pair by pair the interval is too narrow."""
    rng = np.random.default_rng(5)
    easy = rng.beta(true * 2, (1 - true) * 2, (1000, 40))
    share = rng.binomial(1, np.repeat(easy, 5, axis=1)) * 1.0
    groups, mixed = np.repeat(np.arange(40), 5), rng.permutation(200)
    held = []
    for of in (groups[mixed], None):
        ends = np.array(pair_intervals(share[:, mixed], task="t", seed=1, groups=of))
        held.append(np.mean((ends[:, 0] <= true) & (true <= ends[:, 1])))
    assert 0.92 <= held[0] <= 0.985
    assert held[1] < 0.85


def test_groups_are_drawn_whole():
    """Unequal ones: what a loop over drawn groups gives, two of the mean size added, right and wrong."""
    rng = np.random.default_rng(6)
    groups = rng.permutation(np.repeat(np.arange(25), rng.integers(1, 8, 25)))
    share = rng.binomial(2, 0.4 + 0.02 * groups) / 2
    size = len(groups) / 25
    parts = [(share[groups == group].sum(), (groups == group).sum()) for group in range(25)]
    parts += [(size, size), (0.0, size)]
    drawn = [[parts[i] for i in rng.integers(0, 27, 27)] for _ in range(5000)]
    plain = np.quantile([sum(a for a, _ in some) / sum(b for _, b in some) for some in drawn], [0.025, 0.975])
    [ends] = pair_intervals(share[None], task="t", seed=0, groups=groups)
    assert ends == pytest.approx(tuple(plain), abs=0.02)


def test_a_group_for_each_pair_changes_no_bit():
    """The draws of the pairs themselves, and what they were before there were groups."""
    share = np.random.default_rng(1).binomial(2, 0.7, (3, 40)) / 2
    found = resampled_pairs(share, task="t", seed=4, groups=np.arange(40))
    assert np.array_equal(found, resampled_pairs(share, task="t", seed=4))
    rng = np.random.default_rng(seed_of(4, "t", "test pairs"))
    columns = np.concatenate([share, np.broadcast_to([1.0, 0.0], (3, 2))], axis=1).T
    plain = [rng.multinomial(42, np.full(42, 1 / 42), size=250) @ columns / 42 for _ in range(8)]
    assert np.array_equal(found, np.concatenate(plain).round(12))


def test_which_pairs_are_one():
    """A shared item, a shared sentence on either side, and what hangs together by a third."""
    rows = [("a", "b", ""), ("c", "d", "i"), ("e", "b", ""), ("f", "g", "i"), ("h", "a", "j"), ("k", "l", "")]
    pairs = Pairs("t", "made up", tuple(Pair(*row[:2], str(at), row[2]) for at, row in enumerate(rows)))
    assert groups_in(pairs).tolist() == [0, 1, 0, 1, 0, 2]


def test_the_same_pairs_for_all_probes_and_others_for_other_tasks():
    share = np.random.default_rng(0).binomial(2, 0.6, (2, 30)) / 2
    both = resampled_pairs(share, task="t", seed=0)
    assert both.shape == (RESAMPLES, 2)
    assert np.array_equal(both[:, :1], resampled_pairs(share[:1], task="t", seed=0))
    for task, seed in (("u", 0), ("t", 1)):
        assert not np.array_equal(both, resampled_pairs(share, task=task, seed=seed))


def test_equal_probes_stay_equal():
    """Five draws that are right in turn: their mean is that of one probe, in every resample and to the last bit."""
    draws = np.array([[(i + j) % 5 < 2 for i in range(50)] for j in range(5)]) * 1.0
    one = resampled_pairs(np.stack([draws.mean(axis=0), np.full(50, 0.4)]), task="t", seed=0)
    assert np.array_equal(one[:, 0], one[:, 1])
