"""Change, interval and p-values of an effect: against scipy, plain enumeration, and what chance makes of them."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy import stats

from neurosteer.results.effect import Detectable
from neurosteer.seeds import seed_of
from neurosteer.studies import margins
from neurosteer.studies.effects.controls import against, empirical_p
from neurosteer.studies.effects.verdict import detectable
from neurosteer.studies.margins import accuracy, clean_preference, interval, sign_flip


def normal(n: int, *, seed: int = 0, mean: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 1.0, n)


def test_the_interval_of_many_pairs_is_students():
    """A mean of a thousand normal changes: BCa and t agree."""
    changes = normal(1000, seed=4, mean=0.3)
    student = stats.t.interval(0.95, 999, loc=changes.mean(), scale=stats.sem(changes))
    assert interval(changes, 0) == pytest.approx(student, abs=0.01)


def test_the_interval_leans_with_the_skew():
    """What BCa is for: the bounds of skewed changes are not symmetric about the mean."""
    changes = np.random.default_rng(5).exponential(1.0, 40)
    low, high = interval(changes, 0)
    assert high - changes.mean() > 1.15 * (changes.mean() - low)


def test_the_interval_is_decided_by_its_seed():
    changes = normal(30, seed=6)
    assert interval(changes, 1) == interval(changes, 1)
    assert interval(changes, 1) != interval(changes, 2)
    assert interval(changes, 1) == pytest.approx(interval(changes, 2), abs=0.05)


@pytest.mark.parametrize("changes", [[0.7], [0.7, 0.7, 0.7], [0.0] * 9, [-2.5] * 2])
def test_equal_changes_have_no_width(changes: list[float]):
    assert interval(np.array(changes), 0) == pytest.approx((changes[0], changes[0]), rel=1e-12)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_changes_that_differ_by_rounding_only(steps: int):
    """Where no resample can say more than the mean, the interval is the mean, never NaN, which JSON lacks."""
    changes = np.full(8, -0.5085237914)
    changes[:steps] *= 1 + 2.3e-16
    assert changes[0] != changes[-1]
    assert interval(changes, 0) == pytest.approx((changes[-1], changes[-1]), rel=1e-12)


def covered(repeats: int, n: int, skewed: bool) -> int:
    """In how many of `repeats` samples the interval holds the true mean, which is 1."""
    held = 0
    for seed in range(repeats):
        rng = np.random.default_rng([7, seed])
        low, high = interval(rng.exponential(1.0, n) if skewed else rng.normal(1.0, 1.0, n), seed)
        held += low <= 1.0 <= high
    return held


@pytest.mark.parametrize(
    ("skewed", "least"),
    [(True, 0.90), pytest.param(False, 0.92, marks=pytest.mark.slow)],
    ids=["exponential", "normal"],
)
def test_the_interval_covers_the_truth(monkeypatch: pytest.MonkeyPatch, skewed: bool, least: float):
    """95 % are asked for; 50 pairs give nearly that, of skewed changes a little less (Efron 1987, table 5)."""
    monkeypatch.setattr(margins, "RESAMPLES", 999)
    held = covered(500, 50, skewed)
    assert held >= stats.binom.ppf(0.001, 500, least)
    assert held <= stats.binom.ppf(0.999, 500, 0.96)


@pytest.mark.parametrize("n", [2, 17, 200])
def test_pairs_by_themselves_are_scipys_plain_bootstrap(n: int):
    """To the last bit, with a group for each pair and without any."""
    changes = normal(n, seed=n)
    rng = np.random.default_rng(seed_of(3, "bootstrap"))
    own = stats.bootstrap((changes,), np.mean, n_resamples=9999, batch=500, method="BCa", rng=rng).confidence_interval
    assert interval(changes, 3) == interval(changes, 3, np.arange(n)) == (own.low, own.high)
    rng = np.random.default_rng(seed_of(3, "sign flip"))
    flips: Any = {"permutation_type": "samples", "vectorized": True, "n_resamples": 9999, "batch": 500}
    p = stats.permutation_test((changes,), np.mean, rng=rng, **flips).pvalue
    assert sign_flip(changes, 3) == sign_flip(changes, 3, np.arange(n)) == p


def alike(rng: np.random.Generator, groups: int, icc: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """Changes of 5 pairs an item, about 0, whose items differ: the intraclass correlation is `icc`; and the items."""
    of = np.repeat(np.arange(groups), 5)
    changes = icc**0.5 * rng.normal(size=groups)[of] + (1 - icc) ** 0.5 * rng.normal(size=len(of))
    mixed = rng.permutation(len(of))
    return changes[mixed], np.unique(of[mixed], return_inverse=True)[1]


def test_groups_of_pairs_are_drawn_whole():
    """Unequal groups, in any order: resamples of groups in a loop, their percentiles corrected as by Efron (1987)."""
    rng = np.random.default_rng(21)
    groups = rng.permutation(np.repeat(np.arange(30), rng.integers(1, 9, 30)))
    changes = rng.normal(size=len(groups)) + np.array([group % 3 for group in groups])
    members = [changes[groups == group] for group in range(30)]
    draws = np.array([np.concatenate([members[i] for i in rng.integers(0, 30, 30)]).mean() for _ in range(20_000)])
    left = np.array([np.concatenate([*members[:i], *members[i + 1 :]]).mean() for i in range(30)])
    moved = left.mean() - left
    skew = (moved**3).sum() / (6 * (moved**2).sum() ** 1.5)
    bias = stats.norm.ppf((draws < changes.mean()).mean())
    ends = [
        np.quantile(draws, stats.norm.cdf(bias + (bias + z) / (1 - skew * (bias + z))))
        for z in stats.norm.ppf([0.025, 0.975])
    ]
    assert interval(changes, 0, groups) == pytest.approx(ends, abs=0.02)
    low, high = interval(changes, 0)
    assert ends[1] - ends[0] > 1.15 * (high - low)


@pytest.mark.slow
def test_the_interval_covers_the_truth_with_five_pairs_an_item(monkeypatch: pytest.MonkeyPatch):
    """50 items: pair by pair it would hold 0 in 77 % of cases."""
    monkeypatch.setattr(margins, "RESAMPLES", 499)
    held, naive = 0, 0
    for seed in range(300):
        changes, groups = alike(np.random.default_rng([13, seed]), 50)
        (low, high), (near, far) = interval(changes, seed, groups), interval(changes, seed)
        held, naive = held + (low <= 0 <= high), naive + (near <= 0 <= far)
    assert held >= stats.binom.ppf(0.001, 300, 0.93)
    assert naive <= 0.85 * 300


def test_sign_flips_of_groups():
    """All patterns of the groups' sums."""
    changes, groups = np.array([1.0, 2.0, -0.5, 4.0, -1.0]), np.array([0, 1, 0, 2, 1])
    assert sign_flip(changes, 0, groups) == pytest.approx(flipped([0.5, 1.0, 4.0]))
    assert sign_flip(changes, 0, np.zeros(5, dtype=int)) == 1.0


def test_sign_flips_of_groups_reject_as_often_as_they_say(monkeypatch: pytest.MonkeyPatch):
    """As many small p as are due: pair by pair they come in 20 % of cases."""
    monkeypatch.setattr(margins, "RESAMPLES", 199)
    found = []
    for seed in range(600):
        changes, groups = alike(np.random.default_rng([17, seed]), 20)
        found.append(sign_flip(changes, seed, groups) <= 0.05)
    assert stats.binom.ppf(0.001, 600, 0.05) <= sum(found) <= stats.binom.ppf(0.999, 600, 0.05)


def test_a_single_group_has_no_width():
    assert interval(np.array([1.0, 2.0, 6.0]), 0, np.zeros(3, dtype=int)) == (3.0, 3.0)


@pytest.mark.parametrize(
    ("mean", "pairs", "groups", "nothing"),
    [
        (3.0, 20, None, False),
        (3.0, 19, None, None),  # however clear: of so few nothing is told
        (-3.0, 19, None, None),
        (0.0, 20, None, True),
        (-3.0, 20, None, True),
        (3.0, 95, 19, None),
        (3.0, 100, 20, False),
    ],
)
def test_what_there_is_to_lose(mean: float, pairs: int, groups: int | None, nothing: bool | None):
    margins = normal(pairs, seed=5)
    margins += mean - margins.mean()
    of = None if groups is None else np.arange(pairs) % groups
    found = clean_preference(margins, of, 4)
    assert (found.margin, found.low, found.high) == (float(margins.mean()), *interval(margins, 4, of))
    assert found.groups == (groups or pairs)
    assert found.nothing_to_lose is nothing
    assert found.clean is (nothing is False)


@pytest.mark.slow
def test_few_items_make_no_preference(monkeypatch: pytest.MonkeyPatch):
    """Of 20 items with 5 pairs each, about 0: an interval above 0 comes seldom; pair by pair in 10 % of cases."""
    monkeypatch.setattr(margins, "RESAMPLES", 499)
    drawn = [alike(np.random.default_rng([19, seed]), 20) for seed in range(400)]
    clean = sum(clean_preference(margins, groups, 0).clean for margins, groups in drawn)
    assert clean <= stats.binom.ppf(0.999, 400, 0.045)
    assert sum(clean_preference(margins, None, 0).clean for margins, _ in drawn) > clean


def flipped(changes: list[float]) -> float:
    """Two-sided p by all sign patterns; sums that differ by rounding only are equal."""
    own = abs(sum(changes)) - 1e-9
    sums = [abs(sum(sign * value for sign, value in zip(signs, changes, strict=True))) for signs in _signs(changes)]
    return sum(value >= own for value in sums) / len(sums)


def _signs(changes: list[float]) -> list[tuple[int, ...]]:
    return list(product((1, -1), repeat=len(changes)))


@pytest.mark.parametrize("n", [2, 3, 5, 8, 11])
@pytest.mark.parametrize("mean", [0.0, 0.8])
def test_sign_flips_of_few_pairs_are_all_counted(n: int, mean: float):
    changes = normal(n, seed=n, mean=mean)
    assert sign_flip(changes, 0) == pytest.approx(flipped(changes.tolist()))
    assert sign_flip(changes, 0) == sign_flip(changes, 1)  # nothing is drawn


@pytest.mark.parametrize(
    ("changes", "p"),
    [
        ([1.0, 1.0, 1.0], 0.25),
        ([3.0, -1.0, 1.0, 0.0], 6 / 8),  # 5, 3 and 3 on either side, not 1
        ([1.0, -1.0], 1.0),
        ([0.0, 0.0, 0.0], 1.0),
        ([-1.0] * 6, 2 / 64),
        ([2.0], 1.0),  # of one pair either sign is as far from 0
        ([0.0], 1.0),
    ],
)
def test_sign_flips_by_hand(changes: list[float], p: float):
    assert sign_flip(np.array(changes), 0) == pytest.approx(p)


def whole_p(changes: list[int]) -> float:
    """The exact two-sided p of whole-numbered changes: their sum's distribution, one sign after another."""
    at = sum(map(abs, changes))
    ways = [0] * (2 * at + 1)
    ways[at] = 1
    for value in map(abs, changes):
        ways = [
            (ways[i - value] if i >= value else 0) + (ways[i + value] if i + value < len(ways) else 0)
            for i in range(len(ways))
        ]
    own = abs(sum(changes))
    far = sum(count for i, count in enumerate(ways) if abs(i - at) >= own)
    return float(Fraction(far, 2 ** len(changes)))


@pytest.mark.parametrize(("shift", "seed"), [(0, 1), (1, 2), (2, 3)])
def test_sign_flips_of_many_pairs(shift: int, seed: int):
    """Too many to count: the drawn p is within its own error of the exact one."""
    changes = [int(value) for value in np.random.default_rng(seed).integers(-5, 6, 40) + shift]
    exact, drawn = whole_p(changes), sign_flip(np.array(changes, dtype=float), 0)
    error = 2 * (exact / 2 * (1 - exact / 2) / margins.RESAMPLES) ** 0.5  # twice a one-sided share
    assert drawn == pytest.approx(exact, abs=4 * error + 1 / margins.RESAMPLES)
    assert 0 < drawn <= 1


def plain_p(every: list[int]) -> float:
    """The definition in whole numbers: each set against the mean of all the others, the first is the chosen one."""
    n = len(every) - 1
    far = [abs(value - Fraction(sum(every) - value, n)) for value in every]
    return sum(distance >= far[0] for distance in far) / len(every)


@pytest.mark.parametrize(
    ("delta", "controls", "p"),
    [
        (-9.0, [0.0, 1.0, -1.0], 1 / 4),  # alone outside
        (9.0, [0.0, 1.0, -1.0], 1 / 4),  # on either side
        (0.0, [1.0, -1.0, 3.0, -3.0], 1.0),  # nothing is nearer to the others' mean
        (1.0, [1.0, 1.0], 1.0),
        (0.0, [0.0] * 19, 1.0),
        (2.0, [2.0, 0.0, 0.0, 0.0, 0.0], 2 / 6),  # a tie is as far
        (2.0, [-2.0, 0.0, 0.0], 2 / 4),  # as far on the other side
        (1.0, [0.0], 1.0),  # with one control each is the other's mirror
        (3.0, [2.0, 1.0, 0.0], 2 / 4),  # the ends of an even row
    ],
)
def test_empirical_p_by_hand(delta: float, controls: list[float], p: float):
    assert empirical_p(delta, controls) == pytest.approx(p)


def test_empirical_p_is_its_definition():
    """Whole numbers with many ties, against fractions."""
    rng = np.random.default_rng(8)
    seen = set()
    for _ in range(500):
        every = rng.integers(-4, 5, int(rng.integers(2, 9))).tolist()
        seen.add(plain_p(every))
        assert empirical_p(float(every[0]), [float(value) for value in every[1:]]) == pytest.approx(plain_p(every))
    assert len(seen) > 10


@pytest.mark.parametrize("unit", [1e-6, 1.0, 0.1, 1e6])
@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_ties_survive_rounding(unit: float, shift: float):
    """The same numbers in other units and about another zero: rounding must not part what is equal."""
    every = [unit * (value + shift) for value in (3, 3, -3, 1, 0, -1, -3)]
    assert empirical_p(every[0], every[1:]) == pytest.approx(plain_p([3, 3, -3, 1, 0, -1, -3]))


@pytest.mark.parametrize("n", [19, 4])
def test_p_of_exchangeable_sets_is_uniform(n: int):
    """Every one of its n + 1 values equally often, as a test against chance must have it."""
    rng = np.random.default_rng(n)
    every = rng.standard_t(4, (4000, n + 1))
    found = [round(empirical_p(row[0], row[1:].tolist()) * (n + 1)) for row in every]
    counts = np.bincount(found, minlength=n + 2)
    assert counts[0] == 0
    assert stats.chisquare(counts[1:]).pvalue > 0.001


def test_p_of_a_set_that_matters_is_small():
    rng = np.random.default_rng(9)
    assert all(empirical_p(8.0, rng.normal(size=19).tolist()) == pytest.approx(1 / 20) for _ in range(20))


def test_accuracy_counts_a_tie_as_wrong():
    assert accuracy(np.array([1.0, 0.0, -1.0, 1e-300])) == 0.5


LIKENESS: dict[str, Any] = {"unmatched": 0.125, "overlaps": [0.25, 0.5, 0.75]}


def test_against_controls():
    before = normal(12, seed=10, mean=1.0)
    controls = [before + shift for shift in (-0.5, 0.25, -3.0)]
    found = against(-2.0, before, controls, **LIKENESS, nothing_to_lose=False)
    assert found is not None
    assert found.deltas == pytest.approx([-0.5, 0.25, -3.0])
    assert found.p == plain_p([-8, -2, 1, -12])
    right = [sum(value > 0 for value in margins.tolist()) / 12 for margins in controls]
    expected = {
        "n": 3,
        "accuracy": sum(right) / 3,
        "delta_mean": -3.25 / 3,
        "delta_low": -3.0,
        "delta_high": 0.25,
        "unmatched": 0.125,
        "overlap": 0.5,
    }
    assert (found.verdict, found.direction) == ("too few to tell", None)
    assert found.detectable == Detectable(nats=None, share=None)
    told = {"p", "verdict", "direction", "detectable", "deltas"}
    assert {name: value for name, value in vars(found).items() if name not in told} == pytest.approx(expected)
    assert against(-2.0, before, [], unmatched=0.0, overlaps=[], nothing_to_lose=False) is None


@pytest.mark.parametrize(("delta", "direction"), [(-3.0, "more"), (-0.1, "less"), (0.0, "less"), (3.0, "more")])
def test_against_controls_the_direction_is_said(delta: float, direction: str):
    before = normal(30, seed=11, mean=2.5)
    controls = [before + change for change in np.linspace(-1.2, -0.8, 19)]
    found = against(delta, before, controls, unmatched=0.0, overlaps=[0.1] * 19, nothing_to_lose=False)
    assert found is not None
    assert (found.verdict, found.direction) == ("stands out", direction)


@pytest.mark.parametrize("nothing_to_lose", [False, True, None])
def test_a_share_of_the_margin_only_where_there_is_one(nothing_to_lose: bool | None):
    rng = np.random.default_rng(12)
    before = normal(30, seed=11, mean=2.5)
    deltas = rng.normal(size=25)
    controls = [before + delta for delta in deltas]
    found = against(0.1, before, controls, unmatched=0.0, overlaps=[0.1] * 25, nothing_to_lose=nothing_to_lose)
    assert found is not None
    smallest = detectable(deltas.tolist(), [0.1] * 25)
    assert found.detectable.nats == pytest.approx(smallest)
    due = pytest.approx(smallest / before.mean()) if nothing_to_lose is False else None
    assert found.detectable.share == due
    assert found.verdict == "does not stand out"
