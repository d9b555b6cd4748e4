"""Statistics of cells and the agreement of matrices against scipy and plain loops."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from scipy import stats

from neurosteer.experiments.causal.agreement import agree, weighted_spearman
from neurosteer.experiments.causal.contrasts import by_kind, kind_means, kinds_of
from neurosteer.experiments.causal.families import family_row, other_cells, own_cells, searches, verdict
from neurosteer.experiments.causal.measured import Likeness, MeasuredCells, measure_cell, others_controls
from neurosteer.experiments.causal.permutation import FamilyTest, detectable, permuted
from neurosteer.experiments.causal.result import MeanDrop
from neurosteer.experiments.intervals import TaskSamples
from neurosteer.results import Estimate
from neurosteer.studies.margins import Preference


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_a_cell_from_margins():
    clean, edited = rng(2).normal(1, 1, 7), rng(3).normal(0, 1, (4, 7))
    edited[0, 2], clean[1] = 0.0, 0.0
    cell = measure_cell(clean, edited)
    deltas = [sum(row[i] - clean[i] for i in range(7)) / 7 for row in edited]
    assert cell.delta == pytest.approx(deltas[0])
    assert (cell.controls_mean, cell.controls_sd) == pytest.approx((np.mean(deltas[1:]), stats.tstd(deltas[1:])))
    assert cell.beyond == pytest.approx(deltas[0] - np.mean(deltas[1:]))
    far = [abs(delta - np.mean(deltas)) for delta in deltas]
    assert cell.p == sum(value >= far[0] for value in far) / 4
    assert cell.accuracy_before == sum(value > 0 for value in clean) / 7
    assert cell.accuracy_after == sum(value > 0 for value in edited[0]) / 7


def every_draw(changes: np.ndarray) -> np.ndarray:
    """The family's mean for each way to draw one set in every stratum."""
    return np.array([np.mean(drawn) for drawn in product(*changes.tolist())])


@pytest.mark.parametrize("shift", [0.0, -1.2, 0.9])
def test_a_family_is_tested_by_drawing_a_set_in_each_task(shift: float):
    """Against all 5 ** 4 choices: exactly where they are no more than what may be drawn, else nearly."""
    changes = rng(21).normal(-0.3, 1.0, (4, 5))
    changes[:, 0] += shift
    every = every_draw(changes)
    exact = (np.abs(every - every.mean()) >= np.abs(changes[:, 0].mean() - every.mean()) - 1e-12).mean()
    found = permuted(changes, 0)
    assert found.p == pytest.approx(exact, abs=1e-12)
    assert (found.null_low, found.null_high) == pytest.approx(np.percentile(every, (2.5, 97.5)))
    assert found.mean == pytest.approx(np.mean([row[0] for row in changes]))
    assert found.controls_mean == pytest.approx(np.mean([value for row in changes for value in row[1:]]))
    drawn = permuted(changes, 0, draws=600)
    assert drawn.p == pytest.approx(exact, abs=5 * math.sqrt(exact * (1 - exact) / 600) + 2e-3)
    assert (drawn.null_low, drawn.null_high) == pytest.approx(np.percentile(every, (2.5, 97.5)), abs=0.3)
    assert permuted(changes, 0, draws=600) == drawn
    assert permuted(changes, 0, draws=99).p * 100 == pytest.approx(round(permuted(changes, 0, draws=99).p * 100))


def test_one_task_is_enough_for_a_verdict_that_no_lot_decides():
    """20 sets, of which the chosen one is farthest: p is 1 in 20, whatever the seed."""
    changes = np.concatenate([[50.0], rng(25).normal(size=19)])[None]
    tested = [permuted(changes, seed) for seed in range(20)]
    assert {found.p for found in tested} == {1 / 20}
    assert all(found.significant for found in tested)
    controls = rng(26).normal(size=(1, 19))
    least = {detectable(controls, np.array([4.0]), np.zeros((1, 19)), seed) for seed in range(5)}
    assert len(least) == 1
    assert least != {None}


def test_the_smallest_p_of_a_family_counts_the_set_itself():
    changes = np.zeros((3, 4))
    assert permuted(changes, 0, draws=50).p == 1.0
    changes[:, 0] = -1.0
    assert permuted(changes, 0).p == 1 / 4**3
    assert permuted(changes, 0, draws=60).p >= 1 / 61


def test_a_family_of_sets_like_their_controls_is_found_in_one_case_of_twenty():
    """12 tasks, heavy tails, another spread in each."""
    source, hits = rng(22), 0
    for i in range(400):
        changes = source.standard_t(3, (12, 20)) * source.uniform(0.1, 3.0, (12, 1))
        hits += permuted(changes, i, draws=999).p <= 0.05
    assert stats.binom.ppf(0.001, 400, 0.05) <= hits <= stats.binom.ppf(0.999, 400, 0.05)


@pytest.mark.parametrize("most_shared", [0.0, 0.6])
def test_the_smallest_loss_that_would_have_been_found(most_shared: float):
    """A plain simulation: one of the controls once more, shifted by that share, is found in 80 % of cases.

    Controls that hold a part of the set's neurons lose that part of it.
    """
    source = rng(23)
    controls, margins = source.normal(-0.2, 0.5, (12, 19)), source.uniform(1.0, 5.0, 12)
    shared = source.uniform(0.0, most_shared, (12, 19))
    least = detectable(controls, margins, shared, 0)
    assert least is not None
    for share, low, high in ((least, 0.72, 0.88), (0.5 * least, 0.05, 0.5), (2 * least, 0.97, 1.0)):
        hits = 0
        for i in range(300):
            played = controls[np.arange(12), source.integers(0, 19, 12)] - share * margins
            others = controls - share * shared * margins[:, None]
            hits += permuted(np.column_stack([played, others]), i, draws=999).p <= 0.05
        assert low <= hits / 300 <= high, share
    assert detectable(2 * controls, margins, shared, 0) == pytest.approx(2 * least, rel=0.01)
    few = slice(0, 1), slice(0, 3)
    assert detectable(controls[few], margins[:1], shared[few], 0) is None  # 4 sets: no p is as small
    if most_shared:
        assert least > 1.2 * detectable(controls, margins, np.zeros_like(shared), 0)


def family(changes: np.ndarray, clean: list[Preference], nulls: int = 0, size: float = 1.0) -> MeasuredCells:
    """Null sets have this share of the units of the own ones; a tenth more is shared from task to task."""
    tasks = [f"t{i}" for i in range(len(changes))]
    counts = [5] * len(tasks)
    null_changes, unlike = np.full((len(tasks), nulls), -0.5), np.zeros((len(tasks), nulls))
    shared = np.tile(0.1 * np.arange(len(tasks))[:, None], changes.shape[2] - 1)
    likeness = {"welch": Likeness(shared, unlike, size * np.ones_like(unlike))}
    return MeasuredCells(
        tasks, tasks, clean, counts, counts, {}, {"welch": changes}, {"welch": null_changes}, likeness
    )


def test_families_leave_out_what_has_nothing_to_lose():
    """Task 1 has no preference, task 3 no set."""
    changes = rng(24).normal(size=(4, 4, 3))
    changes[3] = np.nan
    clean = [
        Preference(2.0, 1.0, 3.0, 30),
        Preference(0.1, -1.0, 1.2, 30),
        Preference(4.0, 3.0, 5.0, 30),
        Preference(6.0, 5.0, 7.0, 30),
    ]
    measured = family(changes, clean, nulls=2)
    own = own_cells(measured, "welch")
    assert own.changes == pytest.approx(np.stack([changes[0, 0], changes[2, 2]]))
    assert own.margins.tolist() == [2.0, 4.0]
    assert (own.cells, own.nothing_to_lose, own.empty) == (2, 1, 1)
    other = other_cells(measured, "welch")
    cells = [(0, 2), (0, 3), (1, 0), (1, 2), (1, 3), (2, 0), (2, 3)]
    expected = [
        np.mean([changes[cell][[0, a, b][[0, 1, 2].index(cell[0])]] for cell in cells])
        for a, b in [(0, 0), (1, 2), (2, 1)]
    ]
    drawn = [other.changes[[0, 1, 2], [0, a, b]].mean() for a, b in [(0, 0), (1, 2), (2, 1)]]
    assert drawn == pytest.approx(expected)
    assert other.margins.mean() == pytest.approx(np.mean([clean[target].margin for _, target in cells]))
    assert (other.cells, other.nothing_to_lose, other.empty) == (7, 3, 2)
    assert (own.shared[:, 0].tolist(), other.shared[:, 0].tolist()) == ([0.0, 0.2], [0.0, 0.1, 0.2])
    search = searches(measured, "welch")
    assert search.changes == pytest.approx(np.array([[changes[0, 0, 0], -0.5, -0.5], [changes[2, 2, 0], -0.5, -0.5]]))


def test_null_sets_that_are_smaller_are_not_tested():
    """Neither p nor what would have been found; the means stay."""
    clean = [Preference(2.0, 1.0, 3.0, 30)] * 3
    changes = rng(27).normal(size=(3, 3, 20))
    for size, told in ((0.95, None), (0.85, "not tested: null sets hold 85 % of as many neurons, on average")):
        row = family_row(searches(family(changes, clean, 39, size), "welch"), "welch", "search", 0)
        assert (row.p is None, row.detectable is None, row.mean is None) == (
            told is not None,
            told is not None,
            False,
        )
        assert (row.verdict == told) is (told is not None)


def family_test(mean: float, controls: float, p: float) -> FamilyTest:
    return FamilyTest(mean, controls, -1.0, 1.0, p)


def test_verdicts_in_words():
    few = verdict(19, family_test(-0.5, 0.0, 0.001), 0.1, "null sets")
    assert few == "too few to tell: 18 null sets, 19 or more are wanted"
    for mean, controls, said in (
        (-0.5, -0.1, "falls more"),
        (-0.1, -0.5, "falls less"),
        (0.5, -0.1, "rises more"),
        (0.1, 0.5, "rises less"),
    ):
        told = verdict(20, family_test(mean, controls, 0.05), 0.1, "matched controls")
        assert told == f"the margin {said} than under matched controls"
    none = verdict(20, family_test(-0.5, -0.1, 0.051), 0.123, "matched controls")
    assert none == (
        "no difference from matched controls is shown; "
        "a loss of 12 % of the clean margin would have been (80 % power)"
    )
    assert verdict(20, family_test(0.0, 0.0, 1.0), None, "null sets").endswith("nor would any loss have been shown")


def test_a_family_with_nothing_in_it():
    measured = family(np.full((1, 1, 3), np.nan), [Preference(1.0, 0.5, 1.5, 30)])
    row = family_row(own_cells(measured, "welch"), "welch", "own", 0)
    assert (row.verdict, row.cells, row.empty, row.sets, row.draws) == ("nothing to test", 0, 1, 0, 1)
    unknown = (row.mean, row.controls_mean, row.beyond, row.null_low, row.null_high, row.p, row.share_lost)
    assert {*unknown, row.detectable} == {None}


def test_controls_of_other_sources_on_the_same_target():
    changes = rng(25).normal(size=(4, 4, 6))
    changes[2] = np.nan
    found = others_controls(changes)
    for i in range(4):
        for j in range(4):
            others = [changes[s, j, 1:].mean() for s in (0, 1, 3) if s != i]
            assert found[i, j] == pytest.approx(np.mean(others))
    assert np.isnan(others_controls(changes[:1, :1])).all()


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
    found, count = agree(a, b, TaskSamples.apart(len(a), 0))
    expected = stats.spearmanr([a[cell] for cell in cells], [b[cell] for cell in cells]).statistic
    assert found.value == pytest.approx(expected)
    assert count == len(cells) == 24


def test_the_interval_resamples_tasks():
    """Against a plain loop over the same draws: the cells between the drawn tasks, but none of a task with itself."""
    a, b = matrices(7, 8)
    counts = TaskSamples.apart(7, 3).draws[1:]
    rhos = []
    for row in counts.astype(int):
        tasks = np.repeat(np.arange(7), row)
        cells = [(i, j) for i in tasks for j in tasks if i != j]
        rhos.append(stats.spearmanr([a[cell] for cell in cells], [b[cell] for cell in cells]).statistic)
    found, _ = agree(a, b, TaskSamples.apart(len(a), 3))
    beyond = 100 * stats.norm.cdf(-math.sqrt(7 / 6) * stats.t.isf(0.025, 6))
    assert (found.low, found.high) == pytest.approx(np.percentile(rhos, (beyond, 100 - beyond)), abs=2e-2)
    assert found.low < found.value < found.high
    assert agree(a, b, TaskSamples.apart(len(a), 3))[0] == found != agree(a, b, TaskSamples.apart(len(a), 4))[0]


def test_the_interval_knows_that_cells_of_a_task_go_together():
    """Tasks whose cells are all alike: the interval is as wide as few tasks make it, not as many cells."""
    effect, other = rng(9).normal(size=(2, 12))
    noise = rng(10).normal(size=(2, 12, 12)) * 0.1
    found, _ = agree(effect[:, None] + noise[0], other[:, None] + noise[1], TaskSamples.apart(12, 0))
    by_cells = 2 * 1.96 / math.sqrt(12 * 11)
    assert found.high - found.low > 2 * by_cells


def test_five_tasks_have_no_interval_and_phenomena_go_together():
    a, b = matrices(5, 13)
    found, _ = agree(a, b, TaskSamples.apart(5, 0))
    assert found.value is not None
    assert found.low is found.high is None
    a, b = matrices(12, 14)
    by_phenomenon, _ = agree(a, b, TaskSamples.of([str(i // 2) for i in range(12)], 0))
    by_task, _ = agree(a, b, TaskSamples.apart(12, 0))
    assert by_phenomenon.value == by_task.value
    assert by_phenomenon != by_task


@pytest.mark.parametrize("tasks", [1, 2])
def test_two_tasks_are_too_few_to_agree(tasks: int):
    a, b = matrices(tasks, 11)
    assert agree(a, b, TaskSamples.apart(len(a), 0)) == (Estimate(None), tasks * (tasks - 1))


def test_what_never_varies_does_not_agree():
    a, _ = matrices(5, 12)
    assert agree(a, np.ones((5, 5)), TaskSamples.apart(5, 0)) == (Estimate(None), 20)


PHENOMENA = ["x", "x", "y", "x", "z"]


def test_kinds_of_cells():
    kinds = kinds_of(PHENOMENA)
    for i in range(5):
        for j in range(5):
            same = PHENOMENA[i] == PHENOMENA[j]
            expected = {"own": i == j, "related": same and i != j, "unrelated": not same, "other": i != j}
            assert {name: bool(cells[i, j]) for name, cells in kinds.items()} == expected


def means_by_kind(drops: np.ndarray, phenomena: list[str]) -> dict[str, MeanDrop]:
    return {row.kind: row for row in by_kind(drops, phenomena, 0, method="welch", what="measured")}


def test_means_by_kind_are_plain_means_over_sources():
    drops = rng(13).normal(size=(5, 5))
    drops[0, 3], drops[3] = np.nan, np.nan
    found = means_by_kind(drops, PHENOMENA)
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
        assert found[kind].drop == pytest.approx(sum(values.values()) / len(values)), kind
        assert found[kind].sources == len(values)
        assert (found[kind].low, found[kind].high) == (None, None)  # of so few sources
    assert set(found) == {*expected, "other", "own - other"}
    for kind, value in kind_means(drops, PHENOMENA).items():
        assert value == pytest.approx(found[kind].drop)


def test_six_sources_have_an_interval():
    drops, phenomena = rng(14).normal(size=(6, 6)), list("uvwxyz")
    own = means_by_kind(drops, phenomena)["own"]
    assert own.low < own.drop < own.high
    without = by_kind(drops, phenomena, 0, method="welch", what="measured", own_interval=False)
    for row in without:
        known = row.kind in ("unrelated", "other")  # related there are none
        assert (row.low is not None, row.high is not None) == (known, known)
    assert without[0].drop == own.drop


def test_one_source_has_no_interval():
    rows = means_by_kind(np.array([[2.0]]), ["x"])
    assert rows["own"] == MeanDrop("welch", "measured", "own", 2.0, None, None, 1)
    assert rows["related"] == MeanDrop("welch", "measured", "related", None, None, None, 0)


def test_the_interval_over_sources_is_about_students():
    """Forty sources: the bootstrap and t agree."""
    drops = rng(14).normal(0.5, 1.0, (40, 40))
    own = means_by_kind(drops, ["x"] * 40)["own"]
    diagonal = np.diag(drops)
    low, high = stats.t.interval(0.95, 39, loc=diagonal.mean(), scale=stats.sem(diagonal))
    assert (own.low, own.high) == pytest.approx((low, high), abs=0.06)
