"""Statistics of cells and the agreement of matrices against scipy and plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from neurosteer.studies.paper.causal.agreement import agree, weighted_spearman
from neurosteer.studies.paper.causal.contrasts import by_kind, kinds_of
from neurosteer.studies.paper.causal.numbers import against_controls, measure_cell, q_values
from neurosteer.studies.paper.intervals import draws


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("n", [2, 3, 9, 19])
def test_t_is_that_of_a_pooled_two_sample_test(n: int):
    """One draw against n: the pooled two-sample t, whose whole spread comes from the controls."""
    controls = rng(n).normal(0.3, 0.8, n).tolist()
    mean, sd, t, p = against_controls(-1.2, controls)
    plain = (-1.2 - sum(controls) / n) / math.sqrt(sum((c - sum(controls) / n) ** 2 for c in controls) / (n - 1))
    assert (mean, sd) == pytest.approx((np.mean(controls), stats.tstd(controls)))
    assert t == pytest.approx(plain / math.sqrt(1 + 1 / n))
    both = stats.ttest_ind([-1.2], controls)
    assert (t, p) == pytest.approx((both.statistic, both.pvalue))


def test_p_of_one_more_draw_is_uniform():
    """Where the set is one more like its controls, 5 % of p are below .05."""
    values = rng(1).normal(2.0, 3.0, (4000, 10))
    ps = [against_controls(row[0], row[1:].tolist())[3] for row in values]
    assert stats.kstest(ps, "uniform").pvalue > 0.001


@pytest.mark.parametrize(
    ("controls", "mean", "sd"),
    [([], None, None), ([0.5], 0.5, None), ([0.5, 0.5, 0.5], 0.5, 0.0), ([0.0] * 9, 0.0, 0.0)],
)
def test_no_p_where_controls_say_nothing(controls: list[float], mean: float | None, sd: float | None):
    assert against_controls(-3.0, controls) == (mean, sd, None, None)


def test_controls_that_differ_by_rounding_are_alike():
    values = [0.1 + 0.2, 0.3, 0.3]
    assert values[0] != values[1]
    assert against_controls(-3.0, values)[2:] == (None, None)


def test_a_cell_from_margins():
    clean, edited = rng(2).normal(1, 1, 7), rng(3).normal(0, 1, (4, 7))
    edited[0, 2], clean[1] = 0.0, 0.0
    cell = measure_cell(clean, edited)
    deltas = [sum(row[i] - clean[i] for i in range(7)) / 7 for row in edited]
    assert cell.delta == pytest.approx(deltas[0])
    assert (cell.controls_mean, cell.controls_sd) == pytest.approx((np.mean(deltas[1:]), stats.tstd(deltas[1:])))
    assert cell.p == pytest.approx(stats.ttest_ind(deltas[:1], deltas[1:]).pvalue)
    assert cell.accuracy_before == sum(value > 0 for value in clean) / 7
    assert cell.accuracy_after == sum(value > 0 for value in edited[0]) / 7
    assert cell.margin_before == pytest.approx(sum(clean) / 7)


def test_q_by_hand():
    """The smallest over all larger p of p times their number over their rank; cells without p do not count."""
    ps = [0.01, None, 0.04, 0.03, 0.20, None, 0.005]
    known = sorted(p for p in ps if p is not None)
    for p, q in zip(ps, q_values(ps), strict=True):
        expected = p and min(other * 5 / (rank + 1) for rank, other in enumerate(known) if other >= p)
        assert q == (None if p is None else pytest.approx(min(1.0, expected)))
    assert q_values([]) == []
    assert q_values([None]) == [None]


@pytest.mark.parametrize("ties", [False, True])
def test_weighted_spearman_is_that_of_the_repeated_sample(ties: bool):
    x, y = rng(4).normal(size=(2, 30))
    x, y = (np.round(x), np.round(y)) if ties else (x, y)
    weights = rng(5).integers(0, 4, (20, 30)).astype(float)
    weights[0] = 1
    for row, found in zip(weights.astype(int), weighted_spearman(x, y, weights), strict=True):
        assert found == pytest.approx(stats.spearmanr(np.repeat(x, row), np.repeat(y, row)).statistic)


def test_spearman_of_what_is_constant_is_none():
    x, flat = rng(6).normal(size=5), np.ones(5)
    weights = np.ones((2, 5))
    weights[1] = [3, 0, 0, 0, 0]
    assert np.isnan(weighted_spearman(x, flat, weights)).all()
    assert np.isnan(weighted_spearman(x, x, weights)).tolist() == [False, True]


def matrices(tasks: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    a, noise = rng(seed).normal(size=(2, tasks, tasks))
    return a, a + noise


def test_agreement_leaves_out_the_diagonal_and_what_is_unknown():
    a, b = matrices(6, 7)
    np.fill_diagonal(a, 100.0)
    np.fill_diagonal(b, -100.0)
    a[1], b[2, 4] = np.nan, np.nan
    cells = [(i, j) for i in range(6) for j in range(6) if i not in (j, 1) and (i, j) != (2, 4)]
    found = agree(a, b, 0)
    expected = stats.spearmanr([a[cell] for cell in cells], [b[cell] for cell in cells]).statistic
    assert found["spearman"] == pytest.approx(expected)
    assert found["cells"] == len(cells) == 24


def test_the_interval_resamples_tasks():
    """Against a plain loop over the same draws: the cells between the drawn tasks, but none of a task with itself."""
    a, b = matrices(7, 8)
    counts = draws(7, 3)[1:]
    rhos = []
    for row in counts.astype(int):
        tasks = np.repeat(np.arange(7), row)
        cells = [(i, j) for i in tasks for j in tasks if i != j]
        rhos.append(stats.spearmanr([a[cell] for cell in cells], [b[cell] for cell in cells]).statistic)
    found = agree(a, b, 3)
    assert (found["low"], found["high"]) == pytest.approx(np.percentile(rhos, (2.5, 97.5)), abs=5e-3)
    assert found["low"] < found["spearman"] < found["high"]
    assert agree(a, b, 3) == found != agree(a, b, 4)


def test_the_interval_knows_that_cells_of_a_task_go_together():
    """Tasks whose cells are all alike: the interval is as wide as few tasks make it, not as many cells."""
    effect, other = rng(9).normal(size=(2, 12))
    noise = rng(10).normal(size=(2, 12, 12)) * 0.1
    found = agree(effect[:, None] + noise[0], other[:, None] + noise[1], 0)
    by_cells = 2 * 1.96 / math.sqrt(12 * 11)
    assert found["high"] - found["low"] > 2 * by_cells


@pytest.mark.parametrize("tasks", [1, 2])
def test_two_tasks_are_too_few_to_agree(tasks: int):
    a, b = matrices(tasks, 11)
    assert agree(a, b, 0) == {"spearman": None, "low": None, "high": None, "cells": tasks * (tasks - 1)}


def test_what_never_varies_does_not_agree():
    a, _ = matrices(5, 12)
    assert agree(a, np.ones((5, 5)), 0) == {"spearman": None, "low": None, "high": None, "cells": 20}


PHENOMENA = ["x", "x", "y", "x", "z"]


def test_kinds_of_cells():
    kinds = kinds_of(PHENOMENA)
    for i in range(5):
        for j in range(5):
            same = PHENOMENA[i] == PHENOMENA[j]
            expected = {"own": i == j, "related": same and i != j, "unrelated": not same, "other": i != j}
            assert {name: bool(cells[i, j]) for name, cells in kinds.items()} == expected


def test_means_by_kind_are_plain_means_over_sources():
    drops = rng(13).normal(size=(5, 5))
    drops[0, 3], drops[3] = np.nan, np.nan
    found = {row.pop("kind"): row for row in by_kind(drops, PHENOMENA, 0)}
    own = {i: drops[i, i] for i in (0, 1, 2, 4)}
    related = {0: drops[0, 1], 1: (drops[1, 0] + drops[1, 3]) / 2}
    unrelated = {
        0: (drops[0, 2] + drops[0, 4]) / 2,
        1: (drops[1, 2] + drops[1, 4]) / 2,
        2: (drops[2, 0] + drops[2, 1] + drops[2, 3] + drops[2, 4]) / 4,
        4: (drops[4, 0] + drops[4, 1] + drops[4, 2] + drops[4, 3]) / 4,
    }
    expected = {
        "own": own,
        "related": related,
        "unrelated": unrelated,
        "own - related": {i: own[i] - related[i] for i in related},
        "own - unrelated": {i: own[i] - unrelated[i] for i in own},
        "related - unrelated": {i: related[i] - unrelated[i] for i in related},
    }
    for kind, values in expected.items():
        assert found[kind]["drop"] == pytest.approx(sum(values.values()) / len(values)), kind
        assert found[kind]["sources"] == len(values)
        assert found[kind]["low"] <= found[kind]["drop"] <= found[kind]["high"]
    assert set(found) == {*expected, "other", "own - other"}


def test_one_source_has_no_interval():
    rows = {row["kind"]: row for row in by_kind(np.array([[2.0]]), ["x"], 0)}
    assert rows["own"] == {"kind": "own", "drop": 2.0, "low": None, "high": None, "sources": 1}
    assert rows["related"] == {"kind": "related", "drop": None, "low": None, "high": None, "sources": 0}


def test_the_interval_over_sources_is_about_students():
    """Forty sources: the bootstrap and t agree."""
    drops = rng(14).normal(0.5, 1.0, (40, 40))
    [own] = [row for row in by_kind(drops, ["x"] * 40, 0) if row["kind"] == "own"]
    diagonal = np.diag(drops)
    low, high = stats.t.interval(0.95, 39, loc=diagonal.mean(), scale=stats.sem(diagonal))
    assert (own["low"], own["high"]) == pytest.approx((low, high), abs=0.06)
