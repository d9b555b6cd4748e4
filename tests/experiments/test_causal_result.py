"""The causal result, gathered from the results of units: every number again by plain loops."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from causal_toy import MASSIVE, PHENOMENA, TASKS, TESTED, Toy, recipe, run_toy
from described import described
from made_causal import made_causal
from scipy import stats
from shapes import differences

from neurosteer.experiments.causal import EXPERIMENT
from neurosteer.experiments.causal.result import CausalTransfer, Cell, MatrixAgreement
from neurosteer.experiments.scope import Data, Scope, ScopeSettings
from neurosteer.experiments.shared.one_layer import PROBES
from neurosteer.experiments.shared.transfer_probes import KINDS
from neurosteer.model import Model
from neurosteer.results import read_record, record
from neurosteer.results.record import to_json_value
from neurosteer.runner.units import UnitResult

METHODS = ("welch", "l0", "attribution")
MEASURED = ("bee", "cat", "dog")
DROPS = {"measured": "delta", "beyond controls": "beyond", "beyond others' controls": "beyond_others"}
TRANSFER = np.random.default_rng(5).uniform(0.4, 1.0, (4, 4))
EVERY_PROBE = {f"{kind}_{probe}": TRANSFER for kind in KINDS for probe in PROBES}


@pytest.fixture(scope="module")
def toy(llama: Model, apart: Callable[[], AbstractContextManager[None]]) -> Toy:
    with apart():
        return run_toy(llama, recipe(measured=MEASURED))


@pytest.fixture(scope="module")
def result(toy: Toy) -> CausalTransfer:
    return gathered(toy)


def gathered(toy: Toy) -> CausalTransfer:
    results = toy.results | {"transfer": UnitResult(EVERY_PROBE | {"pairs": TRANSFER}, {})}
    design, recipe = toy.work.design, toy.work.recipe
    settings = ScopeSettings.of(design, toy.work.model.n_layers, toy.work.samples.resampled)
    scope = Scope(described("toy"), Data("made up", 480, recipe.split, recipe.seed), (), (), settings)
    found: CausalTransfer = EXPERIMENT.compute(results.__getitem__, toy.work, scope)
    return found


def test_results_made_by_hand_could_be_real(result: CausalTransfer):
    """Those that tables and figures are tested with."""
    assert differences(record(made_causal(8)), record(result)) == []


def deltas(toy: Toy, source: str, target: str, method: str) -> list[float]:
    """Changes of the mean margin: of the set, then of its controls."""
    clean = np.mean(toy.cells(target, source).arrays["clean"])
    return [float(np.mean(row) - clean) for row in toy.margins(source, target, method)]


def kept(result: CausalTransfer, target: str) -> bool:
    return target not in result.nothing_to_lose


def cell(result: CausalTransfer, method: str, source: str, target: str) -> Cell:
    [row] = [row for row in result.cells_of(method) if (row.source, row.target) == (source, target)]
    return row


def test_it_is_json(result: CausalTransfer):
    written = json.dumps(record(result), allow_nan=False)
    assert read_record(CausalTransfer, json.loads(written)) == result


def test_what_was_asked(result: CausalTransfer):
    named = (result.experiment, result.layer, result.k, result.pairs, result.measured, result.methods)
    assert named == ("causal", 1, 3, TESTED, list(MEASURED), METHODS)
    assert (result.controls, result.cell_controls, result.null_searches) == (3, 199, 2)
    assert result.massive == MASSIVE
    assert (result.tasks, result.phenomena) == (list(TASKS), list(PHENOMENA.values()))


def test_predictions_are_sums_of_the_targets_attributions(toy: Toy, result: CausalTransfer):
    for method in METHODS:
        for i, source in enumerate(TASKS):
            for j, target in enumerate(TASKS):
                units = toy.chosen(source, method)
                expected = -sum(float(toy.drops(target)[unit]) for unit in units) if units else None
                found = result.predicted[method][i][j]
                assert found == (None if expected is None else pytest.approx(expected))
                if source in MEASURED and target in MEASURED:
                    assert cell(result, method, source, target).predicted == found


def test_cells(toy: Toy, result: CausalTransfer):
    assert len(result.cells) == 3 * 9
    for method in METHODS:
        for source in MEASURED:
            for target in MEASURED:
                row = cell(result, method, source, target)
                assert row.related is ({source, target} == {"cat", "dog"})
                assert (row.pairs, row.left_out, row.units) == (TESTED, 0, len(toy.chosen(source, method)))
                clean = toy.cells(target, source).arrays["clean"]
                assert row.margin_before == pytest.approx(np.mean(clean))
                assert row.nothing_to_lose is not kept(result, target)
                assert row.q is None  # 3 controls
                if not row.units:
                    unknown = ("delta", "controls_mean", "beyond", "beyond_others", "p")
                    assert [getattr(row, name) for name in unknown] == [None] * 5
                    continue
                own, *controls = deltas(toy, source, target, method)
                assert row.delta == pytest.approx(own)
                assert (row.controls_mean, row.controls_sd) == pytest.approx(
                    (np.mean(controls), np.std(controls, ddof=1))
                )
                assert row.beyond == pytest.approx(own - np.mean(controls))
                others = [
                    np.mean(deltas(toy, other, target, method)[1:])
                    for other in MEASURED
                    if other != source and toy.chosen(other, method)
                ]
                assert row.beyond_others == pytest.approx(own - np.mean(others))
                far = [abs(value - np.mean([own, *controls])) for value in (own, *controls)]
                assert row.p == sum(value >= far[0] - 1e-9 for value in far) / 4
                assert row.controls == 3


def test_tasks_without_a_preference_have_nothing_to_lose(toy: Toy, result: CausalTransfer):
    """The margins of a random model: at least one task has none."""
    for task in MEASURED:
        clean = toy.cells(task, "bee").arrays["clean"]
        if np.mean(clean) <= 0:
            assert not kept(result, task)
    assert result.nothing_to_lose


def test_q_is_over_the_own_and_over_the_other_cells(monkeypatch: pytest.MonkeyPatch, toy: Toy):
    """Where single cells are judged; of targets that have something to lose."""
    monkeypatch.setattr(import_module("neurosteer.experiments.causal.compute"), "CELL_CONTROLS", 3)
    judged = gathered(toy)
    for method in METHODS:
        for own in (True, False):
            rows = [
                row
                for row in judged.cells
                if row.method == method and (row.source == row.target) is own and row.p is not None
            ]
            ps = sorted(row.p for row in rows if not row.nothing_to_lose)
            for row in rows:
                if row.nothing_to_lose:
                    assert row.q is None
                    continue
                expected = min(p * len(ps) / (rank + 1) for rank, p in enumerate(ps) if p >= row.p)
                assert row.q == pytest.approx(min(1.0, expected))
            kind = "own" if own else "other"
            found = judged.summary[method]
            assert getattr(found, f"judged_{kind}") == len(ps)
            qs = [row.q for row in rows if row.q is not None]
            assert getattr(found, f"significant_{kind}") == (sum(q < 0.05 for q in qs) if qs else None)


def test_families_of_every_method(toy: Toy, result: CausalTransfer):
    rows = {(row.method, row.family): row for row in result.families}
    assert set(rows) == {(method, family) for method in METHODS for family in ("own", "other", "search")}
    for method in METHODS:
        cells = {
            "own": [(task, task) for task in MEASURED],
            "other": [(a, b) for a in MEASURED for b in MEASURED if a != b],
        }
        for family, pairs in cells.items():
            there = [(a, b) for a, b in pairs if kept(result, b) and toy.chosen(a, method)]
            row = rows[method, family]
            assert row.cells == len(there)
            assert row.nothing_to_lose == sum(not kept(result, b) for _, b in pairs)
            assert row.empty == len(pairs) - len(there) - row.nothing_to_lose
            if there:
                assert row.mean == pytest.approx(np.mean([deltas(toy, a, b, method)[0] for a, b in there]))
                controls = np.mean([deltas(toy, a, b, method)[1:] for a, b in there])
                assert row.beyond == pytest.approx(row.mean - controls)
                assert row.verdict.startswith("too few to tell: 3 matched controls")
        there = [task for task in MEASURED if kept(result, task) and toy.chosen(task, method)]
        if there:
            clean = {task: np.mean(toy.cells(task, task).arrays["clean"]) for task in there}
            nulls = np.mean([np.mean(toy.nulls(task, method)) - clean[task] for task in there])
            assert rows[method, "search"].controls_mean == pytest.approx(nulls)


def test_null_sets_and_controls_one_by_one(toy: Toy, result: CausalTransfer):
    for row in result.null_changes:
        clean = np.mean(toy.cells(row.task, row.task).arrays["clean"])
        expected = np.mean(toy.nulls(row.task, row.method)[row.null]) - clean
        assert row.delta == pytest.approx(expected)
        units = toy.results[f"nullsets-{row.task}"].arrays[row.method][row.null]
        assert row.units == sum(unit >= 0 for unit in units)
    assert len(result.null_changes) == 3 * 3 * 2
    for row in result.control_means:
        if row.kind == "own":
            there = [task for task in MEASURED if kept(result, task) and toy.chosen(task, row.method)]
            values = [deltas(toy, task, task, row.method)[1 + row.control] for task in there]
            assert row.delta == (pytest.approx(np.mean(values)) if values else None)


def test_neutral_text_source_by_source(toy: Toy, result: CausalTransfer):
    piece = toy.results[_neutral(toy)]
    assert len(result.neutral) == 3 * 3
    assert [row.method for row in result.neutral] == [method for method in METHODS for _ in range(3)]
    for row in result.neutral:
        if not row.units:
            assert (row.kl, row.kl_controls_mean, row.overlap) == (None, None, None)
    first = next(row for row in result.neutral if (row.source, row.method) == ("bee", "welch"))
    kl = piece.arrays["kl"][piece.values["sets"].index(["bee", "welch"])]
    assert first.kl == pytest.approx(kl[0])
    ends = (first.kl_controls_mean, first.kl_controls_low, first.kl_controls_high)
    assert ends == pytest.approx((kl[1:].mean(), min(kl[1:]), max(kl[1:])))


def _neutral(toy: Toy) -> str:
    """The unit of `bee` and `cat`, which come first; `dog` has one of its own."""
    return next(name for name, unit in toy.units.items() if name.startswith("neutral") and "sets-bee" in unit.needs)


def off_diagonal(matrix: Any, tasks: tuple[str, ...]) -> list[float]:
    places = [TASKS.index(task) for task in tasks]
    return [matrix[i][j] for i in places for j in places if i != j]


def agreement(result: CausalTransfer, method: str, what: str) -> MatrixAgreement:
    [row] = [row for row in result.agreement if (row.method, row.what) == (method, what)]
    return row


@pytest.mark.parametrize("method", ["welch", "attribution"])
def test_agreement_is_spearman_over_cells_of_two_tasks(toy: Toy, result: CausalTransfer, method: str):
    sets = {task: set(toy.chosen(task, method)) for task in TASKS}
    shared = [[len(sets[a] & sets[b]) / 3 for b in TASKS] for a in TASKS]
    drop = [-deltas(toy, a, b, method)[0] for a in MEASURED for b in MEASURED if a != b]
    predicted = -np.array(result.predicted[method])
    compared = {
        "probe transfer ~ causal": (off_diagonal(TRANSFER, MEASURED), drop),
        "set overlap ~ causal": (off_diagonal(shared, MEASURED), drop),
        "predicted ~ measured": (off_diagonal(predicted, MEASURED), drop),
        "probe transfer ~ predicted": (off_diagonal(TRANSFER, TASKS), off_diagonal(predicted, TASKS)),
        "set overlap ~ predicted": (off_diagonal(shared, TASKS), off_diagonal(predicted, TASKS)),
    }
    for what, (a, b) in compared.items():
        row = agreement(result, method, what)
        assert row.cells == len(a)
        alike = len(set(a)) == 1
        assert row.spearman == (None if alike else pytest.approx(stats.spearmanr(a, b).statistic))
    assert len(result.agreement) == len(METHODS) * len(compared)


def test_cells_of_an_empty_set_agree_with_nothing(result: CausalTransfer):
    assert agreement(result, "l0", "probe transfer ~ causal").cells == 4
    assert agreement(result, "l0", "probe transfer ~ predicted").cells == 9


def test_effects_compare_own_related_and_unrelated(toy: Toy, result: CausalTransfer):
    rows = {(row.method, row.what, row.kind): row for row in result.effects}
    kinds = {
        "own": [(task, task) for task in MEASURED],
        "related": [("cat", "dog"), ("dog", "cat")],
        "unrelated": [(a, b) for a in MEASURED for b in MEASURED if a != b and {a, b} != {"cat", "dog"}],
    }
    for method in ("welch", "attribution"):
        for what in ("measured", "beyond controls", "beyond others' controls"):
            values = {
                (row.source, row.target): -getattr(row, DROPS[what])
                for row in result.cells
                if row.method == method and kept(result, row.target)
            }
            for kind, cells in kinds.items():
                by_source = [[values[c] for c in cells if c[0] == source and c in values] for source in MEASURED]
                means = [np.mean(row) for row in by_source if row]
                expected = pytest.approx(np.mean(means)) if means else None
                assert rows[method, what, kind].drop == expected
        predicted = -np.array(result.predicted[method])
        assert rows[method, "predicted", "own"].drop == pytest.approx(np.trace(predicted) / 4)
        assert rows[method, "predicted", "own"].sources == 4
    for kind in ("own", "own - other", "own - related"):  # attribution's own sets were chosen for that very sum
        assert rows["attribution", "predicted", kind].low is rows["attribution", "predicted", kind].high is None


def test_the_summary_has_the_means(result: CausalTransfer):
    for method in METHODS:
        found, rows = result.summary[method], [row for row in result.cells if row.method == method]
        own = [
            row.delta
            for row in rows
            if row.source == row.target and row.delta is not None and kept(result, row.target)
        ]
        assert found.own_delta == (pytest.approx(np.mean(own)) if own else None)
        assert found.cells == 9
        assert (found.judged_own, found.significant_own) == (0, None)


def test_what_sets_have_in_common(toy: Toy, result: CausalTransfer):
    """Of every ordered two of the measured tasks."""
    for method in METHODS:
        rows = [toy.results[f"sets-{task}"].arrays[method] for task in MEASURED]
        sets = [set(row[0].tolist()) for row in rows if len(row)]
        both = [(a, b) for i, a in enumerate(sets) for j, b in enumerate(sets) if i != j]
        found = result.summary[method]
        mean = np.mean([len(a & b) / len(a) for a, b in both]) if both else None
        assert found.in_common == (pytest.approx(mean) if both else None)
        expected = np.mean([len(b) / 32 for _, b in both]) if both else None
        assert found.in_common_chance == (pytest.approx(expected) if both else None)
    assert any(result.summary[method].in_common for method in METHODS)


def test_the_tables_of_the_csv_files_are_flat(result: CausalTransfer):
    tables = {name: to_json_value(rows) for name, rows in EXPERIMENT.csvs(result).items()}
    assert set(tables) == {"", "predicted", "agreement", "effects", "families", "neutral", "controls", "nulls"}
    assert tables[""] == record(result)["cells"]
    assert len(tables["predicted"]) == len(METHODS) * len(TASKS)
    assert tables["predicted"][5]["dog"] == result.predicted["l0"][1][3]
    for rows in tables.values():
        assert len({tuple(row) for row in rows}) == 1
        assert not any(isinstance(value, (list, dict)) for row in rows for value in row.values())
