"""Curves and verdicts from invented accuracies, against plain loops."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import comb, inf, isfinite
from types import ModuleType
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from described import described
from scipy import stats
from tiny_models import random_pairs

from neurosteer.errors import InputError
from neurosteer.experiments import controls, fig2, fig3, fig4, fig5
from neurosteer.experiments.design import NEURONS, Design
from neurosteer.experiments.experiment import Experiment, Work
from neurosteer.experiments.intervals import RESAMPLES, TaskSamples
from neurosteer.experiments.plan import plan_recipe
from neurosteer.experiments.recipe import Recipe, override
from neurosteer.experiments.registry import experiment_of
from neurosteer.experiments.scope import Data, Scope, ScopeSettings, TaskInfo
from neurosteer.experiments.shared.layer_curves import chance_above_floor
from neurosteer.experiments.shared.layer_probes import layer_probes_name
from neurosteer.model import Model
from neurosteer.pairs import Baselines
from neurosteer.probes import L0
from neurosteer.results import read_record, record
from neurosteer.runner.units import UnitResult
from neurosteer.studies.matching import matching_size, random_sizes

TASKS, LAYERS, WIDTH, K = 9, 4, 64, 2
NAMES = [f"task{i}" for i in range(TASKS)]
LAMBDAS = (0.1, 0.5, 1.0)
KS = (1, 2, 4, 8, 16, 32, 64)
DESIGN = Design(
    needs=frozenset({"masks", "topk_grid", "random_sets"}),
    width=WIDTH,
    layers=tuple(range(LAYERS)),
    k=K,
    ks=KS,
    sizes=random_sizes(K, WIDTH),
    lambdas=LAMBDAS,
    draws=3,
    seed=5,
    layer=1,
    lam=0.5,
    site="resid_post",
    position="eos",
    l0=L0,
)
SAMPLES = TaskSamples.of(NAMES, DESIGN.seed)
Row = dict[str, Any]


def scope_of(names: Sequence[str], samples: TaskSamples, design: Design = DESIGN, validation: int = 200) -> Scope:
    baselines = Baselines(majority=0.5, length=0.5, last_word=0.5, unigram=0.5, stem=0.5, bigram=0.5)
    tasks = tuple(TaskInfo(name, None, 1000, 600, validation, 200, 0, baselines) for name in names)
    settings = ScopeSettings.of(design, len(design.layers), samples.resampled)
    return Scope(described("made up"), Data("made up", 1000 * len(names), "pair", 0), tasks, (), settings)


def computed(
    module: ModuleType,
    sweeps: Mapping[str, np.ndarray] | Mapping[str, Mapping[str, np.ndarray]],
    names: Sequence[str] = NAMES,
    samples: TaskSamples = SAMPLES,
    design: Design = DESIGN,
) -> Row:
    """The result of an experiment as its JSON, from arrays `[task layer ...]`: of one variant or by variant."""
    return record(typed(module, sweeps, names, samples, design))


def typed(
    module: ModuleType,
    sweeps: Mapping[str, np.ndarray] | Mapping[str, Mapping[str, np.ndarray]],
    names: Sequence[str] = NAMES,
    samples: TaskSamples = SAMPLES,
    design: Design = DESIGN,
) -> Any:
    """The result itself."""
    by_variant = sweeps if NEURONS in sweeps else {NEURONS: sweeps}
    units = {
        layer_probes_name(name, 0, variant): UnitResult({key: values[i] for key, values in sweep.items()}, {})
        for variant, sweep in by_variant.items()
        for i, name in enumerate(names)
    }
    work = Mock(spec=Work, names=list(names), design=design, samples=samples)
    experiment: Experiment = module.EXPERIMENT
    return experiment.compute(units.__getitem__, work, scope_of(names, samples, design))


@pytest.fixture
def sweep() -> dict[str, np.ndarray]:
    """More units are better, some tasks read nothing at layer 0, none reads anything at layer 3."""
    rng = np.random.default_rng(1)
    sizes, shape = DESIGN.sizes, (TASKS, LAYERS)
    dense = rng.uniform(0.6, 0.95, shape)
    dense[:3, 0], dense[:, 3] = 0.5, 0.52
    topk = 0.5 + (dense - 0.5)[..., None] * np.linspace(0.3, 1, len(KS)) + rng.normal(0, 0.01, (*shape, len(KS)))
    random = 0.5 + (dense - 0.5)[..., None, None] * np.linspace(0.1, 0.9, len(sizes))[:, None]
    masked = 0.5 + (dense - 0.5)[..., None] * np.array([0.4, 0.97, 1.0])
    kept = rng.uniform(0.1, 0.3, (*shape, len(LAMBDAS))) + np.arange(LAYERS)[:, None] * np.array([0.1, -0.001, 0])
    return {
        "dense": dense,
        "dense_validation": dense,
        "topk": topk,
        "topk_validation": topk,
        "chosen": topk[..., KS.index(K)],
        "random": random + rng.normal(0, 0.01, (*shape, len(sizes), 3)),
        "masked": masked,
        "masked_validation": masked,
        "kept": kept,
        "spearman": np.zeros_like(kept),
        "limit": np.ones_like(kept),
    }


def tail(drawn: int) -> float:
    """What lies beyond either end of an interval, as Hesterberg (2015) widens it."""
    return float(stats.norm.cdf(-np.sqrt(drawn / (drawn - 1)) * stats.t.ppf(0.975, drawn - 1)))


def test_sizes_double_to_all_that_remain():
    assert random_sizes(2, 64) == (2, 4, 8, 16, 32, 62)
    assert random_sizes(32, 64) == (32,)
    assert random_sizes(64, 64) == ()


def match(goal: float, means: list[float], sizes: tuple[int, ...]) -> float:
    """The plain way along the curve."""
    if means[0] >= goal:
        return sizes[0]
    for i in range(1, len(sizes)):
        if means[i] >= goal:
            return sizes[i - 1] + (goal - means[i - 1]) / (means[i] - means[i - 1]) * (sizes[i] - sizes[i - 1])
    return inf


@pytest.mark.parametrize(
    ("goal", "means"),
    [(0.5, [0.6, 0.7, 0.8]), (0.65, [0.6, 0.7, 0.8]), (0.9, [0.6, 0.7, 0.8]), (0.7, [0.6, 0.5, 0.8])],
)
def test_matching_size(goal: float, means: list[float]):
    sizes = (2, 4, 8)
    assert float(matching_size(np.array(goal), np.array(means), sizes)) == pytest.approx(match(goal, means, sizes))


def test_the_numbers_of_single_tasks(sweep: dict[str, np.ndarray]):
    """Task after task and layer after layer, each number of the probes under its name."""
    kept, matched = typed(fig2, sweep).by_task, typed(fig5, sweep).by_task
    for rows in (kept, matched):
        assert [(row.task, row.layer) for row in rows] == [(name, layer) for name in NAMES for layer in range(LAYERS)]
    for i, j in ((0, 0), (TASKS - 1, 2)):
        at = i * LAYERS + j
        assert kept[at].dense == matched[at].dense == sweep["dense"][i, j]
        shares = {f"kept@{lam:g}": sweep["kept"][i, j, n] for n, lam in enumerate(LAMBDAS)}
        read = {f"accuracy@{lam:g}": sweep["masked"][i, j, n] for n, lam in enumerate(LAMBDAS)}
        assert kept[at].values == shares | read
        means = {f"random@{size}": sweep["random"][i, j, n].mean() for n, size in enumerate(DESIGN.sizes)}
        assert dict(list(matched[at].values.items())[: len(means)]) == pytest.approx(means)
        assert matched[at].values["top"] == sweep["chosen"][i, j]
        assert matched[at].values["equivalent"] is None or not matched[at].values["censored"]


def test_no_warning_where_the_dense_probe_reads_nothing(sweep: dict[str, np.ndarray]):
    """A dense accuracy of 0 is no divisor: what is left out is not computed."""
    sweep["dense"][0, 0] = sweep["dense"][:, 3] = 0.0
    sweep["topk"][:, 3] = 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = [
            computed(fig2, sweep),
            computed(fig3, sweep),
            computed(fig5, sweep),
        ]
    for figure in found[:2]:
        for row in figure["rows"]:
            assert (row["relative"] is None) == (row["layer"] == 3)
            assert row["excluded"] == {0: 3, 3: TASKS}.get(row["layer"], 0)


def test_fig5_by_a_loop_over_resamples(sweep: dict[str, np.ndarray]):
    """Resampling the tasks one resample at a time gives interval and censored share."""
    found, sizes, counts = computed(fig5, sweep), DESIGN.sizes, SAMPLES.draws
    assert len(counts) == RESAMPLES + 1
    for layer in range(LAYERS):
        row = found["rows"][layer]
        counted = [i for i in range(TASKS) if sweep["dense_validation"][i, layer] >= 0.55]
        assert (row["tasks"], row["excluded"]) == (len(counted), TASKS - len(counted))
        if not counted:
            assert (row["equivalent"], row["beyond"]) == (None, False)
            continue
        top, random = sweep["chosen"][counted, layer], sweep["random"][counted, layer].mean(axis=-1)
        worth = []
        for weights in counts[:, counted]:
            if weights.sum():
                means = np.average(random, axis=0, weights=weights)
                worth.append(match(float(np.average(top, weights=weights)), means.tolist(), sizes))
        assert row["equivalent"] == pytest.approx(worth[0])
        assert row["censored"] == pytest.approx(np.isinf(worth[1:]).sum() / RESAMPLES)
        ordered = sorted(worth[1:])
        beyond = tail(len(counted))
        for name, end in (("low", beyond), ("high", 1 - beyond)):
            expected = ordered[round(end * (len(ordered) - 1))]
            assert row[f"equivalent_{name}"] == (pytest.approx(expected) if isfinite(expected) else None)
        own = [match(float(goal), means.tolist(), sizes) for goal, means in zip(top, random, strict=True)]
        middle = float(np.median(own))
        assert row["median_multiple"] == (pytest.approx(middle / K) if isfinite(middle) else None)
        assert row["censored_tasks"] == sum(map(np.isinf, own))


def test_relative_accuracies_are_over_the_tasks_that_are_read(sweep: dict[str, np.ndarray]):
    two = (
        (computed(fig2, sweep), "lambda", LAMBDAS, "masked"),
        (computed(fig3, sweep), "k", KS, "topk"),
    )
    for found, axis, grid, name in two:
        for row in found["rows"]:
            layer, values = row["layer"], sweep[name][:, row["layer"], grid.index(row[axis])]
            counted = [i for i in range(TASKS) if sweep["dense_validation"][i, layer] >= 0.55]
            assert (row["tasks"], row["relative_tasks"]) == (TASKS, len(counted))
            assert row["excluded"] == TASKS - len(counted)
            assert row["accuracy"] == pytest.approx(values.mean())
            ratios = [values[i] / sweep["dense"][i, layer] for i in counted]
            assert row["relative"] == (pytest.approx(np.mean(ratios)) if counted else None)


def test_controls_are_over_the_tasks_that_every_variant_reads(sweep: dict[str, np.ndarray]):
    blind = {**sweep, "dense_validation": sweep["dense_validation"].copy()}
    blind["dense_validation"][5, 1] = 0.5
    sweeps = {"neurons": sweep, "rotated": sweep, "untrained": blind}
    design = replace(DESIGN, needs=controls.EXPERIMENT.needs)
    found = computed(controls, sweeps, design=design)
    for variant, own in sweeps.items():
        curves = found["curves"][variant]
        for layer, counted in ((0, [*range(3, 9)]), (1, [0, 1, 2, 3, 4, 6, 7, 8]), (2, list(range(TASKS)))):
            row, dense = curves["fig5"]["rows"][layer], curves["fig2"]["dense"][layer]
            assert (row["tasks"], row["excluded"]) == (len(counted), TASKS - len(counted))
            assert row["top"] == pytest.approx(own["chosen"][counted, layer].mean())
            assert dense["accuracy"] == pytest.approx(own["dense"][counted, layer].mean())
        assert curves["fig2"]["dense"][3]["accuracy"] is None


@pytest.mark.parametrize(("pairs", "least"), [(10, 11), (40, 44)])
def test_how_probably_luck_passes_the_floor(pairs: int, least: int):
    """.55 of the validation sentences, two a pair, of the smallest task."""
    scope = scope_of(NAMES, SAMPLES, validation=pairs)
    larger = replace(scope, tasks=(*scope.tasks, replace(scope.tasks[0], validation=999)))
    expected = sum(comb(2 * pairs, n) for n in range(least, 2 * pairs + 1)) / 2 ** (2 * pairs)
    assert chance_above_floor(larger) == pytest.approx(expected)


@pytest.mark.slow
def test_rises_by_a_loop_over_resamples(sweep: dict[str, np.ndarray]):
    found = computed(fig2, sweep)["rises"]
    assert [row["lambda"] for row in found] == [0.1, 0.5]
    for j, row in enumerate(found):
        rhos = [
            float(
                stats.spearmanr(range(LAYERS), np.average(sweep["kept"][..., j], axis=0, weights=weights)).statistic
            )
            for weights in SAMPLES.draws
        ]
        assert row["rho"] == pytest.approx(rhos[0])
        ends = sorted(rhos[1:])
        assert row["rho_low"] == pytest.approx(ends[round(tail(TASKS) * (RESAMPLES - 1))])
        assert row["rho_high"] == pytest.approx(ends[round((1 - tail(TASKS)) * (RESAMPLES - 1))])
    assert found[0]["rho_low"] > 0 > found[1]["rho_low"]


def judged(*results: Row, samples: TaskSamples = SAMPLES) -> dict[str, Row]:
    """The verdicts by claim, as JSON."""
    found = {
        result["experiment"]: read_record(experiment_of(result["experiment"]).result, result) for result in results
    }
    scope = scope_of(NAMES, samples)
    every = [verdict for name in found for verdict in experiment_of(name).verdicts(found, scope)]
    return {verdict.claim: record(verdict) for verdict in every}


def test_claim_a_is_chosen_on_validation(sweep: dict[str, np.ndarray]):
    """At layer 1 some k would be enough on test data, but validation chooses another one."""
    first, second = computed(fig2, sweep), computed(fig3, sweep)
    for row in first["rows"]:
        row |= {"kept": 0.2 if row["lambda"] == 0.5 else 0.9, "relative_validation": 0.9, "relative": 0.96}
    for row in second["rows"]:
        best, good = row["k"] == 8, row["k"] == (4 if row["layer"] == 1 else 8)
        row |= {"relative_validation": 0.9 if best else 0.8, "relative": 0.99 if good else 0.9}
    verdict = judged(first, second)["a"]
    assert (verdict["holds"], verdict["of"]) == (LAYERS - 1, LAYERS)
    assert verdict["reading"] == "Masks do in 4 layers, the largest |t| in 3."


def test_claim_b_is_half_of_what_ties_allow():
    """At layer 3 nothing is known, at layer 4 it is of 4 tasks of 9, at layer 5 of 5."""
    shares = [(0.3, 0.5), (0.2, 0.5), (0.25, 0.5), (np.nan, np.nan), (0.5, 0.5), (0.5, 0.5)]
    spearman, limit = (np.tile([pair[i] for pair in shares], (TASKS, 1))[..., None] for i in (0, 1))
    for values in (spearman, limit):
        values[4:, 4], values[5:, 5] = np.nan, np.nan
    empty = {name: np.ones((TASKS, 6)) for name in ("dense", "dense_validation")}
    design = replace(DESIGN, layers=tuple(range(6)), lambdas=(0.5,), needs=frozenset({"masks"}))
    masks = {name: np.ones((TASKS, 6, 1)) for name in ("kept", "masked", "masked_validation")}
    found = computed(fig4, {**empty, **masks, "spearman": spearman, "limit": limit}, design=design)
    assert [(row["tasks"], row["undefined"], row["judged"]) for row in found["rows"][3:]] == [
        (0, 9, False),
        (4, 5, False),
        (5, 4, True),
    ]
    verdict = judged(found)["b"]
    assert (verdict["holds"], verdict["of"], verdict["unit"]) == (3, 4, "layers")
    assert verdict["reading"].endswith("2 of 6 layers cannot be judged.")


@pytest.mark.parametrize(
    ("rows", "holds", "reading"),
    [
        (
            [(9.0, False), (2.0, False)],
            1,
            "Where random units match them, the median layer's top 3 are worth 5.5 times",
        ),
        (
            [(None, True), (2.0, False)],
            1,
            "2.0 times as many random units. In 1 layers no number of random units does.",
        ),
        ([(None, True)], 1, "In 1 layers no number of random units does."),
        ([], 0, "The dense probe reads nothing at any layer."),
    ],
)
def test_claim_c_with_and_without_layers_to_judge(rows: list[tuple[float | None, bool]], holds: int, reading: str):
    none: Row = {"layer": 0, "excluded": 0, "top": 0.8, "equivalent": None, "censored": 0.0}
    none |= {"median_multiple": None, "censored_tasks": 0}
    found = [{**none, "tasks": 2, "multiple": multiple, "beyond": beyond} for multiple, beyond in rows]
    unread = {**none, "tasks": 0, "multiple": None, "beyond": False}
    about: Row = {"experiment": "fig5", "k": 3, "floor": 0.55, "sizes": [3], "curves": [], "chance_above_floor": 0.0}
    verdict = judged({**about, "rows": [*found, unread]})["c"]
    assert (verdict["holds"], verdict["of"]) == (holds, len(rows))
    assert reading in verdict["reading"]


def test_claim_d_asks_for_an_interval_above_zero(sweep: dict[str, np.ndarray]):
    verdict = judged(computed(fig2, sweep))["d"]
    assert (verdict["holds"], verdict["of"], verdict["unit"]) == (1, 2, "lambdas")
    assert "falls" not in verdict["reading"]
    sweep["kept"] = 1 - sweep["kept"]
    verdict = judged(computed(fig2, sweep))["d"]
    assert (verdict["holds"], verdict["of"]) == (0, 2)
    assert verdict["reading"].endswith("It falls with the layer, by the same criterion, at 1 of 2 lambdas.")


@pytest.mark.parametrize("tasks", [1, 5])
def test_claim_d_cannot_be_judged_by_few_tasks(sweep: dict[str, np.ndarray], tasks: int):
    """Curves have no intervals either, but their means."""
    samples, few = TaskSamples.of(NAMES[:tasks], 5), {name: values[:tasks] for name, values in sweep.items()}
    found = computed(fig2, few, NAMES[:tasks], samples)
    verdict = judged(found, samples=samples)["d"]
    assert (verdict["of"], verdict["text"]) == (0, "cannot be judged here")
    assert verdict["reading"].endswith("Fewer than 6 tasks give no interval.")
    matched = computed(fig5, few, NAMES[:tasks], samples)
    for row in [*found["rows"], *found["dense"], *matched["rows"], *matched["curves"]]:
        assert all(value is None for key, value in row.items() if key.endswith(("_low", "_high")))
    assert found["rows"][0]["kept"] == pytest.approx(few["kept"][:, 0, 0].mean())
    means = few["kept"][..., 0].mean(axis=0)
    assert found["rises"][0]["rho"] == pytest.approx(stats.spearmanr(range(LAYERS), means).statistic)


def test_claim_d_is_over_phenomena(sweep: dict[str, np.ndarray]):
    """Nine tasks of which each stands for three: by tasks the rise is certain, by phenomena it is not."""
    thrice = {name: np.repeat(values, 3, axis=0) for name, values in sweep.items()}
    rng = np.random.default_rng(4)
    thrice["kept"] = np.repeat(rng.random((9, LAYERS, 3)) + 0.12 * np.arange(LAYERS)[:, None], 3, axis=0)
    names = [f"{name}{i}" for name in NAMES for i in range(3)]
    found = {}
    for what, phenomena in (("phenomena", [name[:5] for name in names]), ("tasks", names)):
        samples = TaskSamples.of(phenomena, 5)
        verdict = judged(computed(fig2, thrice, names, samples), samples=samples)["d"]
        found[what] = verdict["holds"]
        assert f"interval of Spearman over {what}" in verdict["criterion"]
    assert found["phenomena"] < found["tasks"]


def test_claim_e_counts_what_each_cell_rests_on():
    """.75 of 8 sentences is not above chance, .75 of 400 is."""
    names = list("abcd")
    matrix = [[0.75] * 4 for _ in names]
    means = ("own", "same", "other")
    columns = [f"{probe}_{what}{end}" for end in ("", "_pairwise") for probe in ("sparse", "dense") for what in means]
    nulls = {
        f"{kind}_{probe}": {"mean": 0.5, "row_sd": 0.01, "above": 0.014 if probe == "sparse" else 0.089}
        for kind in ("accuracy", "pairwise")
        for probe in ("sparse", "dense")
    }
    result: Row = {
        "experiment": "fig6",
        "layer": 1,
        "lambda": [0.2] * 4,
        "kept": [0.1] * 4,
        "general": [],
        "left_out": 0,
        "tasks": names,
        "phenomena": names,
        "pairs": [[200] * 4, [200] * 4, [4] * 4, [200, 200, 4, 200]],
        "sparse": {"accuracy": matrix, "pairwise": matrix},
        "dense": {"accuracy": matrix, "pairwise": matrix},
        "means": [{"task": "a", "phenomenon": "a"} | dict.fromkeys(columns, 0.75)] * 4,
        "null": nulls,
    }
    verdict = judged(result)["e"]
    assert verdict["reading"].endswith(
        "Of the cells of probes of flipped labels 1.4 % (dense 8.9 %) are above chance too, where 5 % would be due."
    )
    assert (verdict["holds"], verdict["of"]) == (2, 4)  # of c and d, none and two of three others are above chance


def test_what_a_recipe_cannot_ask_is_said_before_anything_runs(llama: Model):
    tasks = [random_pairs(20, seed=1, longest=8, task="few")]
    causal = Recipe("c", experiments=("causal",), topk=17)
    with pytest.raises(InputError, match="topk 17 leaves no 17 other units of the 32; choose fewer"):
        plan_recipe(causal, llama, tasks)
    assert plan_recipe(replace(causal, topk=16), llama, tasks)
    with pytest.raises(InputError, match="folds 9 are too many for the 12 train pairs of 'few'"):
        plan_recipe(override(Recipe("o"), {"experiments": "overlap", "folds": 9}), llama, tasks)
    warm = Recipe("s", experiments=("sensitivity",), lambdas=(0.2, 0.4), l0_start="warm", l0_log_alpha=5.0)
    with pytest.raises(InputError, match="sensitivity trains masks in every way: leave l0_start, l0_log_alpha out"):
        plan_recipe(warm, llama, tasks)
