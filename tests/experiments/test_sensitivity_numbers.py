"""The numbers of `sensitivity` against plain loops: equal kept shares, agreement, claims, and one configuration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pytest
from scipy import stats
from sizes import quick_and_slow

from neurosteer.experiments.design import Design
from neurosteer.experiments.intervals import TaskSamples
from neurosteer.experiments.recipe import Recipe
from neurosteer.experiments.sensitivity.agreement import beyond_half, share_of_limit
from neurosteer.experiments.sensitivity.claims import Measurement, answer_of, differences, judge
from neurosteer.experiments.sensitivity.compute import Analysis, analyse
from neurosteer.experiments.sensitivity.equal_share import needed_share, value_at
from neurosteer.experiments.sensitivity.result import Answer, Configuration
from neurosteer.experiments.sensitivity.units import DenseProbes, TrainedMasks
from neurosteer.model import Model
from neurosteer.results import Estimate

U, D, N, X = "up", "down", "not shown", "cannot be judged"


def test_equal_share_by_hand():
    kept = np.array([[[0.05, 0.1, 0.4], [0.2, 0.3, 0.6], [0.0, 0.0, 0.02], [0.3, 0.1, 0.05]]])
    values = np.array([[[0.6, 0.7, 0.9], [0.6, 0.7, 0.8], [0.5, 0.5, 0.6], [0.9, 0.8, np.nan]]])
    found = value_at(kept, values, 0.1)
    np.testing.assert_allclose(found, [[0.7, np.nan, np.nan, 0.8]])
    full = value_at(kept, values, 0.51, full=np.full((1, 4), 1.0))
    by_hand = [0.9 + 0.1 * 0.11 / 0.6, 0.7 + 0.1 * 0.21 / 0.3, 0.6 + 0.4 * 0.49 / 0.98, 0.9 + 0.1 * 0.21 / 0.7]
    np.testing.assert_allclose(full, [by_hand])


def needed_by_grid(kept: np.ndarray, accuracy: np.ndarray, dense: float) -> float:
    """The smallest of 20,001 shares at which the curve is high enough; unknown if all or none are."""
    points = sorted(zip(kept, accuracy, strict=True), key=lambda point: point[0])
    points = [point for point in points if point[0] > 0]
    best, y, grid = 0.0, [], np.linspace(0, 1, 20001)
    for _, value in points:
        best = max(best, value)
        y.append(best)
    if y[0] >= 0.95 * dense or y[-1] < 0.95 * dense:
        return np.nan
    high = (np.interp(grid, [x for x, _ in points], y) >= 0.95 * dense) & (grid >= points[0][0])
    return float(grid[high.argmax()])


def test_needed_share_against_a_fine_grid():
    rng = np.random.default_rng(0)
    kept, accuracy = rng.random((4, 5, 6)), 0.5 + 0.3 * rng.random((4, 5, 6))
    dense = 0.6 + 0.3 * rng.random((4, 5))
    kept[0, 0, 2] = 0.0  # a mask that keeps nothing reads nothing
    found = needed_share(kept, accuracy, dense)
    by_grid = [needed_by_grid(kept[at], accuracy[at], dense[at]) for at in np.ndindex(4, 5)]
    np.testing.assert_allclose(found.ravel(), by_grid, atol=1e-4)
    low, high = accuracy.max(axis=2) < 0.95 * dense, accuracy.min(axis=2) >= 0.95 * dense
    assert low.any()
    assert np.isnan(found[low | high]).all()
    assert np.isfinite(found).any()


def layer_share(spearman: np.ndarray, limit: np.ndarray, weights: np.ndarray) -> float:
    """Of one layer, task by task as often as the weights say."""
    known = [i for i in range(len(weights)) if np.isfinite(spearman[i]) and weights[i]]
    top, bottom = (sum(weights[i] * values[i] for i in known) for values in (spearman, limit))
    return top / bottom if known else np.nan


def test_agreement_beyond_half_by_a_loop():
    """A layer where less than half of the tasks are known is left out; less than half of the layers give nothing."""
    rng = np.random.default_rng(0)
    spearman, limit = rng.uniform(0.2, 0.9, (8, 5)), rng.uniform(0.7, 1.0, (8, 5))
    for layer, unknown in ((1, 4), (2, 5)):  # half of the tasks, and fewer
        spearman[:unknown, layer] = limit[:unknown, layer] = np.nan
    samples = TaskSamples.of([f"task{i}" for i in range(8)], 2)
    shares = share_of_limit(spearman, limit, samples)
    assert np.isfinite(shares[0]).tolist() == [True, True, False, True, True]
    loop = []
    for weights in samples.draws:
        of_layers = [layer_share(spearman[:, layer], limit[:, layer], weights) for layer in (0, 1, 3, 4)]
        loop.append(np.nanmean(of_layers) - 0.5)
    draws, low, high = beyond_half(shares, spearman, samples)
    np.testing.assert_allclose(draws, loop)
    beyond = stats.norm.cdf(-np.sqrt(7 / 6) * stats.t.ppf(0.975, 6))  # 8, 4, 8 and 8 tasks: 7 a layer
    ordered = sorted(loop[1:])
    assert low[0] == ordered[round(beyond * (len(ordered) - 1))]
    assert high[0] == ordered[round((1 - beyond) * (len(ordered) - 1))]
    shares[:, 3] = np.nan
    draws, low, _ = beyond_half(shares, spearman, samples)  # 3 of 5 layers, of 8, 4 and 8 tasks: 6 a layer
    beyond = stats.norm.cdf(-np.sqrt(6 / 5) * stats.t.ppf(0.975, 5))
    assert low[0] == sorted(draws[1:])[round(beyond * (len(draws) - 2))]
    half = beyond_half(shares[:, :4], spearman[:, :4], samples)
    assert all(np.isnan(one).all() for one in half)  # 2 of 4 layers are not most
    shares[:, 4] = np.nan
    draws, low, high = beyond_half(shares, spearman, samples)
    assert np.isnan([*draws, *low, *high]).all()
    assert answer_of(low, high) == "cannot be judged"


@pytest.mark.parametrize(
    ("low", "high", "answer"),
    [
        ((0.1, 0.2, -0.1), (0.5, 0.6, 0.3), "up"),
        ((-0.5, -0.6, -0.1), (-0.2, -0.1, 0.3), "down"),
        ((0.1, -0.2, -0.1), (0.5, 0.6, 0.3), "not shown"),
        ((0.1, 0.1, -0.5, -0.5), (0.5, 0.5, -0.1, -0.1), "not shown"),  # half is not more than half
        ((0.0,), (1.0,), "not shown"),
        ((-1.0,), (0.0,), "not shown"),
        ((np.nan, 0.1), (np.nan, 0.2), "cannot be judged"),
        ((np.nan, np.nan, 0.1), (np.nan, np.nan, 0.2), "cannot be judged"),
        ((np.nan, 0.1, 0.1), (np.nan, 0.2, 0.2), "up"),
    ],
)
def test_what_intervals_answer(low, high, answer):
    assert answer_of(np.array(low), np.array(high)) == answer


FOUR = [(states, start) for states in ("raw", "standardised") for start in ("cold", "warm")]


def made(
    answers: tuple[Answer, ...], numbers: tuple[float, ...] = (0, 0, 0, 0), noise: float = 0.1
) -> list[Measurement]:
    """Of four configurations, and of scaled states beside them; numbers in resamples have a noise of their own."""
    rng = np.random.default_rng(0)
    found = []
    every = zip([*FOUR, ("scaled", "cold")], (*answers, U), (*numbers, 5), strict=True)
    for (states, start), answer, number in every:
        draws = number + np.r_[0, rng.normal(0, noise, 2000)]
        found.append(Measurement(Configuration(states, start, 0.0, "converged"), answer, draws))
    return found


@pytest.mark.parametrize(
    ("answers", "numbers", "verdict", "on"),
    [
        ((U, U, U, U), (0, 0, 1, 1), "holds", []),
        ((D, D, D, D), (0, 0, 1, 1), "fails", []),
        ((D, D, D, N), (0, 0, 1, 1), "fails", []),
        ((D, D, N, N), (0, 0, 1, 1), "not shown", []),  # half is not more than half
        ((N, N, N, N), (0, 0, 1, 1), "not shown", []),
        ((U, U, U, N), (0, 0, 0, 0), "not shown", []),  # no different from the others
        ((U, U, N, N), (1, 1, 0, 0), "depends on training", ["states"]),
        ((U, N, U, N), (1, 0, 1, 0), "depends on training", ["start"]),
        ((U, U, N, N), (3, 2, 1, 0), "depends on training", ["states", "start"]),
        ((U, U, N, N), (3, 1, 2, 0), "depends on training", ["start", "states"]),
        ((N, N, U, U), (0, 1, 2, 3), "depends on training", ["states", "start"]),
        ((U, N, N, U), (1, 0, 0, 1), "not shown", []),
        ((U, N, N, D), (0, 0, 0, 0), "depends on training", []),  # they contradict each other
        ((U, X, X, X), (0, 0, 0, 0), "cannot be judged", []),
        ((X, X, X, X), (0, 0, 0, 0), "cannot be judged", []),
        ((U, U, X, X), (0, 0, 0, 0), "holds", []),
        ((U, D, X, X), (1, 0, np.nan, np.nan), "depends on training", ["start"]),
    ],
)
def test_on_what_a_claim_depends(answers, numbers, verdict, on):
    found = judge("d", made(answers, numbers), 12)
    assert (found.claim, found.verdict, found.depends_on) == ("d", verdict, on)
    counts = [answers.count(answer) for answer in (U, D, N, X)]
    assert [found.up, found.down, found.not_shown, found.unjudged] == counts
    assert (found.holds, found.of, found.configurations) == (counts[0], 4 - counts[3], 4)
    text = "up in {}, down in {}, not shown in {}, cannot be judged in {} of 4 ways"
    assert found.text == text.format(*counts)
    known = [(pair, answer) for pair, answer in zip(FOUR, answers, strict=True) if answer != X]
    for place, factor in enumerate(("states", "start")):
        for choice, count in found.by_choice[factor].items():
            own = [answer for pair, answer in known if pair[place] == choice]
            assert (count.up, count.of) == (own.count(U), len(own))
        assert set(found.by_choice[factor]) == {pair[place] for pair, _ in known}
    whole = {} if not known else {"0.0": (counts[0], len(known))}
    assert found.by_choice["log_alpha"] == whole


def test_differences_by_a_loop():
    """Between configurations that differ in one choice alone; all intervals hold at once."""
    measured = made((U, N, N, X), (0.9, 0.4, 0.3, 0.2), noise=0.2)[:4]
    raw_cold, raw_warm, standardised_cold, standardised_warm = (one.draws for one in measured)
    expected = {
        "states": (raw_cold - standardised_cold + raw_warm - standardised_warm) / 2,
        "start": (raw_cold - raw_warm + standardised_cold - standardised_warm) / 2,
    }
    spread = {name: np.std(draws[1:]) for name, draws in expected.items()}
    largest = [
        max(abs(draws[r] - draws[0]) / spread[name] for name, draws in expected.items()) for r in range(1, 2001)
    ]
    wider = np.sqrt(12 / 11) * stats.t.ppf(0.975, 11) / stats.norm.ppf(0.975)
    reach = sorted(largest)[1899] * wider
    found = differences(measured, 12)
    assert [(one.factor, one.a, one.b) for one in found] == [
        ("states", "raw", "standardised"),
        ("start", "cold", "warm"),
    ]
    for one in found:
        draws = expected[one.factor]
        assert one.difference == pytest.approx(draws[0])
        ends = (draws[0] - reach * spread[one.factor], draws[0] + reach * spread[one.factor])
        assert (one.low, one.high) == pytest.approx(ends, rel=2e-3)
        assert one.apart is bool(one.low > 0 or one.high < 0)
    assert 2.2 < sorted(largest)[1899] < 2.3  # of two: 1.96 for one
    alone = differences(measured[:3], 12)
    values = {one.factor: one.difference for one in alone}
    assert values == pytest.approx({"states": raw_cold[0] - standardised_cold[0], "start": 0.5})
    assert differences(measured, 5) == []


def test_what_never_varies_is_apart_if_it_differs():
    for number, apart in ((0.0, False), (1e-12, False), (2.0, True)):
        [one] = differences(made((U, U, N, N), (number, 0, 0, 0), noise=0.0)[0:2], 12)
        assert (one.difference, one.low, one.high, one.apart) == (number, number, number, apart)


def test_pairs_differ_in_one_choice_alone():
    """Numbers by states, log alpha and training; what lacks its counterpart is in no pair."""
    numbers = {
        ("raw", 0.0, "10 steps"): 1.0,
        ("raw", 0.0, "40 steps"): 5.0,
        ("raw", 1.2, "10 steps"): 3.0,
        ("standardised", 0.0, "10 steps"): 0.0,
        ("standardised", 0.0, "40 steps"): 1.0,
    }
    measured = [
        Measurement(Configuration(states, "cold", log_alpha, training), U, np.full(2001, number))
        for (states, log_alpha, training), number in numbers.items()
    ]
    found = {(one.factor, one.a, one.b): one.difference for one in differences(measured, 12)}
    assert found == {
        ("states", "raw", "standardised"): ((1 - 0) + (5 - 1)) / 2,
        ("log_alpha", 0.0, 1.2): 1 - 3,
        ("training", "10 steps", "40 steps"): ((1 - 5) + (0 - 1)) / 2,
    }


def test_a_difference_but_for_rounding_widens_no_interval():
    """Cold and warm starts differ by the same in every resample, as far as numbers can; states do not."""
    rng = np.random.default_rng(0)
    raw, standardised = np.r_[0, rng.normal(size=2000)], np.zeros(2001)
    measured = [
        Measurement(Configuration(states, start, 0.0, "10 steps"), U, draws + (start == "cold") * rounded)
        for states, draws in (("raw", raw), ("standardised", standardised))
        for start, rounded in (("cold", 2 + 1e-13 * rng.normal(size=2001)), ("warm", np.zeros(2001)))
    ]
    of_states, of_start = sorted(differences(measured, 12), key=lambda one: one.factor == "start")
    largest = sorted(np.abs(raw[1:]) / np.std(raw[1:]))[1899]
    wider = np.sqrt(12 / 11) * stats.t.ppf(0.975, 11) / stats.norm.ppf(0.975)
    assert of_states.high == pytest.approx(largest * wider * np.std(raw[1:]), rel=2e-3)
    assert (of_start.difference, of_start.apart) == (pytest.approx(2), True)


@pytest.mark.parametrize(
    ("slope", "likely"), quick_and_slow([(6.0, "holds")], [(0.0, "not shown"), (1.3, None), (-6.0, "fails")])
)
def test_the_same_truth_in_all_configurations_depends_on_nothing(slope: float, likely: str | None):
    """20 runs of 32 configurations with one trend and noise of their own: in some runs not all of them show it."""
    rng = np.random.default_rng(0)
    choices = [
        ("standardised", "raw"),
        ("cold", "warm"),
        (0.0, 1.2),
        ("400 steps", "2,000 steps", "6,000 steps", "more"),
    ]
    configurations = [Configuration(*chosen) for chosen in product(*choices)]
    found, mixed = [], 0
    for run in range(20):
        samples = TaskSamples.apart(8, run)
        tasks = slope * np.linspace(0, 1, 6)[:, None] + rng.normal(size=(8, 6, 1))
        values = tasks[..., None] + 0.5 * rng.normal(size=(8, 6, 1, 32))
        rises = samples.trend(values.reshape(8, 6, 32))
        every = [
            Measurement(one, answer_of(rises.low[i : i + 1], rises.high[i : i + 1]), rises.draws[:, i])
            for i, one in enumerate(configurations)
        ]
        claim = judge("d", every, 8)
        found.append(claim.verdict)
        mixed += 0 < claim.up < 32
    assert found.count("depends on training") <= 2
    assert likely is None or found.count(likely) >= 18
    assert likely is not None or mixed >= 10


LAYERS, LAMBDAS, AT = (1, 3, 4, 7), (0.2, 0.6, 0.9, 1.0), 1
CONFIGURATION = Configuration("raw", "warm", 1.2, "40 steps")


def some_masks(unknown: int) -> tuple[TrainedMasks, DenseProbes]:
    """Of 12 tasks. The first ones' masks read too much at the second layer; one task's keep too few at the first."""
    rng, shape = np.random.default_rng(3), (12, len(LAYERS), len(LAMBDAS))
    kept = np.clip(rng.uniform(-0.04, 0.04, shape) + np.array([0.05, 0.3, 0.6, 1]), 0.02, 1)
    kept[..., 1:3] += 0.02 * np.arange(4)[:, None]
    kept[..., 3] = 1.0
    kept[9, 0] = [0.02, 0.04, 0.06, 0.08]
    accuracy = rng.uniform(-0.1, 0.1, shape) + np.array([0.6, 0.7, 0.8, 0.9])
    validation = accuracy + rng.uniform(-0.02, 0.02, shape)
    dense = DenseProbes(*rng.uniform(0.9, 1.0, (2, 12, 4)), *rng.uniform(1, 2, (2, 12, 4)))
    validation[..., 3] = dense.validation
    validation[:unknown, 1] = 1.0
    dense.validation[11, 2] = 0.54
    spearman, limit = rng.uniform(0.1, 0.8, shape), rng.uniform(0.8, 1.0, shape)
    spearman[..., 3] = limit[..., 3] = np.nan
    spearman[:7, 3, :2] = limit[:7, 3, :2] = np.nan
    loss, penalty = np.log(2) * np.array(LAMBDAS) * rng.uniform(0, 1, shape), rng.uniform(0, 0.1, shape)
    return TrainedMasks(CONFIGURATION, kept, accuracy, validation, spearman, limit, loss, penalty), dense


def at_tenth(kept: np.ndarray, values: np.ndarray) -> float:
    """On the line through the points by kept share, at .1; unknown outside."""
    known = [(x, y) for x, y in zip(kept, values, strict=True) if np.isfinite(y)]
    known.sort(key=lambda point: point[0])
    x = [share for share, _ in known]
    return float(np.interp(0.1, x, [y for _, y in known])) if known and x[0] <= 0.1 <= x[-1] else np.nan


@dataclass(frozen=True, eq=False)
class Analysed:
    """Masks of one configuration, and what `analyse` makes of them."""

    masks: TrainedMasks
    dense: DenseProbes
    samples: TaskSamples
    found: Analysis

    @classmethod
    def of(cls, model: Model, unknown: int = 2, *, worse: tuple[int, ...] = ()) -> Analysed:
        """At the lambdas `worse` the masks end above the loss of closed gates."""
        masks, dense = some_masks(unknown)
        masks.loss[..., list(worse)] += np.log(2)
        design = Design.of(Recipe("test", experiments=("sensitivity",), topk=2), model, frozenset({"states"}))
        design = replace(design, layers=LAYERS, lambdas=LAMBDAS, lam=LAMBDAS[AT])
        samples = TaskSamples.of([f"task{i}" for i in range(12)], 2)
        return cls(masks, dense, samples, analyse(masks, dense, design, LAMBDAS[AT], samples))

    @property
    def readable(self) -> np.ndarray:
        return self.dense.validation >= 0.55

    @property
    def needed(self) -> np.ndarray:
        kept, validation, dense = self.masks.kept, self.masks.validation, self.dense.validation
        by_grid = [needed_by_grid(kept[at], validation[at], dense[at]) for at in np.ndindex(12, 4)]
        return np.where(self.readable, np.reshape(by_grid, (12, 4)), np.nan)

    @property
    def relative(self) -> np.ndarray:
        """At a tenth of the units; the dense probe keeps all."""
        kept, accuracy, dense = self.masks.kept, self.masks.accuracy, self.dense.accuracy
        found = [
            at_tenth(np.append(kept[at], 1.0), np.append(accuracy[at], dense[at])) / dense[at]
            for at in np.ndindex(12, 4)
        ]
        return np.where(self.readable, np.reshape(found, (12, 4)), np.nan)

    def shares_of_limit(self, equal: bool) -> list[float]:
        """Of the layers where at least half of the tasks are known."""
        both = [
            np.reshape([at_tenth(self.masks.kept[at], values[at]) for at in np.ndindex(12, 4)], (12, 4))
            if equal
            else values[:, :, AT]
            for values in (self.masks.spearman, self.masks.limit)
        ]
        return [layer_share(both[0][:, i], both[1][:, i], np.ones(12)) for i in range(3)]


def word(one: Estimate) -> Answer:
    assert one.low is not None
    assert one.high is not None
    return U if one.low > 0 else D if one.high < 0 else N


def test_a_configuration_at_one_lambda(llama: Model):
    one = Analysed.of(llama)
    summary, masks = one.found.summary, one.masks
    assert summary.factors == CONFIGURATION.factors
    assert summary.lam == 0.6
    for name, values in (("kept", masks.kept), ("accuracy", masks.accuracy), ("loss", masks.loss)):
        assert getattr(summary, name) == pytest.approx(np.mean(values[:, :, AT]))
    relative = [masks.accuracy[t, i, AT] / one.dense.accuracy[t, i] for t, i in np.argwhere(one.readable)]
    assert len(relative) == 47
    assert summary.relative == pytest.approx(np.mean(relative))
    trends = [one.samples.trend(masks.kept[:, :, [j]]) for j in range(3)]
    rhos = [stats.spearmanr(LAYERS, masks.kept[:, :, j].mean(axis=0)).statistic for j in range(3)]
    assert summary.rho.value == pytest.approx(rhos[AT])
    assert (summary.rho.low, summary.rho.high) == (trends[AT].low[0], trends[AT].high[0])
    rising, falling = sum(trend.low[0] > 0 for trend in trends), sum(trend.high[0] < 0 for trend in trends)
    assert (summary.rising_lambdas, summary.falling_lambdas, summary.of_lambdas) == (rising, falling, 3)
    assert summary.d == (U if rising >= 2 else D if falling >= 2 else N)
    draws = one.found.measurements.d.draws
    assert draws[0] == pytest.approx(np.mean(rhos))
    assert draws[9] == pytest.approx(np.mean([trend.draws[9, 0] for trend in trends]))


def test_masks_that_are_worse_than_closed_gates_are_not_judged(llama: Model):
    """At the run's lambda nothing is; a trend that most lambdas judge is still judged by the others."""
    usual, here, most = Analysed.of(llama), Analysed.of(llama, worse=(AT,)), Analysed.of(llama, worse=(0, AT))
    summaries = [one.found.summary for one in (usual, here, most)]
    assert [one.trained for one in summaries] == [True, False, False]
    assert [one.of_lambdas for one in summaries] == [3, 2, 1]
    assert [one.d == X for one in summaries] == [False, False, True]
    for one in (here, most):
        for claim in ("b", "b_equal", "d_equal"):
            assert getattr(one.found.summary, claim) == one.found.measurements.of(claim).answer == X
        assert one.found.summary.rho.value is None


@pytest.mark.parametrize(("unknown", "judged"), [(2, True), (5, False)])
def test_a_configuration_at_an_equal_share(llama: Model, unknown: int, judged: bool):
    """`unknown` tasks and one more have no trend: in the second case half of them, which is not most."""
    one = Analysed.of(llama, unknown)
    summary, needed, measured = one.found.summary, one.needed, one.found.measurements.d_equal
    assert summary.needed == pytest.approx(np.nanmean(needed), abs=1e-4)
    assert summary.relative_equal == pytest.approx(np.nanmean(one.relative))
    whole = np.isfinite(needed).all(axis=1)
    assert (summary.tasks_equal, summary.of_tasks) == (whole.sum(), 12) == (11 - unknown, 12)
    assert measured.answer == summary.d_equal
    if judged:
        rho = stats.spearmanr(LAYERS, needed[whole].mean(axis=0)).statistic
        assert summary.rho_equal.value == measured.draws[0] == pytest.approx(rho)
        assert summary.d_equal == word(summary.rho_equal)
    else:
        assert summary.rho_equal.low is None
        assert summary.d_equal == X


def test_agreement_of_a_configuration(llama: Model):
    """At one lambda, and at an equal share; at the last layer 5 of 12 tasks are known, which are too few."""
    one = Analysed.of(llama)
    summary, measured = one.found.summary, one.found.measurements
    at_lambda, at_equal = one.shares_of_limit(False), one.shares_of_limit(True)
    assert at_lambda != pytest.approx(at_equal)
    assert (summary.of_layers, summary.of_layers_equal) == (3, 3)
    assert summary.beyond_half.value == measured.b.draws[0] == pytest.approx(np.mean(at_lambda) - 0.5)
    assert summary.beyond_half_equal.value == measured.b_equal.draws[0]
    assert summary.beyond_half_equal.value == pytest.approx(np.mean(at_equal) - 0.5)
    assert summary.agreeing_layers == sum(share >= 0.5 for share in at_lambda)
    assert summary.agreeing_layers_equal == sum(share >= 0.5 for share in at_equal)
    assert summary.b == measured.b.answer == word(summary.beyond_half)
    assert summary.b_equal == measured.b_equal.answer == word(summary.beyond_half_equal)


def test_a_configuration_layer_by_layer(llama: Model):
    one = Analysed.of(llama)
    at_lambda, at_equal, relative = one.shares_of_limit(False), one.shares_of_limit(True), one.relative
    for i, row in enumerate(one.found.by_layer):
        assert (row.layer, row.factors) == (LAYERS[i], CONFIGURATION.factors)
        for own, values in ((row.kept, one.masks.kept[:, i, AT]), (row.needed, one.needed[:, i])):
            mean = one.samples.means(values[:, None])
            ends = (mean.mean[0], mean.low[0], mean.high[0])
            expected = [pytest.approx(float(end), abs=1e-4) if np.isfinite(end) else None for end in ends]
            assert [own.value, own.low, own.high] == expected
        assert row.relative_equal == pytest.approx(np.nanmean(relative[:, i]))
        assert row.agreement == (pytest.approx(at_lambda[i]) if i < 3 else None)
        assert row.agreement_equal == (pytest.approx(at_equal[i]) if i < 3 else None)
    assert [(point.layer, point.lam) for point in one.found.points] == list(product(LAYERS, LAMBDAS))
    for (i, j), point in zip(np.ndindex(4, 4), one.found.points, strict=True):
        assert point.factors == CONFIGURATION.factors
        for name in ("accuracy", "kept", "limit", "loss", "penalty", "spearman"):
            mean = one.samples.means(getattr(one.masks, name)[:, i, j, None])
            own, expected = getattr(point, name), Estimate.of(mean.mean[0], mean.low[0], mean.high[0])
            if expected.value is None:
                assert own == expected
            else:
                assert (own.value, own.low, own.high) == pytest.approx((expected.value, expected.low, expected.high))
