"""Masks in every way to train them: units against `fit_l0` by hand, numbers against plain loops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import numpy as np
import pytest
import torch
from scipy import stats
from tiny_models import random_pairs

from neurosteer.errors import InputError
from neurosteer.experiments.design import Design
from neurosteer.experiments.experiment import Task, Work
from neurosteer.experiments.scope import Data, Scope, Settings, TaskInfo
from neurosteer.experiments.sensitivity import EXPERIMENT, check
from neurosteer.experiments.sensitivity.agreement import beyond_half, share_of_limit
from neurosteer.experiments.sensitivity.claims import Measurement, answer_of, differences, judge
from neurosteer.experiments.sensitivity.equal_share import needed_share, value_at
from neurosteer.experiments.sensitivity.figures import draw, draw_equal_share
from neurosteer.experiments.sensitivity.result import Answer, Configuration, LayerPoint, Sensitivity, Summary, UpCount
from neurosteer.experiments.sensitivity.tables import tables
from neurosteer.experiments.sensitivity.units import sensitivity_name
from neurosteer.experiments.sensitivity.variants import variants
from neurosteer.experiments.shared.intervals import TaskSamples
from neurosteer.experiments.shared.states import states_unit
from neurosteer.forward import eos_states
from neurosteer.model import Model, sentence_tokens
from neurosteer.pairs import Pairs
from neurosteer.probes import L0, L0Settings, fit_l0, fit_logistic
from neurosteer.progress import QUIET
from neurosteer.results import Estimate
from neurosteer.runner import Recipe
from neurosteer.runner.units import UnitResult
from neurosteer.seeds import generator

TASKS = 6
U, D, N, X = "up", "down", "not shown", "cannot be judged"
LAMBDAS = (0.2, 0.6, 0.9)
STARTS = list(product(("cold", "warm"), (0.0, 1.2)))  # of the weights, of the gates' log alpha
RECIPE = Recipe(
    "test", experiments=("sensitivity",), lambdas=LAMBDAS, l0_steps=30, unpenalised_steps=(10, 40), layer=0, topk=2
)


@pytest.fixture(scope="module")
def tasks() -> list[Pairs]:
    return [random_pairs(80, seed=seed, longest=6, task=f"task{seed}") for seed in range(TASKS)]


def work_of(model: Model, tasks: Sequence[Pairs]) -> Work:
    design = Design.of(RECIPE, model, EXPERIMENT.needs)
    samples = TaskSamples.of([pairs.task for pairs in tasks], design.seed)
    return Work(RECIPE, design, model, lambda: model, [Task(one, one.split()) for one in tasks], samples, QUIET)


def scope_of(work: Work) -> Scope:
    settings = Settings.of(work.design, work.model.n_layers, work.samples.resampled)
    tokenise = partial(sentence_tokens, work.model)
    infos = tuple(TaskInfo.of(task.pairs, task.split, tokenise) for task in work.tasks)
    return Scope({"name": "tiny"}, Data("random", sum(one.pairs for one in infos), "pair", 0), infos, (), settings)


@dataclass(frozen=True, eq=False)
class Run:
    """All units of the recipe, and what they give."""

    units: dict[str, UnitResult]
    scope: Scope
    result: Sensitivity


@pytest.fixture(scope="module")
def run(llama: Model, tasks: list[Pairs]) -> Run:
    work, found = work_of(llama, tasks), {}
    for task in work.tasks:
        states = states_unit(lambda: llama, task.pairs, task.split, work.design, QUIET, seconds=1e-3)
        for unit in [states, *EXPERIMENT.task_units(work, task)]:
            found[unit.name] = unit.compute(found.__getitem__)
    scope = scope_of(work)
    return Run(found, scope, EXPERIMENT.compute(found.__getitem__, work, scope))


def test_what_is_compared():
    """2 x 2 x 2 starts and one more, each with two losses; the first edition's training is among them."""
    found = variants(L0, (400, 2000, 6000))
    assert len({variant.name for variant in found}) == len(found) == 6
    for penalised in (False, True):
        every = [one for v in found if v.penalised is penalised for one in v.settings]
        starts = [(one.states, one.start, one.log_alpha) for one in every]
        assert sorted(starts) == sorted(
            [*product(("standardised", "raw"), ("cold", "warm"), (0.0, 1.2)), ("scaled", "cold", 0.0)]
        )
    [first] = [v for v in found if v.name == "standardised-paper"]
    assert first.steps == (400, 2000, 6000)
    earliest = first.settings[STARTS.index(("warm", 1.2))].settings()
    assert {name: earliest[name] for name in ("rate_weights", "rate_gates", "decay", "weight_l2", "beta2")} == {
        "rate_weights": 0.01,
        "rate_gates": 0.1,
        "decay": "none",
        "weight_l2": 0.0,
        "beta2": 0.999,
    }
    [settled] = [v for v in found if v.name == "standardised-penalty"]
    assert settled.settings[0] == L0


@pytest.mark.parametrize("states", ["standardised", "scaled", "raw"])
@pytest.mark.parametrize("start", ["cold", "warm"])
def test_a_unit_by_hand(llama, tasks, run, states, start):
    """Kept share, accuracy and loss of the penalised training, on states that are prepared here."""
    if (states, start) == ("scaled", "warm"):
        pytest.skip("not among the variants")
    pairs = tasks[0]
    split, values = pairs.split(), eos_states(llama, pairs).values
    train, test = (
        torch.cat([values[list(split.indices[part])][:, side] for side in (0, 1)]) for part in ("train", "test")
    )
    y, y_test = (torch.cat([torch.ones(len(x) // 2), -torch.ones(len(x) // 2)]) for x in (train, test))
    settings = L0Settings(states=states, start=start, log_alpha=0.0, steps=30 if states == "standardised" else 120)
    found = run.units[sensitivity_name("task0", f"{states}-penalty")].arrays
    at = STARTS.index((start, 0.0))
    for layer in range(llama.n_layers):
        x, x_test = train[:, layer], test[:, layer]
        mean, std = x.mean(dim=0), x.std(dim=0, correction=0)
        level = std.square().mean().sqrt()
        dense = fit_logistic(((x - mean) / std)[None], y, torch.tensor([[settings.warm_l2]]))
        weights, bias = dense.weights[0, 0] / std, dense.bias[0, 0] - (dense.weights[0, 0] / std) @ mean
        if states == "standardised":
            x, x_test, weights, bias = (x - mean) / std, (x_test - mean) / std, dense.weights[0, 0], dense.bias[0, 0]
        elif states == "scaled":
            x, x_test, weights = x / level, x_test / level, weights * level
        warm = type(dense)(weights[None, None], bias[None, None])
        noise = [[generator(0, "task0", layer, "l0")] * len(LAMBDAS)]
        own = fit_l0(x[None], y, LAMBDAS, noise, settings=settings, dense=warm if start == "warm" else None)
        probes = own.probes
        right = ((x_test @ probes.weights[0].T + probes.bias[0]) * y_test[:, None] > 0).float().mean(dim=0)
        loss = own.loss(x[None], y, LAMBDAS, generator(0, "task0", "loss"))[0]
        np.testing.assert_allclose(found["kept"][layer, at, 0], own.kept[0], atol=1.01 / 32)
        np.testing.assert_allclose(found["accuracy"][layer, at, 0], right, atol=2.01 / len(y_test))
        np.testing.assert_allclose(found["loss"][layer, at, 0], loss, rtol=5e-3)


def test_the_first_steps_of_a_longer_training(run):
    """After 10 of 40 steps without a penalty, another mask than after 40."""
    found = run.units[sensitivity_name("task0", "raw-paper")].arrays
    assert found["kept"].shape == (3, 4, 2, 3)
    assert (found["penalty"] == 0).all()
    assert not np.allclose(found["loss"][:, :, 0], found["loss"][:, :, 1])
    penalised = run.units[sensitivity_name("task0", "raw-penalty")].arrays
    assert (penalised["penalty"] > 0).all()


def crossed(result: Sensitivity) -> list[Summary]:
    return [row for row in result.configurations if row.states != "scaled"]


def test_the_result(run):
    """Means over tasks of the units' numbers, and a verdict for either claim."""
    result = run.result
    assert len(result.configurations) == 9 * 3
    assert len(result.rows) == 9 * 3 * 3 * 3
    for row in result.rows[::7]:
        loss = "penalty" if row.training == "with a penalty" else "paper"
        at = STARTS.index((row.start, row.log_alpha))
        stage = {"10 steps": 0, "40 steps": 1, "with a penalty": 0}[row.training]
        units = [run.units[sensitivity_name(f"task{t}", f"{row.states}-{loss}")].arrays for t in range(TASKS)]
        for name in ("accuracy", "kept", "limit", "loss", "penalty", "spearman"):
            own = [arrays[name][row.layer, at, stage, LAMBDAS.index(row.lam)] for arrays in units]
            known = [value for value in own if np.isfinite(value)]
            expected = pytest.approx(np.mean(known), abs=1e-6) if known else None
            assert getattr(row, name).value == expected
    verdicts = EXPERIMENT.verdicts({"sensitivity": result}, run.scope)
    for verdict, claim in zip(verdicts, [result.claims[0], result.claims[2]], strict=True):
        counted = [sum(getattr(row, claim.claim) == answer for row in crossed(result)) for answer in (U, D, N, X)]
        assert [claim.up, claim.down, claim.not_shown, claim.unjudged] == counted
        assert sum(counted) == claim.configurations == 24
        assert (verdict.claim, verdict.unit) == (claim.claim, "ways to train")
        assert (verdict.holds, verdict.of) == (counted[0], 0 if claim.verdict == X else 24)
        assert verdict.text == f"{claim.verdict}: {claim.text}"
    for row in result.configurations:
        assert (row.d == "up") is (row.rising_lambdas > 1.5)
        assert (row.d == "down") is (row.falling_lambdas > 1.5)
        assert (row.b == "up") is (row.beyond_half.low is not None and row.beyond_half.low > 0)


def test_three_tasks_judge_no_claim(llama: Model, tasks: list[Pairs], run):
    """From the same units: means, and no intervals."""
    work = work_of(llama, tasks[:3])
    scope = scope_of(work)
    result = EXPERIMENT.compute(run.units.__getitem__, work, scope)
    assert {claim.verdict for claim in result.claims} == {"cannot be judged"}
    assert {getattr(row, claim) for row in result.configurations for claim in ("b", "b_equal", "d", "d_equal")} == {X}
    assert all(row.rho.value is not None and row.rho.low is None for row in result.configurations)
    assert [(one.holds, one.of) for one in EXPERIMENT.verdicts({"sensitivity": result}, scope)] == [(0, 0), (0, 0)]
    claims, every, _ = tables(result, scope)
    assert {row[2] for row in claims.rows} == {
        "up in 0, down in 0, not shown in 0, cannot be judged in 24 of 24 ways"
    }
    assert not any("[" in cell for row in every.rows for cell in row)


def test_equal_share_by_hand():
    kept = np.array([[[0.05, 0.1, 0.4], [0.2, 0.3, 0.6], [0.0, 0.0, 0.02], [0.3, 0.1, 0.05]]])
    values = np.array([[[0.6, 0.7, 0.9], [0.6, 0.7, 0.8], [0.5, 0.5, 0.6], [0.9, 0.8, np.nan]]])
    found = value_at(kept, values, 0.1)
    np.testing.assert_allclose(found, [[0.7, np.nan, np.nan, 0.8]])
    full = value_at(kept, values, 0.51, full=np.full((1, 4), 1.0))
    by_hand = [0.9 + 0.1 * 0.11 / 0.6, 0.7 + 0.1 * 0.21 / 0.3, 0.6 + 0.4 * 0.49 / 0.98, 0.9 + 0.1 * 0.21 / 0.7]
    np.testing.assert_allclose(full, [by_hand])


def test_needed_share_against_a_fine_grid():
    """The smallest of 20,001 shares at which the curve is high enough; unknown where it begins so high."""
    rng = np.random.default_rng(0)
    kept, accuracy = rng.random((4, 5, 6)), 0.5 + 0.3 * rng.random((4, 5, 6))
    dense = 0.7 + 0.3 * rng.random((4, 5))
    kept[0, 0, 2] = 0.0  # a mask that keeps nothing reads nothing
    found, grid = needed_share(kept, accuracy, dense), np.linspace(0, 1, 20001)
    for at in np.ndindex(4, 5):
        points = sorted([*zip(kept[at], accuracy[at], strict=True), (1.0, dense[at])])
        points = [point for point in points if point[0] > 0]
        best, y = 0.0, []
        for _, value in points:
            best = max(best, value)
            y.append(best)
        if y[0] >= 0.95 * dense[at]:
            assert np.isnan(found[at])
            continue
        high = (np.interp(grid, [x for x, _ in points], y) >= 0.95 * dense[at]) & (grid >= points[0][0])
        assert found[at] == pytest.approx(grid[high.argmax()], abs=1e-4)
    assert 0 < np.isnan(found).sum() < found.size


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
    assert np.isfinite(beyond_half(shares, spearman, samples)[1]).all()  # 3 of 5 layers
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
    for number, apart in ((0.0, False), (2.0, True)):
        [one] = differences(made((U, U, N, N), (number, 0, 0, 0), noise=0.0)[0:2], 12)
        assert (one.difference, one.low, one.high, one.apart) == (number, number, number, apart)


@pytest.mark.parametrize(("slope", "likely"), [(0.0, "not shown"), (1.3, None), (6.0, "holds"), (-6.0, "fails")])
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


def test_figures_show_every_configuration(run):
    """A column for each training; each line is one configuration, layer by layer."""
    for figure, values in (
        (draw(run.result, run.scope), ("kept", "agreement")),
        (draw_equal_share(run.result, run.scope), ("needed", "relative_equal", "agreement_equal")),
    ):
        figure.draw_without_rendering()
        axes = figure.axes
        assert [bool(panel.get_xlabel()) for panel in axes] == [False] * (len(axes) - 3) + [True] * 3
        [legend] = figure.legends
        assert figure.bbox.x0 <= legend.get_window_extent().x0
        assert legend.get_window_extent().x1 <= figure.bbox.x1
        trainings = ("10 steps", "40 steps", "with a penalty")
        assert len(axes) == len(values) * len(trainings)
        for panel, (name, training) in zip(axes, product(values, trainings), strict=True):
            lines = {line.get_label(): line for line in panel.lines if not line.get_label().startswith("_")}
            assert len(lines) == 9
            for label, line in lines.items():
                states, start, log_alpha = label.split("-")
                rows = [
                    row
                    for row in run.result.by_layer
                    if (row.states, row.start, row.training) == (states, start, training)
                    and row.log_alpha == float(log_alpha)
                ]
                every = [(row.layer, value_of(row, name)) for row in rows]
                known = [(layer, value) for layer, value in every if value is not None]
                assert list(zip(line.get_xdata(), line.get_ydata(), strict=True)) == known


def value_of(row: LayerPoint, name: str) -> float | None:
    value = getattr(row, name)
    return value.value if isinstance(value, Estimate) else value


def test_tables_say_what_a_claim_depends_on(run):
    claims, every, levels = tables(run.result, run.scope)
    assert [row[2] for row in claims.rows] == [claim.text for claim in run.result.claims]
    assert len(every.rows) == 27
    assert len(levels.rows) == 3
    claim = replace(
        run.result.claims[2],
        verdict="depends on training",
        text="up in 15",
        by_choice={"states": {"raw": UpCount(3, 12), "standardised": UpCount(12, 12)}},
        depends_on=["states"],
    )
    table = tables(replace(run.result, claims=[claim]), run.scope)[0]
    assert table.rows[0][1:] == ("depends on training", "up in 15", "states: raw 3 of 12, standardised 12 of 12")


NO_LAMBDA = "sensitivity looks at one of its lambdas below 1; lambda {} is none of them"


@pytest.mark.parametrize(
    ("change", "layers", "message"),
    [
        ({"lam": 0.4}, 3, NO_LAMBDA.format(0.4)),
        ({"lam": 1.0, "lambdas": (0.2, 1.0)}, 3, NO_LAMBDA.format(1.0)),
        ({"lam": "validation"}, 3, NO_LAMBDA.format("validation")),
        ({}, 2, "sensitivity asks for trends over layers: give at least 3, not 2"),
        ({"l0_states": "raw"}, 3, "sensitivity trains masks in every way: leave l0_states out"),
        (
            {"l0_start": "warm", "l0_log_alpha": 0.0},
            3,
            "sensitivity trains masks in every way: leave l0_start, l0_log_alpha out",
        ),
    ],
)
def test_a_recipe_that_leaves_nothing_to_compare_is_refused(change, layers, message):
    check(RECIPE, range(3))
    with pytest.raises(InputError) as error:
        check(replace(RECIPE, **change), range(layers))
    assert str(error.value) == message
