"""Masks in every way to train them: units against `fit_l0` by hand, numbers against plain loops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from inspect import unwrap
from itertools import product

import numpy as np
import pytest
import torch
from described import described
from scipy import stats
from sizes import quick_and_slow
from tiny_models import random_pairs

from neurosteer.data import EosStates
from neurosteer.errors import InputError
from neurosteer.experiments.design import Design
from neurosteer.experiments.experiment import Task, Work
from neurosteer.experiments.intervals import TaskSamples
from neurosteer.experiments.recipe import Recipe
from neurosteer.experiments.scope import Data, Scope, ScopeSettings, TaskInfo
from neurosteer.experiments.sensitivity.experiment import EXPERIMENT, check
from neurosteer.experiments.sensitivity.figures import draw, draw_equal_share
from neurosteer.experiments.sensitivity.result import Claim, LayerPoint, Sensitivity, Summary, UpCount
from neurosteer.experiments.sensitivity.settings import SensitivitySettings
from neurosteer.experiments.sensitivity.tables import tables
from neurosteer.experiments.sensitivity.units import _blocks, sensitivity_name
from neurosteer.experiments.sensitivity.variants import variants
from neurosteer.experiments.shared.states import states_unit
from neurosteer.forward import eos_states
from neurosteer.model import Model, sentence_tokens
from neurosteer.pairs import Pairs
from neurosteer.probes import L0, STRENGTHS, L0Probes, L0Settings, Probes, fit_l0, fit_logistic
from neurosteer.progress import QUIET
from neurosteer.report.canvas import BLUE, GREEN, VERMILION
from neurosteer.report.numbers import NONE, number
from neurosteer.results import Estimate, record
from neurosteer.runner.units import UnitResult
from neurosteer.seeds import generator

TASKS = 6
U, D, N, X = "up", "down", "not shown", "cannot be judged"
LAMBDAS = (0.2, 0.6, 1.0)
STARTS = list(product(("cold", "warm"), (0.0, 1.2)))  # of the weights, of the gates' log alpha
RECIPE = Recipe(
    "test",
    experiments=("sensitivity",),
    lambdas=LAMBDAS,
    lam=0.6,
    l0_steps=15,
    layer=0,
    topk=2,
    own=(SensitivitySettings(unpenalised_steps=(10, 40)),),
)


@pytest.fixture(autouse=True, scope="module")
def few_draws() -> Iterator[None]:
    """Of the noise that losses are estimated with."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(unwrap(L0Probes.loss).__kwdefaults__, "draws", 20)
        yield


@pytest.fixture(scope="module")
def tasks() -> list[Pairs]:
    return [random_pairs(80, seed=seed, longest=6, task=f"task{seed}") for seed in range(TASKS)]


def work_of(model: Model, tasks: Sequence[Pairs]) -> Work:
    design = Design.of(RECIPE, model, EXPERIMENT.needs)
    samples = TaskSamples.of([pairs.task for pairs in tasks], design.seed)
    return Work(RECIPE, design, model, lambda: model, [Task(one, one.split()) for one in tasks], samples, QUIET)


def scope_of(work: Work) -> Scope:
    settings = ScopeSettings.of(work.design, work.model.n_layers, work.samples.resampled)
    tokenise = partial(sentence_tokens, work.model)
    infos = tuple(TaskInfo.of(task.pairs, task.split, tokenise) for task in work.tasks)
    return Scope(described("tiny"), Data("random", sum(one.pairs for one in infos), "pair", 0), infos, (), settings)


@dataclass(frozen=True, eq=False)
class Run:
    """All units of the recipe, and what they give."""

    units: dict[str, UnitResult]
    judged: dict[str, UnitResult]  # the same, the masks on raw and standardised states as if they had been trained
    scope: Scope
    result: Sensitivity


@pytest.fixture(scope="module")
def run(llama: Model, tasks: list[Pairs]) -> Run:
    work, found = work_of(llama, tasks), {}
    for task in work.tasks:
        states = states_unit(work, task)
        for unit in [states, *EXPERIMENT.task_units(work, task)]:
            found[unit.name] = unit.compute(found.__getitem__)
    scope = scope_of(work)
    judged = {
        name: UnitResult({**one.arrays, "loss": one.arrays["loss"] / 20}, one.values)
        if "loss" in one.arrays and "scaled" not in name
        else one
        for name, one in found.items()
    }
    return Run(found, judged, scope, EXPERIMENT.compute(judged.__getitem__, work, scope))


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


def labelled_states(model: Model, pairs: Pairs) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """States `[sentence layer unit]` and signs of each part: good sentences (1) first, then bad ones (-1)."""
    values, indices = eos_states(model, pairs).values, pairs.split().indices
    x = {part: torch.cat([values[list(own)][:, side] for side in (0, 1)]) for part, own in indices.items()}
    return x, {part: torch.cat([torch.ones(len(own)), -torch.ones(len(own))]) for part, own in indices.items()}


def right(states: torch.Tensor, y: torch.Tensor, probes: Probes) -> torch.Tensor:
    """Which share of the sentences each probe of a single layer tells."""
    return ((states @ probes.weights[0].T + probes.bias[0]) * y[:, None] > 0).float().mean(dim=0)


def most_that_ties_allow(gates: np.ndarray) -> float:
    """Spearman of gates with an order that never contradicts them."""
    return stats.spearmanr(np.sort(gates), np.arange(len(gates))).statistic


@pytest.mark.parametrize("states", quick_and_slow(["scaled", "raw"], ["standardised"]))
@pytest.mark.parametrize("start", ["cold", "warm"])
def test_a_unit_by_hand(llama, tasks, run, states, start):
    """Numbers of the penalised training, on states that are prepared here."""
    if (states, start) == ("scaled", "warm"):
        pytest.skip("not among the variants")
    every, y = labelled_states(llama, tasks[0])
    settings = L0Settings(states=states, start=start, log_alpha=0.0, steps=15 if states == "standardised" else 60)
    arrays = run.units[sensitivity_name("task0", f"{states}-penalty")].arrays
    for layer in range(llama.n_layers):
        found = {name: array[layer, STARTS.index((start, 0.0)), 0] for name, array in arrays.items()}
        mean, std = every["train"][:, layer].mean(dim=0), every["train"][:, layer].std(dim=0, correction=0)
        level = torch.quantile(std, 0.5)
        shift, size = {"standardised": (mean, std), "scaled": (0 * mean, level), "raw": (0 * mean, 1)}[states]
        x = {part: (one[:, layer] - shift) / size for part, one in every.items()}
        fitted = fit_logistic(
            ((every["train"][:, layer] - mean) / std)[None], y["train"], torch.tensor([[settings.warm_l2]])
        )
        weights = fitted.weights / std
        dense = Probes(weights * size, fitted.bias + (weights * (shift - mean)).sum(dim=2))
        noise = [[generator(0, "task0", layer, "l0")] * len(LAMBDAS)]
        warm = dense if start == "warm" else None
        own = fit_l0(x["train"][None], y["train"], LAMBDAS, noise, settings=settings, dense=warm)
        np.testing.assert_allclose(found["kept"], own.kept[0], atol=1.01 / 32)
        for name, part in (("accuracy", "test"), ("validation", "validation")):
            np.testing.assert_allclose(found[name], right(x[part], y[part], own.probes), atol=2.01 / len(y[part]))
        loss = own.loss(x["train"][None], y["train"], LAMBDAS, generator(0, "task0", "loss"))[0]
        np.testing.assert_allclose(found["loss"], loss, rtol=5e-3)
        l2 = settings.weight_l2 / 2 * own.weights[0].square().sum(dim=1)
        np.testing.assert_allclose(found["penalty"], l2, rtol=5e-2)
        t = np.abs(stats.ttest_ind(*x["train"].numpy().reshape(2, -1, 32), equal_var=False).statistic)
        for j, gates in enumerate(own.gates[0].numpy()):
            both = (
                (stats.spearmanr(t, gates).statistic, most_that_ties_allow(gates)) if gates.std() else (np.nan,) * 2
            )
            assert (found["spearman"][j], found["limit"][j]) == pytest.approx(both, abs=0.1, nan_ok=True)


def test_the_dense_unit_by_hand(llama, tasks, run):
    """Accuracies of the probe that is best on validation, and how far the units of a layer vary."""
    found = run.units[sensitivity_name("task1", "dense")].arrays
    every, y = labelled_states(llama, tasks[1])
    for layer in range(llama.n_layers):
        mean, std = every["train"][:, layer].mean(dim=0), every["train"][:, layer].std(dim=0, correction=0)
        assert found["level"][layer] == pytest.approx(np.median(std.numpy()), rel=1e-5)
        assert found["loudest"][layer] == pytest.approx(std.max().item(), rel=1e-5)
        x = {part: (one[:, layer] - mean) / std for part, one in every.items()}
        fitted = fit_logistic(x["train"][None], y["train"], torch.tensor([STRENGTHS]))
        validation, test = (right(x[part], y[part], fitted) for part in ("validation", "test"))
        assert found["validation"][layer] == pytest.approx(validation.max().item())
        best = test[validation == validation.max()].tolist()
        assert any(found["dense"][layer] == pytest.approx(one) for one in best)


def test_what_units_take(llama, tasks, run):
    """Their size is that of their arrays; the masks cost as much as they have steps."""
    work = work_of(llama, tasks)
    units = EXPERIMENT.task_units(work, work.tasks[0])
    assert [unit.size for unit in units] == [sum(a.nbytes for a in run.units[u.name].arrays.values()) for u in units]
    assert {(unit.group, unit.needs) for unit in units} == {("task0", ("states-trained-task0",))}
    by_name = {unit.name.removeprefix("sensitivity-task0-"): unit.cost for unit in units}
    assert list(by_name) == [
        "dense",
        *map("-".join, product(("standardised", "raw", "scaled"), ("paper", "penalty"))),
    ]
    steps = {"standardised-paper": 40, "standardised-penalty": 15, "raw-paper": 40, "raw-penalty": 4 * 15}
    for name, expected in steps.items():
        assert by_name[name] / by_name["standardised-paper"] == pytest.approx(expected / 40)
    assert by_name["scaled-paper"] / by_name["raw-paper"] == pytest.approx(1 / 4)  # one start, not four


@pytest.mark.parametrize(
    ("layers", "beside", "expected"),
    [
        ((1, 2, 3, 4, 9), 0, [(1, 2), (3, 4), (9,)]),
        ((0, 1, 2), 2, [(0, 1), (2,)]),
        ((0, 1, 3), 2, [(0,), (1,), (3,)]),  # layer 2, whose states are there for others, is none of them
    ],
)
def test_layers_are_taken_in_blocks(llama, tasks, monkeypatch, layers, beside, expected):
    """At most so many whose states are neighbours; else each by itself."""
    monkeypatch.setattr("neurosteer.experiments.sensitivity.units.BLOCK", 2)
    needs = frozenset({"states", "one_layer"})
    design = replace(work_of(llama, tasks[:1]).design, layers=layers, layer=beside, needs=needs)
    values = torch.randn(80, 2, len(design.states_layers), 4)
    states = EosStates(values, design.states_layers, "toy", "model", "resid_post", "eos", "digest")
    found = _blocks(states, tasks[0].split(), design, torch.device("cpu"))
    assert [block.layers for block in found] == expected


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
        units = [run.judged[sensitivity_name(f"task{t}", f"{row.states}-{loss}")].arrays for t in range(TASKS)]
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
        lambdas = [point for point in result.rows if point.line == row.line and point.training == row.training]
        worse = {
            lam: np.mean([point.loss.value for point in lambdas if point.lam == lam]) > lam * np.log(2)
            for lam in LAMBDAS
        }
        assert row.trained is not worse[0.6]
        assert row.of_lambdas == sum(not one for lam, one in worse.items() if lam < 1)
        assert (row.d == "up") is (row.rising_lambdas > 1)
        assert (row.d == "down") is (row.falling_lambdas > 1)
        above = row.beyond_half.low is not None and row.beyond_half.low > 0
        assert (row.b == "up") is (above and row.trained)
    assert {row.trained for row in result.configurations} == {True, False}


def test_three_tasks_judge_no_claim(llama: Model, tasks: list[Pairs], run):
    """From the same units: means, and no intervals."""
    work = work_of(llama, tasks[:3])
    scope = scope_of(work)
    result = EXPERIMENT.compute(run.judged.__getitem__, work, scope)
    assert {claim.verdict for claim in result.claims} == {"cannot be judged"}
    assert {getattr(row, claim) for row in result.configurations for claim in ("b", "b_equal", "d", "d_equal")} == {X}
    assert all((row.rho.value is not None) is row.trained for row in result.configurations)
    assert all(row.rho.low is None for row in result.configurations)
    assert [(one.holds, one.of) for one in EXPERIMENT.verdicts({"sensitivity": result}, scope)] == [(0, 0), (0, 0)]
    claims, every, _ = tables(result, scope)
    assert {row[2] for row in claims.rows} == {
        "up in 0, down in 0, not shown in 0, cannot be judged in 24 of 24 ways"
    }
    assert not any("[" in cell for row in every.rows for cell in row)


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
            assert ("_" in str([line.get_label() for line in panel.lines])) is name.startswith("agreement")  # a zero
            bands = 0
            for label, line in lines.items():
                states, start, log_alpha = label.split("-")
                rows = [
                    row
                    for row in run.result.by_layer
                    if (row.states, row.start, row.training) == (states, start, training)
                    and row.log_alpha == float(log_alpha)
                ]
                every = [(row.layer, estimate_of(row, name)) for row in rows]
                known = [(layer, one.value) for layer, one in every if one.value is not None]
                assert list(zip(line.get_xdata(), line.get_ydata(), strict=True)) == known
                bands += any(one.low is not None for _, one in every)
            assert len(panel.collections) == bands
            assert bands == 9 or name != "kept"


def test_figures_name_what_they_show(run):
    """Panels and columns, what a line looks like, and a headline that speaks of intervals and of the other figure."""
    at_lambda, at_share = draw(run.result, run.scope), draw_equal_share(run.result, run.scope)
    titles = ["paper's loss, 10 steps", "paper's loss, 40 steps", "with a penalty"]
    for figure, labels in (
        (at_lambda, ["units kept at λ = .6", "Spearman of |t| and gate,\nshare of what ties allow, λ = .6"]),
        (
            at_share,
            [
                "units needed for 95 % of\nthe dense accuracy",
                "accuracy / dense\nat 10% of the units",
                "Spearman of |t| and gate, share\nof what ties allow, at 10%",
            ],
        ),
    ):
        assert [axes.get_title() for axes in figure.axes] == titles + [""] * (len(figure.axes) - 3)
        assert [axes.get_ylabel() for axes in figure.axes[::3]] == labels
        assert figure.axes[0].get_ylim() == (-0.03, 1.03)
        assert "with 95 % bootstrap interval over 6 tasks" in figure.texts[1].get_text().replace("\n", " ")
    assert at_lambda.texts[0].get_text() == "What masks owe to their training · at equal λ = .6"
    assert "equal kept share (10%): the next figure" in at_lambda.texts[1].get_text()
    assert at_share.texts[0].get_text() == "What masks owe to their training · at 10% of the units kept"
    looks = {"standardised": BLUE, "raw": VERMILION, "scaled": GREEN}
    for line in at_lambda.axes[0].lines:
        states, start, log_alpha = line.get_label().split("-")
        look = (line.get_color(), line.get_linestyle(), line.get_fillstyle())
        dash = {"cold": "-", "warm": "--"}[start]
        assert look == (looks[states], dash, {"0.0": "full", "1.2": "none"}[log_alpha])
    texts = [text.get_text() for text in at_lambda.legends[0].get_texts()]
    assert texts[:3] == [
        f"standardised, {start}" for start in ("cold, log alpha 0", "cold, log alpha 1.2", "warm, log alpha 0")
    ]
    assert texts[-1] == "scaled, cold, log alpha 0"
    for name, drawing in EXPERIMENT.drawings.items():
        caption = drawing.caption(run.scope)
        assert caption.read.endswith("Bands and bars are 95 % bootstrap intervals over the 6 tasks.")
        assert ("share that a mask needs" in caption.read) is (name == "equal")


def estimate_of(row: LayerPoint, name: str) -> Estimate:
    value = getattr(row, name)
    return value if isinstance(value, Estimate) else Estimate(value)


def made_claim(run: Run) -> Claim:
    counts = {"raw": UpCount(3, 12), "standardised": UpCount(12, 12)}
    starts = {"cold": UpCount(9, 12), "warm": UpCount(6, 12)}
    claim = replace(run.result.claims[2], verdict="depends on training", text="up in 15")
    return replace(claim, by_choice={"states": counts, "log_alpha": starts}, depends_on=["states"])


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, "states: raw 3 of 12, standardised 12 of 12"),
        (
            {"depends_on": ["log_alpha", "states"]},
            "start of the gates: cold 9 of 12, warm 6 of 12; states: raw 3 of 12, standardised 12 of 12",
        ),
        ({"depends_on": []}, "a combination of choices"),
        ({"verdict": "not shown"}, "-"),
    ],
)
def test_tables_say_what_a_claim_depends_on(run, changed, expected):
    claim = replace(made_claim(run), **changed)
    [row] = tables(replace(run.result, claims=[claim]), run.scope)[0].rows
    assert row == ("(d) later layers keep more units, at equal λ", claim.verdict, "up in 15", expected)


def test_tables_show_every_configuration_and_layer(run):
    claims, every, levels = tables(run.result, run.scope)
    assert [row[2] for row in claims.rows] == [claim.text for claim in run.result.claims]
    assert [row[0][:4].strip() for row in claims.rows] == ["(b)", "(b)", "(d)", "(d)"]
    assert ("λ = .6" in claims.rows[0][0], "10%" in claims.rows[1][0]) == (True, True)
    assert len(every.rows) == 27
    row = replace(
        run.result.configurations[1],
        kept=0.25,
        relative=0.875,
        loss=0.12345,
        trained=True,
        relative_equal=0.5,
        needed=None,
        rho=Estimate(0.5, -0.25, 1.0),
        rho_equal=Estimate(-0.5),
        beyond_half=Estimate(0.0, -0.2, 0.1),
        beyond_half_equal=Estimate(None),
        d=U,
        b=D,
        d_equal=N,
        b_equal=X,
        agreeing_layers=1,
        of_layers=2,
        agreeing_layers_equal=3,
        of_layers_equal=4,
    )
    table = tables(replace(run.result, configurations=[row]), run.scope)[1]
    assert list(zip(table.headers, table.rows[0], strict=True)) == [
        *zip(("states", "weights", "log alpha", "training"), ("standardised", "cold", "0", "40 steps"), strict=True),
        ("loss", ".123"),
        ("kept", "25%"),
        ("accuracy / dense", ".88"),
        ("Spearman (layer, kept)", "+.50 [-.25, +1.00]"),
        ("(d)", "up"),
        ("layers where |t| and gates agree", "1 of 2"),
        ("agreement less half", ".00 [-.20, +.10]"),
        ("(b)", "down"),
        ("needed for 95 %", NONE),
        ("accuracy / dense at 10%", ".50"),
        ("Spearman (layer, needed)", "-.50"),
        ("(d) at 10%", "not shown"),
        ("layers that agree at 10%", "3 of 4"),
        ("agreement less half at 10%", NONE),
        ("(b) at 10%", "cannot be judged"),
    ]
    units = [run.units[sensitivity_name(f"task{t}", "dense")].arrays for t in range(TASKS)]
    for layer, row in enumerate(levels.rows):
        level, loudest, dense = (
            np.mean([arrays[name][layer] for arrays in units]) for name in ("level", "loudest", "dense")
        )
        assert row == (str(layer), f"{level:.3g}", f"{loudest:.3g}", number(dense))


def test_verdicts_say_what_they_are_of(run):
    """The criterion, the counts, and beside them the trends by states and the claims at equal share."""
    rhos = {"standardised": 0.5, "raw": -0.25, "scaled": None}
    rows = [replace(row, rho=Estimate(rhos[row.states])) for row in run.result.configurations]
    rows[0] = replace(rows[0], rho=Estimate(-0.7))
    rows[1] = replace(rows[1], rho=Estimate(0.0))  # of 12 on standardised states: mean 4.3 / 12
    claims = [replace(claim, verdict="holds", text=f"text {claim.claim}") for claim in run.result.claims]
    result = replace(run.result, configurations=rows, claims=claims)
    agree, spread = EXPERIMENT.verdicts({"sensitivity": result}, run.scope)
    assert agree.statement == "The two selections agree, however masks are trained."
    assert "at lambda 0.6 the Spearman" in agree.criterion
    assert "whole 95 % interval over tasks" in agree.criterion
    assert agree.reading == "Holds: text b. At equal share (10% of the units kept): holds: text b_equal."
    assert spread.statement == "Later layers spread the information over more units, however masks are trained."
    assert "(95 % interval of Spearman over tasks above 0)" in spread.criterion
    assert spread.reading == (
        "Holds: text d. Spearman of layer and kept share at lambda 0.6, mean over ways: standardised +0.36, "
        "raw -0.25. At equal share (the share that 95 % of the dense accuracy needs): holds: text d_equal."
    )


def test_json_has_the_keys_of_version_1(run):
    """Names and order."""
    choices = ["states", "start", "log_alpha", "training"]

    def ended(*names: str) -> list[str]:
        return [f"{name}{end}" for name in names for end in ("", "_low", "_high")]

    found = record(run.result)
    heads = ["experiment", "lambdas", "lambda", "share", "layers", "rows", "by_layer", "ways", "claims", "level"]
    assert list(found) == heads
    assert (found["experiment"], found["lambda"], found["share"]) == ("sensitivity", 0.6, 0.1)
    assert (found["lambdas"], found["layers"]) == (list(LAMBDAS), [0, 1, 2])
    means = ended("accuracy", "kept", "limit", "loss", "penalty", "spearman")
    assert list(found["rows"][0]) == [*choices, "layer", "lambda", *means]
    of_layer = [*ended("kept"), "agreement", "agreement_equal", "relative_equal", *ended("needed")]
    assert list(found["by_layer"][0]) == [*choices, "layer", *of_layer]
    assert list(found["ways"][0]) == [
        *(*choices, "lambda", "kept", "accuracy", "relative", "loss", "trained", *ended("rho")),
        *("rising_lambdas", "falling_lambdas", "of_lambdas", *ended("beyond_half"), "agreeing_layers", "of_layers"),
        *("relative_equal", "needed", *ended("rho_equal"), "tasks_equal", "of_tasks", *ended("beyond_half_equal")),
        *("agreeing_layers_equal", "of_layers_equal", "b", "b_equal", "d", "d_equal"),
    ]
    counts = ["holds", "of", "up", "down", "not_shown", "unjudged", "ways", "by", "differences", "on"]
    assert [list(claim) for claim in found["claims"]] == [["claim", "verdict", "text", *counts]] * 4
    assert [claim["claim"] for claim in found["claims"]] == ["b", "b_equal", "d", "d_equal"]
    assert list(found["claims"][0]["by"]) == choices
    [up, of] = found["claims"][2]["by"]["states"]["raw"]
    assert (up, of) == (sum(row.d == U for row in run.result.configurations if row.states == "raw"), 12)
    keys = ["factor", "a", "b", "difference", "low", "high", "apart"]
    assert list(found["claims"][2]["differences"][0]) == keys
    assert list(found["level"][0]) == ["layer", "level", "loudest", "dense"]
    tabled = EXPERIMENT.csvs(run.result)
    assert {
        name: [row if isinstance(row, dict) else record(row) for row in rows] for name, rows in tabled.items()
    } == {
        "": found["ways"],
        "lambdas": found["rows"],
        "layers": found["by_layer"],
        "differences": [
            {"claim": claim["claim"], **one} for claim in found["claims"] for one in claim["differences"]
        ],
    }


NO_LAMBDA = "sensitivity looks at one of its lambdas below 1; lambda {} is none of them"


@pytest.mark.parametrize(
    ("change", "layers", "message"),
    [
        ({"lam": 0.4}, 3, NO_LAMBDA.format(0.4)),
        ({"lam": 1.0}, 3, NO_LAMBDA.format(1.0)),
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
def test_a_recipe_that_leaves_nothing_to_compare_is_refused(llama, tasks, change, layers, message):
    work = work_of(llama, tasks[:1])
    check(work)
    design = replace(work.design, layers=work.design.layers[:layers])
    with pytest.raises(InputError) as error:
        check(replace(work, recipe=replace(RECIPE, **change), design=design))
    assert str(error.value) == message
