"""Masks in every way to train them: units against `fit_l0` by hand, numbers against plain loops."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from tiny_models import random_pairs

from neurosteer.experiments.intervals import draws, layer_trend
from neurosteer.experiments.plan import plan_recipe
from neurosteer.experiments.sensitivity.equal_share import needed_share, value_at
from neurosteer.experiments.sensitivity.summary import _claim
from neurosteer.experiments.sensitivity.units import sensitivity_name
from neurosteer.experiments.sensitivity.variants import variants
from neurosteer.forward import eos_states
from neurosteer.model import Model
from neurosteer.probes import L0, L0Settings, fit_l0, fit_logistic
from neurosteer.report.paper.sensitivity import equal_share_figure, sensitivity_figure, sensitivity_tables
from neurosteer.runner import Recipe
from neurosteer.runner.units import UnitResult
from neurosteer.seeds import generator

LAMBDAS = (0.2, 0.6, 0.9)
STARTS = list(product(("cold", "warm"), (0.0, 1.2)))  # of the weights, of the gates' log alpha
RECIPE = Recipe(
    "test", experiments=("sensitivity",), lambdas=LAMBDAS, l0_steps=30, unpenalised_steps=(10, 40), layer=0, topk=2
)


@pytest.fixture(scope="module")
def tasks() -> list[Any]:
    return [random_pairs(80, seed=seed, longest=6, task=f"task{seed}") for seed in range(3)]


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
            for t in range(3)
        ]
        assert row["kept"] == pytest.approx(np.mean(own), abs=1e-6)
    assert [(v["claim"], v["of"], v["unit"]) for v in outcome["verdicts"]] == [
        ("b", 24, "ways to train"),
        ("d", 24, "ways to train"),
    ]
    for way in result["ways"]:
        assert way["d"] is (way["rising_lambdas"] > 1.5)
        assert way["b"] is (way["agreeing_layers"] > 1.5)


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


def test_trend_by_scipy():
    """Of every resample of the tasks; tasks that are NaN are left out of a layer's mean."""
    rng = np.random.default_rng(0)
    values = rng.random((6, 5, 2)) + np.arange(5)[:, None] * [0.1, -0.3]
    values[2, 3] = np.nan
    found, counts = layer_trend(values, seed=4), draws(6, 4)
    for point in range(2):
        rhos = []
        for row in counts.astype(int):
            mean = np.nanmean(np.repeat(values[:, :, point], row, axis=0), axis=0)
            rhos.append(stats.spearmanr(np.arange(5), mean).statistic)
        assert found.rho[point] == pytest.approx(rhos[0])
        assert found.low[point] == pytest.approx(np.quantile(rhos[1:], 0.025), abs=0.05)
        assert found.high[point] == pytest.approx(np.quantile(rhos[1:], 0.975), abs=0.05)


def ways(holds: dict[tuple[str, str], bool | None]) -> list[dict[str, Any]]:
    return [
        {"states": states, "start": start, "log_alpha": 0.0, "training": "converged", "d": held}
        for (states, start), held in holds.items()
    ]


@pytest.mark.parametrize(
    ("holds", "verdict", "on"),
    [
        ((True, True, True, True), "holds", []),
        ((False, False, False, False), "fails", []),
        ((True, True, False, False), "depends on training", ["states"]),
        ((True, False, True, False), "depends on training", ["start"]),
        ((True, False, False, False), "depends on training", ["states", "start"]),
        ((True, False, False, True), "depends on training", []),
        ((True, None, None, None), "holds", []),
        ((None, None, None, None), None, []),
    ],
)
def test_on_what_a_claim_depends(holds, verdict, on):
    names = [(states, start) for states in ("raw", "standardised") for start in ("cold", "warm")]
    scaled = {"states": "scaled", "start": "cold", "log_alpha": 0.0, "training": "converged", "d": True}
    found = _claim([*ways(dict(zip(names, holds, strict=True))), scaled], "d")
    assert (found["verdict"], found["on"]) == (verdict, on)
    assert (found["holds"], found["of"]) == (sum(h is True for h in holds), sum(h is not None for h in holds))


def test_figures_show_every_way(run):
    """A panel for each training; each line is one way, layer by layer."""
    _, outcome = run
    [result] = outcome["results"]
    shown = {**outcome, "model": {"name": "tiny"}}
    for draw, keys in (
        (sensitivity_figure, ("kept", "agreement")),
        (equal_share_figure, ("needed", "relative_equal", "agreement_equal")),
    ):
        axes = draw(shown, result).axes
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
    assert [row[2] for row in claims.rows] == [f"{row['holds']} of {row['of']}" for row in result["claims"]]
    assert len(every.rows) == 27
    assert len(levels.rows) == 3
    held = {"states": {"raw": [3, 12], "standardised": [12, 12]}}
    made = {"claim": "d", "verdict": "depends on training", "holds": 15, "of": 24, "by": held, "on": ["states"]}
    table = sensitivity_tables({**result, "claims": [made]})[0]
    assert table.rows[0][1:] == ("depends on training", "15 of 24", "states: raw 3 of 12, standardised 12 of 12")
