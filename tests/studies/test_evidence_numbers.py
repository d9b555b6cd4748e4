"""The arithmetic of evidence, by hand and by loops."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from scipy import stats

from neurosteer.data import UnitStats
from neurosteer.edits import Edit
from neurosteer.errors import InputError
from neurosteer.neurons import NeuronSet
from neurosteer.studies.effects.equal import equal_scales, smaller_or_median
from neurosteer.studies.evidence.numbers import (
    GRID,
    areas,
    false_discovery,
    holds,
    mean_over_tasks,
    one_sided_p,
    shares_of,
    too_few,
)
from neurosteer.studies.margins import ratio


def mib(percentages, faithfulnesses):
    """The trapezoids of MIB's circuit track, as its `evaluation.py` adds them up."""
    area_under, area_from_1 = 0.0, 0.0
    for i in range(len(faithfulnesses) - 1):
        width = percentages[i + 1] - percentages[i]
        area_from_1 += width * ((abs(1.0 - faithfulnesses[i]) + abs(1.0 - faithfulnesses[i + 1])) / 2)
        area_under += width * ((faithfulnesses[i] + faithfulnesses[i + 1]) / 2)
    return area_under, area_from_1


def test_areas_are_mibs():
    rng = np.random.default_rng(0)
    for _ in range(20):
        f = rng.normal(0.7, 0.6, len(GRID)).tolist()
        assert areas(GRID, f) == pytest.approx(mib(GRID, f), abs=1e-12)
    assert areas(GRID, [1.0] * 10) == pytest.approx((0.999, 0.0), abs=1e-12)
    assert sum(areas(GRID, rng.uniform(0, 1, 10).tolist())) == pytest.approx(0.999)
    assert sum(areas(GRID, [1.5] * 10)) > 0.999


def test_the_grid_is_mibs():
    assert GRID == (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
    assert shares_of(GRID, 576) == [0, 1, 2, 5, 11, 28, 57, 115, 288, 576]


def test_a_ratio_is_of_sums_and_resamples_both_together():
    rng = np.random.default_rng(1)
    whole = rng.normal(3, 1, 60)
    part = 0.5 * whole + rng.normal(0, 0.5, 60)
    found = ratio(part, whole, np.arange(60), 0)
    assert found.value == pytest.approx(sum(part.tolist()) / sum(whole.tolist()))

    def statistic(index):
        return part[index.astype(int)].sum() / whole[index.astype(int)].sum()

    own = stats.bootstrap((np.arange(60.0),), statistic, n_resamples=20_000, vectorized=False, rng=9)
    assert (found.low, found.high) == pytest.approx(tuple(own.confidence_interval), abs=0.01)
    together = ratio(2 * whole, whole, np.arange(60), 0)
    assert (together.low, together.value, together.high) == (2.0, 2.0, 2.0)


def test_pairs_of_one_item_are_resampled_as_one():
    rng = np.random.default_rng(2)
    each = rng.normal(1, 1, 30)
    part, whole = np.repeat(each, 4), np.full(120, 2.0)
    apart = ratio(part, whole, np.arange(120), 0)
    grouped = ratio(part, whole, np.repeat(np.arange(30), 4), 0)
    assert grouped.value == apart.value
    assert grouped.high - grouped.low > 1.6 * (apart.high - apart.low)


def test_p_counts_the_sets_that_go_as_far():
    controls = [0.1 * i for i in range(19)]
    assert one_sided_p(2.0, controls) == 1 / 20
    assert one_sided_p(1.8, controls) == 2 / 20  # a tie counts
    assert one_sided_p(-1.0, controls) == 1.0  # one-sided
    assert one_sided_p(0.3 - 0.1, [0.2]) == 1.0  # equal but for rounding


def test_under_the_null_every_p_comes_as_often():
    rng = np.random.default_rng(3)
    ps = [one_sided_p(draw[0], draw[1:]) for draw in rng.standard_t(3, (4000, 20)).tolist()]
    assert np.bincount((20 * np.array(ps)).round().astype(int), minlength=21)[1:] == pytest.approx(200, abs=60)


def test_what_holds():
    assert holds(0.05, 0.01, 0.0)
    assert not holds(0.05, -0.01, 0.0)
    assert not holds(0.05, None, 0.0)
    assert not holds(0.1, 0.01, 0.0)
    assert holds(0.05, 0.6, 0.5)
    assert not holds(0.05, 0.4, 0.5)


def test_too_few_says_which():
    assert too_few(200, 200, 19) == ""
    assert "19 test pairs" in too_few(19, 19, 19)
    assert too_few(200, 200, 18) == "18 controls are too few, a verdict takes 19"
    assert too_few(200, 200, 1, what="null search") == "1 null search is too few, a verdict takes 19"


def test_q_is_benjamini_and_hochbergs():
    ps = [0.05, 0.2, 0.01, 0.9]
    ranked = sorted(ps)
    by_hand = {p: min(q * 4 / (j + 1) for j, q in enumerate(ranked) if q >= p) for p in ps}
    assert false_discovery(ps) == pytest.approx([by_hand[p] for p in ps])
    assert false_discovery([]) == []


def test_an_interval_over_tasks():
    found = mean_over_tasks([1.0, 2.0, 4.0])
    half = stats.t.ppf(0.975, 2) * np.std([1, 2, 4], ddof=1) / math.sqrt(3)
    assert (found.low, found.value, found.high) == pytest.approx((7 / 3 - half, 7 / 3, 7 / 3 + half))
    assert mean_over_tasks([1.0]).low is None


def edits_of(count: int, scale: float = 0.0) -> list[Edit]:
    """One of each unit of a layer."""
    nothing = torch.zeros(1, count)
    stats_of = UnitStats(nothing, nothing + 1, nothing, nothing, tokens=1, layers=(0,))
    sets = [
        NeuronSet(torch.tensor([0]), torch.tensor([i]), torch.ones(1), stats_of, "model", "resid_post", {})
        for i in range(count)
    ]
    return [Edit.amplify(one, scale) for one in sets]


def pretended(strengths: list[float], power: float, rounds: list[int]) -> Callable[[Sequence[Edit]], list[float]]:
    """KL as a power of the distance from 1, times a strength of each unit."""

    def divergence(edits: Sequence[Edit]) -> list[float]:
        rounds.append(len(edits))
        return [strengths[int(edit.neurons.units[0])] * abs(1 - edit.scale) ** power for edit in edits]

    return divergence


@pytest.mark.parametrize("power", [1.0, 2.0, 2.7, 6.0])
def test_equal_scales_reach_the_kl(power: float):
    strengths, rounds = [0.01, 0.0502, 0.052, 0.3, 40.0], []
    found = equal_scales(pretended(strengths, power, rounds), edits_of(5), 0.05)
    assert [one.reached for one in found] == [False, True, True, True, True]
    assert (found[0].scale, found[0].kl) == (0.0, 0.01)
    for one, strength in zip(found[1:], strengths[1:], strict=True):
        assert abs(one.kl - 0.05) <= 0.02 * 0.05
        assert strength * (1 - one.scale) ** power == pytest.approx(one.kl)
        assert 0 <= one.scale < 1
    assert len(rounds) <= 14


def test_an_amplification_is_not_moved_beyond_its_own_scale():
    [found] = equal_scales(pretended([0.2], 2.0, []), edits_of(1, 3.0), 0.1)
    assert found.reached
    assert 1 < found.scale < 3
    [short] = equal_scales(pretended([0.2], 2.0, []), edits_of(1, 1.5), 0.1)
    assert (short.reached, short.scale) == (False, 1.5)


@pytest.mark.parametrize("kl", [0.0, -1.0, math.nan, math.inf])
def test_a_kl_that_nothing_has(kl: float):
    with pytest.raises(InputError, match=r"^the KL must be a number above 0"):
        equal_scales(pretended([1.0], 2.0, []), edits_of(1), kl)


def test_auto_takes_the_smaller():
    assert smaller_or_median([0.2, 0.1, 0.3, 0.15]) == 0.15
    assert smaller_or_median([0.05, 0.1, 0.3, 0.15]) == 0.05
    assert smaller_or_median([0.05]) == 0.05
