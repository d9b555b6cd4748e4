"""Intervals over tasks: against plain loops, and against the truth in simulated populations."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sizes import quick_and_slow

from neurosteer.experiments.intervals import RESAMPLES, TaskSamples
from neurosteer.experiments.intervals import ends as interval_ends
from neurosteer.results import record

GROUPED = [name for name in "abcdefg" for _ in range(3)]  # 21 tasks of 7 phenomena


def ends(values: list[float], drawn: int) -> tuple[float, float]:
    """Percentiles widened as Hesterberg (2015) does."""
    beyond = stats.norm.cdf(-np.sqrt(drawn / (drawn - 1)) * stats.t.ppf(0.975, drawn - 1))
    ordered = sorted(values)
    return ordered[round(beyond * (len(ordered) - 1))], ordered[round((1 - beyond) * (len(ordered) - 1))]


@pytest.mark.parametrize(
    ("phenomena", "what", "drawn", "notice"),
    [
        (GROUPED, "phenomena", 7, None),
        (GROUPED[:18], "phenomena", 6, None),
        (GROUPED[:15], "tasks", 15, "the 15 tasks belong to fewer than 6 phenomena (5): intervals over tasks take"),
        (list("abcdefgh"), "tasks", 8, None),
        (list("abcdef"), "tasks", 6, None),
        (list("abcde"), "tasks", 5, "fewer than 6 tasks: no intervals over tasks"),
        (["a"], "tasks", 1, "fewer than 6 tasks: no intervals over tasks"),
    ],
)
def test_what_is_drawn(phenomena, what, drawn, notice):
    samples = TaskSamples.of(phenomena, 3)
    assert record(samples.resampled) == {"what": what, "drawn": drawn, "least": 6}
    said = samples.notices(phenomena)
    assert len(said) == (notice is not None)
    assert notice is None or said[0].startswith(notice)


def test_whole_phenomena_are_drawn():
    found = TaskSamples.of(["b", "a", *GROUPED], 3).draws
    assert found.shape == (RESAMPLES + 1, 23)
    assert (found[0] == 1).all()
    assert (found[:, [1, 2, 3, 4]] == found[:, [1]]).all()  # all of "a", in whichever order
    assert (found[:, 2::3].sum(axis=1) == 7).all()
    assert np.var(found[1:, 2]) == pytest.approx(6 / 7, rel=0.1)  # of a multinomial
    np.testing.assert_array_equal(TaskSamples.apart(8, 3).draws, TaskSamples.of(list("abcdefgh"), 3).draws)


def test_means_by_a_loop():
    """Unknown values are left out; the interval counts the phenomena that are known."""
    rng = np.random.default_rng(0)
    values = rng.random((21, 4))
    values[3, 0] = values[:3, 1] = values[4:10, 2] = np.nan  # one task, one phenomenon, one of two and a part
    values[:6, 3] = np.nan  # two phenomena: five are left
    samples = TaskSamples.of(GROUPED, 3)
    found = samples.means(values)
    assert found.tasks.tolist() == [20, 18, 15, 15]
    for point, drawn in enumerate((7, 6, 6, 5)):
        known = np.isfinite(values[:, point])
        means = [
            float(np.average(values[known, point], weights=row[known])) for row in samples.draws if row[known].sum()
        ]
        assert found.mean[point] == pytest.approx(values[known, point].mean())
        if drawn < 6:
            assert np.isnan([found.low[point], found.high[point]]).all()
        else:
            assert (found.low[point], found.high[point]) == pytest.approx(ends(means[1:], drawn))


def test_infinity_is_beyond_all_numbers():
    drawn = np.random.default_rng(0).permutation([1.0] * 1990 + [np.inf] * 10)[:, None]
    assert [end.tolist() for end in interval_ends(drawn, 6)] == [[1.0], [np.inf]]
    assert [end.tolist() for end in interval_ends(drawn, 30)] == [[1.0], [1.0]]


def coverage(samples: TaskSamples, values: np.ndarray) -> float:
    """How often the interval of the mean of `values [task run]` holds 0."""
    found = samples.means(values)
    return float(((found.low <= 0) & (found.high >= 0)).mean())


@pytest.mark.parametrize(
    ("tasks", "least"), [(6, 0.92), *(pytest.param(*one, marks=pytest.mark.slow) for one in ((12, 0.93), (67, 0.94)))]
)
def test_intervals_hold_the_mean_of_few_and_of_many(tasks: int, least: float):
    """In 93, 94 and 95 % of 2,000 normal samples, give or take one; the plain percentiles of six in 86 %."""
    values = np.random.default_rng(tasks).normal(size=(tasks, 2000))
    samples = TaskSamples.of([f"task{i}" for i in range(tasks)], 1)
    assert least <= coverage(samples, values) <= 0.96
    if tasks == 6:
        low, high = np.percentile(samples.means_of_resamples(values)[1:], (2.5, 97.5), axis=0)
        assert ((low <= 0) & (high >= 0)).mean() < 0.88


@pytest.mark.parametrize("share", quick_and_slow([0.6], [0.1]))
def test_intervals_hold_the_mean_of_tasks_that_are_alike(share: float):
    """12 phenomena of 5 tasks, where phenomena are this share of the variance; taken for independent, too few do."""
    rng = np.random.default_rng(0)
    phenomena = np.repeat(np.arange(12), 5)
    values = np.sqrt(share) * rng.normal(size=(12, 2000))[phenomena]
    values += np.sqrt(1 - share) * rng.normal(size=(60, 2000))
    assert 0.92 <= coverage(TaskSamples.of([str(name) for name in phenomena], 1), values) <= 0.97
    assert coverage(TaskSamples.apart(60, 1), values) < 0.9


def trending(tasks: int, runs: int, kind: str, rng: np.random.Generator) -> np.ndarray:
    """`[task layer run]` whose expectation is the same at all 8 layers."""
    noise = rng.normal(size=(tasks, 8, runs))
    if kind == "walks":
        return noise.cumsum(axis=1)
    own = rng.normal(size=(tasks, 1, runs)) * np.linspace(-1, 1, 8)[:, None]
    return noise + own if kind == "slopes" else noise


@pytest.mark.parametrize("kind", quick_and_slow(["slopes"], ["noise", "walks"]))
@pytest.mark.parametrize("tasks", quick_and_slow([6], [12, 67]))
def test_no_trend_is_seldom_one(tasks: int, kind: str):
    """At most 6 % of 400 on either side: .025 and what chance adds, or .045 of six."""
    values = trending(tasks, 400, kind, np.random.default_rng(tasks))
    found = TaskSamples.apart(tasks, 1).trend(values)
    assert (found.low > 0).mean() <= 0.06
    assert (found.high < 0).mean() <= 0.06


@pytest.mark.slow
def test_no_trend_of_tasks_that_are_alike():
    rng = np.random.default_rng(5)
    phenomena = np.repeat(np.arange(12), 5)
    values = trending(12, 400, "slopes", rng)[phenomena] + 0.3 * rng.normal(size=(60, 8, 400))
    found = TaskSamples.of([str(name) for name in phenomena], 1).trend(values)
    assert (found.low > 0).mean() + (found.high < 0).mean() <= 0.1
    apart = TaskSamples.apart(60, 1).trend(values)
    assert (apart.low > 0).mean() + (apart.high < 0).mean() > 0.2


@pytest.mark.slow
def test_trend_by_scipy():
    """Of every resample of the tasks; tasks that are NaN are left out of a layer's mean."""
    rng = np.random.default_rng(0)
    values = rng.random((7, 5, 2)) + np.arange(5)[:, None] * [0.1, -0.3]
    values[2, 3] = np.nan
    samples = TaskSamples.of(list("abcdefg"), 4)
    found = samples.trend(values)
    for point in range(2):
        rhos = []
        for row in samples.draws.astype(int):
            mean = np.nanmean(np.repeat(values[:, :, point], row, axis=0), axis=0)
            rhos.append(stats.spearmanr(np.arange(5), mean).statistic)
        assert found.rho[point] == pytest.approx(rhos[0])
        assert found.draws[:, point] == pytest.approx(rhos)
        assert (found.low[point], found.high[point]) == pytest.approx(ends(rhos[1:], 6))


def test_few_tasks_have_a_trend_and_no_interval_of_it():
    """Nor have many, where a layer knows fewer than six."""
    values = np.random.default_rng(0).random((5, 4, 1)) + np.arange(4)[:, None]
    few = TaskSamples.apart(5, 0).trend(values)
    assert few.rho.tolist() == [1.0]
    assert np.isnan([few.low, few.high]).all()
    holed = np.concatenate([values, values + 0.1])
    holed[:5, 2] = np.nan
    assert np.isnan(TaskSamples.apart(10, 0).trend(holed).low).all()
    assert TaskSamples.apart(10, 0).trend(np.concatenate([values, values])).low.tolist() == [1.0]
    assert TaskSamples.apart(6, 0).trend(np.ones((6, 4, 1))).rho.tolist() == [0.0]


def test_tasks_that_have_nothing_in_common():
    values = np.random.default_rng(2).random((9, 3))
    found, same = TaskSamples.apart(9, 4).means(values), TaskSamples.of([str(i) for i in range(9)], 4).means(values)
    np.testing.assert_array_equal(found.low, same.low)
