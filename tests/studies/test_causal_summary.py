"""The causal result, gathered from pieces: every number again by plain loops."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import pytest
from causal_toy import LAYER, MASSIVE, PHENOMENA, TASKS, Toy, recipe, run_toy
from scipy import stats

from neurosteer.model import Model
from neurosteer.studies.paper.causal import causal_result
from neurosteer.studies.paper.transfer import Member

METHODS = ("welch", "l0", "attribution")
MEASURED = ("bee", "cat", "dog")
TRANSFER = np.random.default_rng(5).uniform(0.4, 1.0, (4, 4))


@pytest.fixture(scope="module")
def toy(llama: Model, apart: Callable[[], AbstractContextManager[None]]) -> Toy:
    with apart():
        return run_toy(llama, recipe(measured=MEASURED))


@pytest.fixture(scope="module")
def result(toy: Toy) -> dict[str, Any]:
    members = [Member(*task) for task in PHENOMENA.items()]
    return causal_result(toy.pieces.__getitem__, toy.recipe, members, LAYER, TRANSFER)


def deltas(toy: Toy, source: str, target: str, method: str) -> list[float]:
    """Changes of the mean margin: of the set, then of its source's controls of that size, largest size first.

    Rows come source by source; `bee` and `cat` are the first of their phenomena and measured together, `dog` alone.
    """
    piece, start = toy.cells(target, source), 0
    for task in {"cat": ["bee"]}.get(source, []):
        start += len(_sizes(toy, task)) + 3 * len(set(_sizes(toy, task)))
    sets = [each for each in METHODS if toy.chosen(source, each)]
    largest_first = sorted(set(_sizes(toy, source)), reverse=True)
    drawn = start + len(sets) + 3 * largest_first.index(len(toy.chosen(source, method)))
    rows = [start + sets.index(method), *range(drawn, drawn + 3)]
    return [float(np.mean(piece.arrays["margins"][row]) - np.mean(piece.arrays["clean"])) for row in rows]


def _sizes(toy: Toy, source: str) -> list[int]:
    sizes = (len(toy.chosen(source, method)) for method in METHODS)
    return [size for size in sizes if size]


def cell(result: dict[str, Any], method: str, source: str, target: str) -> dict[str, Any]:
    [row] = [
        row for row in result["cells"] if (row["method"], row["source"], row["target"]) == (method, source, target)
    ]
    return row


def test_it_is_json(result: dict[str, Any]):
    assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_what_was_asked(result: dict[str, Any]):
    told = {
        name: result[name]
        for name in ("experiment", "layer", "k", "controls", "pairs", "measured", "methods", "massive")
    }
    assert told == {
        "experiment": "causal",
        "layer": 1,
        "k": 3,
        "controls": 3,
        "pairs": 5,
        "measured": list(MEASURED),
        "methods": list(METHODS),
        "massive": MASSIVE,
    }
    assert (result["tasks"], result["phenomena"]) == (list(TASKS), list(PHENOMENA.values()))


def test_predictions_are_sums_of_the_targets_attributions(toy: Toy, result: dict[str, Any]):
    for method in METHODS:
        for i, source in enumerate(TASKS):
            for j, target in enumerate(TASKS):
                units = toy.chosen(source, method)
                expected = -sum(float(toy.drops(target)[unit]) for unit in units) if units else None
                found = result["predicted"][method][i][j]
                assert found == (None if expected is None else pytest.approx(expected))
                if source in MEASURED and target in MEASURED:
                    assert cell(result, method, source, target)["predicted"] == found


def test_cells(toy: Toy, result: dict[str, Any]):
    assert len(result["cells"]) == 3 * 9
    for method in METHODS:
        for source in MEASURED:
            for target in MEASURED:
                row = cell(result, method, source, target)
                assert row["related"] is ({source, target} == {"cat", "dog"})
                assert (row["pairs"], row["left_out"], row["units"]) == (5, 0, len(toy.chosen(source, method)))
                if not row["units"]:
                    assert [row[name] for name in ("delta", "controls_mean", "t", "p", "q")] == [None] * 5
                    continue
                own, *controls = deltas(toy, source, target, method)
                assert row["delta"] == pytest.approx(own)
                assert (row["controls_mean"], row["controls_sd"]) == pytest.approx(
                    (np.mean(controls), np.std(controls, ddof=1))
                )
                expected = stats.ttest_ind([own], controls)
                assert (row["t"], row["p"]) == pytest.approx((expected.statistic, expected.pvalue))
                assert row["controls"] == 3


def test_q_is_over_the_measured_cells_of_a_method(result: dict[str, Any]):
    for method, count in (("welch", 9), ("l0", 6), ("attribution", 9)):
        rows = [row for row in result["cells"] if row["method"] == method and row["p"] is not None]
        ps = sorted(row["p"] for row in rows)
        assert len(ps) == count
        for row in rows:
            expected = min(p * count / (rank + 1) for rank, p in enumerate(ps) if p >= row["p"])
            assert row["q"] == pytest.approx(min(1.0, expected))


def off_diagonal(matrix: Any, tasks: tuple[str, ...]) -> list[float]:
    places = [TASKS.index(task) for task in tasks]
    return [matrix[i][j] for i in places for j in places if i != j]


def agreement(result: dict[str, Any], method: str, what: str) -> dict[str, Any]:
    [row] = [row for row in result["agreement"] if (row["method"], row["what"]) == (method, what)]
    return row


@pytest.mark.parametrize("method", ["welch", "attribution"])
def test_agreement_is_spearman_over_cells_of_two_tasks(toy: Toy, result: dict[str, Any], method: str):
    sets = {task: set(toy.chosen(task, method)) for task in TASKS}
    shared = [[len(sets[a] & sets[b]) / 3 for b in TASKS] for a in TASKS]
    drop = [-deltas(toy, a, b, method)[0] for a in MEASURED for b in MEASURED if a != b]
    predicted = -np.array(result["predicted"][method])
    compared = {
        "probe transfer ~ causal": (off_diagonal(TRANSFER, MEASURED), drop),
        "set overlap ~ causal": (off_diagonal(shared, MEASURED), drop),
        "predicted ~ measured": (off_diagonal(predicted, MEASURED), drop),
        "probe transfer ~ predicted": (off_diagonal(TRANSFER, TASKS), off_diagonal(predicted, TASKS)),
        "set overlap ~ predicted": (off_diagonal(shared, TASKS), off_diagonal(predicted, TASKS)),
    }
    for what, (a, b) in compared.items():
        row = agreement(result, method, what)
        assert row["cells"] == len(a)
        alike = len(set(a)) == 1
        assert row["spearman"] == (None if alike else pytest.approx(stats.spearmanr(a, b).statistic))
    assert len(result["agreement"]) == len(METHODS) * len(compared)


def test_cells_of_an_empty_set_agree_with_nothing(result: dict[str, Any]):
    assert agreement(result, "l0", "probe transfer ~ causal")["cells"] == 4
    assert agreement(result, "l0", "probe transfer ~ predicted")["cells"] == 9


def test_effects_compare_own_related_and_unrelated(toy: Toy, result: dict[str, Any]):
    rows = {(row["method"], row["what"], row["kind"]): row for row in result["effects"]}
    for method in ("welch", "attribution"):
        drop = {(a, b): -deltas(toy, a, b, method)[0] for a in MEASURED for b in MEASURED}
        usual = {(a, b): -np.mean(deltas(toy, a, b, method)[1:]) for a in MEASURED for b in MEASURED}
        for what, values in (("measured", drop), ("beyond controls", {c: drop[c] - usual[c] for c in drop})):
            means = {
                "own": [values[a, a] for a in MEASURED],
                "related": [values["cat", "dog"], values["dog", "cat"]],
                "unrelated": [
                    (values["bee", "cat"] + values["bee", "dog"]) / 2,
                    values["cat", "bee"],
                    values["dog", "bee"],
                ],
            }
            for kind, expected in means.items():
                assert rows[method, what, kind]["drop"] == pytest.approx(np.mean(expected))
        predicted = -np.array(result["predicted"][method])
        assert rows[method, "predicted", "own"]["drop"] == pytest.approx(np.trace(predicted) / 4)
        assert rows[method, "predicted", "own"]["sources"] == 4


def test_the_summary_counts_what_stands_out(result: dict[str, Any]):
    for method in METHODS:
        found, rows = result["summary"][method], [row for row in result["cells"] if row["method"] == method]
        own = [row["delta"] for row in rows if row["source"] == row["target"] and row["delta"] is not None]
        assert found["own_delta"] == pytest.approx(np.mean(own))
        assert found["own_low"] <= found["own_delta"] <= found["own_high"]
        assert (found["cells"], found["cells_own"], found["cells_other"]) == (9, 3, 6)
        for kind, same in (("own", True), ("other", False)):
            count = sum((row["q"] or 1) < 0.05 for row in rows if (row["source"] == row["target"]) is same)
            assert found[f"significant_{kind}"] == count


def test_tables_are_flat(result: dict[str, Any]):
    tables = result["tables"]
    assert set(tables) == {"", "predicted", "agreement", "effects"}
    assert tables[""] == result["cells"]
    assert len(tables["predicted"]) == len(METHODS) * len(TASKS)
    assert tables["predicted"][5]["dog"] == result["predicted"]["l0"][1][3]
    for rows in tables.values():
        assert len({tuple(row) for row in rows}) == 1
        assert not any(isinstance(value, (list, dict)) for row in rows for value in row.values())
