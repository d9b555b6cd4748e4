"""Masks in every way to train them: units against `fit_l0` by hand, numbers against plain loops."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from neurosteer.experiments.intervals import TaskSamples
from scipy import stats
from tiny_models import random_pairs

from neurosteer.experiments.plan import plan_recipe
from neurosteer.experiments.sensitivity.claims import Said, differences, judge, says
from neurosteer.experiments.sensitivity.equal_share import needed_share, value_at
from neurosteer.experiments.sensitivity.summary import _agrees, _share_of_limit
from neurosteer.experiments.sensitivity.units import sensitivity_name
from neurosteer.experiments.sensitivity.variants import variants
from neurosteer.forward import eos_states
from neurosteer.model import Model
from neurosteer.probes import L0, L0Settings, fit_l0, fit_logistic
from neurosteer.report.paper.sensitivity import equal_share_figure, sensitivity_figure, sensitivity_tables
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
def tasks() -> list[Any]:
    return [random_pairs(80, seed=seed, longest=6, task=f"task{seed}") for seed in range(TASKS)]


@pytest.fixture(scope="module")
def run(llama: Model, tasks: list[Any]) -> tuple[dict[str, UnitResult], dict[str, Any]]:
    plan = plan_recipe(RECIPE, llama, tasks)
    pieces: dict[str, UnitResult] = {}
    for unit in plan.units:
        pieces[unit.name] = unit.compute(pieces.__getitem__)
    return pieces, {**plan.about, **plan.gather(pieces.__getitem__)}


def test_what_is_compared():
    """2 x 2 x 2 starts and one more, each with two losses; the first edition's training is among them."""
    found = variants(L0, (400, 2000, 6000))
    assert len({variant.name for variant in found}) == len(found) == 6
    for penalised in (False, True):
        every = [one for v in found if v.penalised is penalised for one in v.starts]
        starts = [(one.states, one.start, one.log_alpha) for one in every]
        assert sorted(starts) == sorted(
            [*product(("standardised", "raw"), ("cold", "warm"), (0.0, 1.2)), ("scaled", "cold", 0.0)]
        )
    [first] = [v for v in found if v.name == "standardised-paper"]
    assert first.steps == (400, 2000, 6000)
    told = first.starts[STARTS.index(("warm", 1.2))].settings()
    assert {name: told[name] for name in ("rate_weights", "rate_gates", "decay", "weight_l2", "beta2")} == {
        "rate_weights": 0.01,
        "rate_gates": 0.1,
        "decay": "none",
        "weight_l2": 0.0,
        "beta2": 0.999,
    }
    [settled] = [v for v in found if v.name == "standardised-penalty"]
    assert settled.starts[0] == L0


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
    found = run[0][sensitivity_name("task0", f"{states}-penalty")].arrays
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
    found = run[0][sensitivity_name("task0", "raw-paper")].arrays
    assert found["kept"].shape == (3, 4, 2, 3)
    assert (found["penalty"] == 0).all()
    assert not np.allclose(found["loss"][:, :, 0], found["loss"][:, :, 1])
    penalised = run[0][sensitivity_name("task0", "raw-penalty")].arrays
    assert (penalised["penalty"] > 0).all()


def crossed(result: dict[str, Any]) -> list[dict[str, Any]]:
    return [way for way in result["ways"] if way["states"] != "scaled"]


def test_the_outcome(run):
    """Means over tasks of the units' numbers, and a verdict for either claim."""
    pieces, outcome = run
    [result] = outcome["results"]
    assert len(result["ways"]) == 9 * 3
    assert len(result["rows"]) == 9 * 3 * 3 * 3
    for row in result["rows"][::7]:
        loss = "penalty" if row["training"] == "with a penalty" else "paper"
        name = f"{row['states']}-{loss}"
        at = STARTS.index((row["start"], row["log_alpha"]))
        stage = {"10 steps": 0, "40 steps": 1, "with a penalty": 0}[row["training"]]
        own = [
            pieces[sensitivity_name(f"task{t}", name)].arrays["kept"][
                row["layer"], at, stage, LAMBDAS.index(row["lambda"])
            ]
            for t in range(TASKS)
        ]
        assert row["kept"] == pytest.approx(np.mean(own), abs=1e-6)
    for verdict, claim in zip(outcome["verdicts"], [result["claims"][i] for i in (0, 2)], strict=True):
        counted = [sum(way[claim["claim"]] == word for way in crossed(result)) for word in (U, D, N, X)]
        assert [claim[key] for key in ("up", "down", "not_shown", "unjudged")] == counted
        assert sum(counted) == claim["ways"] == 24
        assert (verdict["claim"], verdict["unit"]) == (claim["claim"], "ways to train")
        assert (verdict["holds"], verdict["of"]) == (counted[0], 0 if claim["verdict"] == X else 24)
        assert verdict["text"] == f"{claim['verdict']}: {claim['text']}"
    for way in result["ways"]:
        assert (way["d"] == "up") is (way["rising_lambdas"] > 1.5)
        assert (way["d"] == "down") is (way["falling_lambdas"] > 1.5)
        assert (way["b"] == "up") is (way["beyond_half_low"] is not None and way["beyond_half_low"] > 0)
    assert "no intervals" not in " ".join(outcome["notices"])


def test_three_tasks_judge_no_claim(llama: Model, tasks: list[Any], run):
    """From the same units: means, no intervals, and a notice."""
    plan = plan_recipe(RECIPE, llama, tasks[:3])
    outcome = {**plan.about, **plan.gather(run[0].__getitem__)}
    [result] = outcome["results"]
    assert {claim["verdict"] for claim in result["claims"]} == {"cannot be judged"}
    assert {way[claim] for way in result["ways"] for claim in ("b", "b_equal", "d", "d_equal")} == {X}
    assert all(way["rho"] is not None and way["rho_low"] is None for way in result["ways"])
    assert "fewer than 6 tasks: no intervals over tasks" in outcome["notices"]
    assert [(row["holds"], row["of"]) for row in outcome["verdicts"]] == [(0, 0), (0, 0)]
    claims, every, _ = sensitivity_tables(result)
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


def share_of_limit(spearman: np.ndarray, limit: np.ndarray, weights: np.ndarray) -> float:
    """Of one layer, task by task as often as the weights say."""
    known = [i for i in range(len(weights)) if np.isfinite(spearman[i]) and weights[i]]
    top, bottom = (sum(weights[i] * values[i] for i in known) for values in (spearman, limit))
    return top / bottom if known else np.nan


def test_agreement_beyond_half_by_a_loop():
    """Of a layer where less than half of the tasks are known nothing is told; nor of less than half of the layers."""
    rng = np.random.default_rng(0)
    spearman, limit = rng.uniform(0.2, 0.9, (8, 5)), rng.uniform(0.7, 1.0, (8, 5))
    for layer, unknown in ((1, 4), (2, 5)):  # half of the tasks, and fewer
        spearman[:unknown, layer] = limit[:unknown, layer] = np.nan
    samples = TaskSamples.of([f"task{i}" for i in range(8)], 2)
    agreement = _share_of_limit(spearman, limit, samples)
    assert np.isfinite(agreement[0]).tolist() == [True, True, False, True, True]
    loop = []
    for weights in samples.draws:
        shares = [share_of_limit(spearman[:, layer], limit[:, layer], weights) for layer in (0, 1, 3, 4)]
        loop.append(np.nanmean(shares) - 0.5)
    found = _agrees(agreement, spearman, samples)
    np.testing.assert_allclose(found.draws, loop)
    beyond = stats.norm.cdf(-np.sqrt(7 / 6) * stats.t.ppf(0.975, 6))  # 8, 4, 8 and 8 tasks: 7 a layer
    ordered = sorted(loop[1:])
    assert found.low[0] == ordered[round(beyond * (len(ordered) - 1))]
    assert found.high[0] == ordered[round((1 - beyond) * (len(ordered) - 1))]
    agreement[:, 3] = np.nan
    assert np.isfinite(_agrees(agreement, spearman, samples).low).all()  # 3 of 5 layers
    agreement[:, 4] = np.nan
    few = _agrees(agreement, spearman, samples)
    assert np.isnan([*few.draws, *few.low, *few.high]).all()
    assert says(few.low, few.high) == "cannot be judged"


@pytest.mark.parametrize(
    ("low", "high", "said"),
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
def test_what_a_way_says(low, high, said):
    assert says(np.array(low), np.array(high)) == said


FOUR = [(states, start) for states in ("raw", "standardised") for start in ("cold", "warm")]


def made(words: tuple[str, ...], numbers: tuple[float, ...] = (0, 0, 0, 0), noise: float = 0.1) -> list[Said]:
    """Four ways, and scaled states beside them, whose numbers in resamples differ by a noise of their own."""
    rng = np.random.default_rng(0)
    found = []
    for (states, start), word, number in zip([*FOUR, ("scaled", "cold")], (*words, U), (*numbers, 5), strict=True):
        draws = number + np.r_[0, rng.normal(0, noise, 2000)]
        factors = {"states": states, "start": start, "log_alpha": 0.0, "training": "converged"}
        found.append(Said(factors, word, draws))
    return found


@pytest.mark.parametrize(
    ("words", "numbers", "verdict", "on"),
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
def test_on_what_a_claim_depends(words, numbers, verdict, on):
    found = judge("d", made(words, numbers), 12)
    assert (found["verdict"], found["on"]) == (verdict, on)
    counts = [words.count(word) for word in (U, D, N, X)]
    assert [found[key] for key in ("up", "down", "not_shown", "unjudged")] == counts
    assert (found["holds"], found["of"], found["ways"]) == (counts[0], 4 - counts[3], 4)
    told = "up in {}, down in {}, not shown in {}, cannot be judged in {} of 4 ways"
    assert found["text"] == told.format(*counts)


def test_differences_by_a_loop():
    """Between ways that differ in one choice alone; all intervals hold at once."""
    ways = made((U, N, N, X), (0.9, 0.4, 0.3, 0.2), noise=0.2)[:4]
    raw_cold, raw_warm, standardised_cold, standardised_warm = (way.draws for way in ways)
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
    found = differences(ways, 12)
    assert [row["factor"] for row in found] == ["states", "start"]
    for row in found:
        draws = expected[row["factor"]]
        assert row["difference"] == pytest.approx(draws[0])
        ends = (draws[0] - reach * spread[row["factor"]], draws[0] + reach * spread[row["factor"]])
        assert (row["low"], row["high"]) == pytest.approx(ends, rel=2e-3)
        assert row["apart"] is bool(row["low"] > 0 or row["high"] < 0)
    assert 2.2 < sorted(largest)[1899] < 2.3  # of two: 1.96 for one
    alone = differences(ways[:3], 12)
    values = {row["factor"]: row["difference"] for row in alone}
    assert values == pytest.approx({"states": raw_cold[0] - standardised_cold[0], "start": 0.5})
    assert differences(ways, 5) == []


def test_what_never_varies_is_apart_if_it_differs():
    for number, apart in ((0.0, False), (2.0, True)):
        [row] = differences(made((U, U, N, N), (number, 0, 0, 0), noise=0.0)[0:2], 12)
        assert (row["difference"], row["low"], row["high"], row["apart"]) == (number, number, number, apart)


@pytest.mark.parametrize(("slope", "likely"), [(0.0, "not shown"), (1.3, None), (6.0, "holds"), (-6.0, "fails")])
def test_the_same_truth_in_all_ways_depends_on_nothing(slope: float, likely: str | None):
    """20 runs of 32 ways with one trend and noise of their own: in some runs some ways show it, and others do not."""
    rng = np.random.default_rng(0)
    choices = [
        ("standardised", "raw"),
        ("cold", "warm"),
        (0.0, 1.2),
        ("400 steps", "2,000 steps", "6,000 steps", "more"),
    ]
    ways = [dict(zip(("states", "start", "log_alpha", "training"), way, strict=True)) for way in product(*choices)]
    found, mixed = [], 0
    for run in range(20):
        samples = TaskSamples.apart(8, run)
        tasks = slope * np.linspace(0, 1, 6)[:, None] + rng.normal(size=(8, 6, 1))
        values = tasks[..., None] + 0.5 * rng.normal(size=(8, 6, 1, 32))
        rises = samples.trend(values.reshape(8, 6, 32))
        every = [
            Said(way, says(rises.low[i : i + 1], rises.high[i : i + 1]), rises.draws[:, i])
            for i, way in enumerate(ways)
        ]
        claim = judge("d", every, 8)
        found.append(claim["verdict"])
        mixed += 0 < claim["up"] < 32
    assert found.count("depends on training") <= 2
    assert likely is None or found.count(likely) >= 18
    assert likely is not None or mixed >= 10


def test_figures_show_every_way(run):
    """A panel for each training; each line is one way, layer by layer."""
    _, outcome = run
    [result] = outcome["results"]
    shown = {**outcome, "model": {"name": "tiny"}}
    for draw, keys in (
        (sensitivity_figure, ("kept", "agreement")),
        (equal_share_figure, ("needed", "relative_equal", "agreement_equal")),
    ):
        figure = draw(shown, result)
        figure.draw_without_rendering()
        axes = figure.axes
        assert [bool(panel.get_xlabel()) for panel in axes] == [False] * (len(axes) - 3) + [True] * 3
        [legend] = figure.legends
        assert figure.bbox.x0 <= legend.get_window_extent().x0
        assert legend.get_window_extent().x1 <= figure.bbox.x1
        trainings = ("10 steps", "40 steps", "with a penalty")
        assert len(axes) == len(keys) * len(trainings)
        for panel, (key, training) in zip(axes, product(keys, trainings), strict=True):
            lines = {line.get_label(): line for line in panel.lines if not line.get_label().startswith("_")}
            assert len(lines) == 9
            for label, line in lines.items():
                states, start, log_alpha = label.split("-")
                own = [
                    row
                    for row in result["by_layer"]
                    if (row["states"], row["start"], row["training"]) == (states, start, training)
                    and row["log_alpha"] == float(log_alpha)
                    and row[key] is not None
                ]
                assert list(line.get_xdata()) == [row["layer"] for row in own]
                assert list(line.get_ydata()) == [row[key] for row in own]


def test_tables_say_what_a_claim_depends_on(run):
    _, outcome = run
    [result] = outcome["results"]
    claims, every, levels = sensitivity_tables(result)
    assert [row[2] for row in claims.rows] == [row["text"] for row in result["claims"]]
    assert len(every.rows) == 27
    assert len(levels.rows) == 3
    held = {"states": {"raw": [3, 12], "standardised": [12, 12]}}
    told = {"claim": "d", "verdict": "depends on training", "text": "up in 15", "by": held, "on": ["states"]}
    table = sensitivity_tables({**result, "claims": [told]})[0]
    assert table.rows[0][1:] == ("depends on training", "up in 15", "states: raw 3 of 12, standardised 12 of 12")
