"""The probes of every layer: what chooses, what is only reported, and what a layer's numbers depend on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from neurosteer.data import EosStates
from neurosteer.probes import STRENGTHS, L0Probes, Probes, fit_l0, welch
from neurosteer.seeds import generator
from neurosteer.studies.examples import (
    Accuracy,
    Dense,
    Examples,
    Masks,
    best_strength,
    random_accuracies,
    top_units,
)
from neurosteer.studies.finding import layers as studied
from neurosteer.studies.finding.layers import LayerResult, Settings, probe_layers

CPU = torch.device("cpu")
PARTS = {"train": range(60), "validation": range(60, 90), "test": range(90, 130)}
SETTINGS = Settings("toy", 3, ("welch", "l0"), (0.1, 0.3, 1.0), draws=3, seed=1)


def states_of(layers: int, units: int = 20) -> EosStates:
    rng = torch.Generator().manual_seed(layers + units)
    values = torch.randn(130, 2, layers, units, generator=rng)
    values[:, 0, :, 2:6] += 0.7
    return EosStates(values, tuple(range(10, 10 + layers)), "toy", "m", "resid_post", "eos", "d")


def only(states: EosStates, rows: list[int]) -> EosStates:
    return replace(states, values=states.values[:, :, rows], layers=tuple(states.layers[row] for row in rows))


def probed(
    states: EosStates, settings: Settings = SETTINGS, *, test_values: torch.Tensor | None = None
) -> list[LayerResult]:
    t = welch(states.values, PARTS["train"]).t
    if test_values is not None:
        values = states.values.clone()
        values[list(PARTS["test"])] = test_values
        states = replace(states, values=values)
    return probe_layers(states, PARTS, t, settings, device=CPU, what="toy")


def numbers(result: LayerResult) -> tuple[object, ...]:
    scores = {method: score.tolist() for method, score in result.scores.items()}
    return result.layer, result.l2, result.dense, dict(result.topk), scores, result.random, result.l0


def test_a_layer_does_not_depend_on_the_others():
    """More layers than one block takes, one alone, a pair from both blocks: the same bits."""
    states = states_of(10)
    every = {result.layer: numbers(result) for result in probed(states)}
    for rows in ([3], [9], [1, 8], [0, 2, 3, 4, 5, 6, 7]):
        for result in probed(only(states, rows)):
            assert numbers(result) == every[result.layer]


def test_a_method_does_not_depend_on_the_other():
    states = states_of(2)
    both = probed(states)
    for method in ("welch", "l0"):
        for result, beside in zip(probed(states, replace(SETTINGS, methods=(method,))), both, strict=True):
            assert torch.equal(result.scores[method], beside.scores[method])
            assert result.topk[method] == beside.topk[method]
            assert result.dense == beside.dense
            assert (result.l0 == beside.l0) if method == "l0" else (result.l0 is None)


def test_test_data_choose_nothing():
    """With the sides of the test pairs swapped every choice stays, and every test accuracy is the complement."""
    states = states_of(3)
    test = states.values[list(PARTS["test"])]
    for before, after in zip(probed(states), probed(states, test_values=test.flip(1)), strict=True):
        assert (before.layer, before.l2) == (after.layer, after.l2)
        assert before.dense.validation == after.dense.validation
        assert after.dense.test == pytest.approx(1 - before.dense.test)
        assert before.dense.test > 0.6
        for method in SETTINGS.methods:
            assert torch.equal(before.scores[method], after.scores[method])
            assert before.topk[method].validation == after.topk[method].validation
            assert after.topk[method].test == pytest.approx(1 - before.topk[method].test)
        assert after.random == pytest.approx([1 - accuracy for accuracy in before.random])
        assert before.l0 is not None
        assert after.l0 is not None
        assert replace(before.l0, accuracy=after.l0.accuracy) == after.l0
        assert after.l0.accuracy.test == pytest.approx(1 - before.l0.accuracy.test)


def test_reported_accuracies_against_scikit_learn():
    """Standardised on train, the L2 strength of the best validation accuracy: by other means."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    states = states_of(3)
    for row, result in enumerate(probed(states)):
        x = {part: states.values[list(rows), :, row].flatten(0, 1).double().numpy() for part, rows in PARTS.items()}
        y = {part: [1, 0] * len(rows) for part, rows in PARTS.items()}
        scale = StandardScaler().fit(x["train"])
        x = {part: scale.transform(values) for part, values in x.items()}

        def accuracy(units: list[int], l2: float, part: str, x: Any = x, y: Any = y) -> float:
            probe = LogisticRegression(C=1 / (l2 * len(y["train"])), tol=1e-9, max_iter=5000)
            return float(probe.fit(x["train"][:, units], y["train"]).score(x[part][:, units], y[part]))

        every = list(range(20))
        l2 = max(sorted(STRENGTHS, reverse=True), key=lambda l2: accuracy(every, l2, "validation"))
        assert result.l2 == pytest.approx(l2)
        assert result.dense.validation == pytest.approx(accuracy(every, l2, "validation"), abs=0.005)
        assert result.dense.test == pytest.approx(accuracy(every, l2, "test"), abs=0.005)
        size = np.abs(stats.ttest_ind(x["train"][::2], x["train"][1::2], equal_var=False).statistic)
        np.testing.assert_allclose(result.scores["welch"].numpy(), size, rtol=1e-5)
        best = sorted(np.argsort(-size)[:3].tolist())
        assert result.topk["welch"].test == pytest.approx(accuracy(best, l2, "test"), abs=0.005)


@pytest.mark.parametrize("k", [1, 4, 12])
def test_top_units_against_plain_sorting(k):
    scores = torch.randint(0, 3, (5, 12), generator=torch.Generator().manual_seed(k)).float()
    plain = [sorted(sorted(range(12), key=lambda unit: (-row[unit], unit))[:k]) for row in scores.tolist()]
    assert top_units(scores, k).tolist() == plain


def test_of_equal_strengths_the_strongest():
    validation = torch.tensor(
        [[0.7, 0.8, 0.8, 0.6], [0.5, 0.5, 0.5, 0.5], [0.9, 0.1, 0.1, 0.1], [0.1, 0.2, 0.3, 0.4]]
    )
    assert best_strength(validation).tolist() == [2, 3, 0, 3]


def drawn(monkeypatch: pytest.MonkeyPatch, top: torch.Tensor, size: int, settings: Settings) -> list[list[list[int]]]:
    """Which units were probed, `[draw][layer][unit]`."""
    seen: list[list[list[int]]] = []

    def judge(_: object, units: torch.Tensor, l2: torch.Tensor, *__: object) -> list[Accuracy]:
        seen.append(units.tolist())
        return [Accuracy(0.5, 0.5)] * len(l2)

    monkeypatch.setattr(Examples, "judge_units", judge)
    states = states_of(len(top))
    examples = Examples.of(states, PARTS, slice(None), CPU)
    one = torch.ones(len(top), 1)
    random_accuracies(examples, top, one, size, draws=settings.draws, task=settings.task, seed=settings.seed)
    return seen


@pytest.mark.parametrize("size", [1, 4, 16])
def test_random_units_are_from_the_rest(monkeypatch, size):
    top = torch.tensor([[0, 3, 7, 19], [1, 2, 3, 4]])
    seen = drawn(monkeypatch, top, size, replace(SETTINGS, draws=5))
    assert seen == drawn(monkeypatch, top, size, replace(SETTINGS, draws=5))
    assert len(seen) == (5 if size < 16 else 1)  # all of the rest is one set
    for draw in seen:
        for units, chosen in zip(draw, top.tolist(), strict=True):
            assert len(set(units)) == size == len(units)
            assert not set(units) & set(chosen)
            assert units == sorted(units)
            assert set(units) <= set(range(20))


def test_random_units_differ_by_draw_layer_seed_and_task(monkeypatch):
    top = torch.tensor([[0, 1], [0, 1]])
    settings = [SETTINGS, replace(SETTINGS, seed=2), replace(SETTINGS, task="other")]
    sets = [tuple(units) for s in settings for draw in drawn(monkeypatch, top, 8, s) for units in draw]
    assert len(set(sets)) == len(sets) == 3 * 3 * 2


def test_units_with_a_score_of_zero_are_not_probed(monkeypatch):
    """Of a mask that keeps fewer than k units, the top-k probe reads those it keeps."""
    states = states_of(1)
    kept = [3, 17]
    scores = torch.zeros(1, 20)
    scores[0, kept] = torch.tensor([2.0, 1.0])
    masked = studied.Masked(0.1, 0.1, Accuracy(0.5, 0.5), True, None)
    monkeypatch.setattr(studied, "_masked", lambda *_: ([masked], scores))
    [five] = probed(states, replace(SETTINGS, k=5, methods=("l0",)))
    [two] = probed(states, replace(SETTINGS, k=2, methods=("l0",)))
    assert five.topk["l0"] == two.topk["l0"]


def test_fewer_draws_are_the_first_of_more(monkeypatch):
    top = torch.tensor([[0, 1]])
    more = drawn(monkeypatch, top, 5, replace(SETTINGS, draws=6))
    assert drawn(monkeypatch, top, 5, replace(SETTINGS, draws=2)) == more[:2]


def test_no_random_units_where_too_few_are_left(monkeypatch):
    assert drawn(monkeypatch, torch.arange(11)[None], 10, SETTINGS) == []
    assert len(drawn(monkeypatch, torch.arange(9)[None], 10, SETTINGS)) == 3


def masked(
    monkeypatch: pytest.MonkeyPatch, right: list[int], dense: float, gates: torch.Tensor | None = None
) -> studied.Masked:
    """`_masked` of one layer, where run j gets `right[j]` of 40 validation examples right."""
    runs = len(right)
    x = torch.ones(1, 40, runs)
    y = torch.cat([torch.ones(20), -torch.ones(20)])
    for j, n in enumerate(right):
        x[0, :, j] = y * torch.where(torch.arange(40) < n, 1.0, -1.0)
    gates = torch.eye(runs)[None] if gates is None else gates
    weights, bias = torch.eye(runs)[None], torch.zeros(1, runs)
    masks = Masks(L0Probes(weights, bias, torch.zeros(1, runs, runs), gates), x, Probes(weights, bias))
    monkeypatch.setattr(studied, "fit_masks", lambda *_args, **_kwargs: masks)
    examples = Examples((0,), dict.fromkeys(PARTS, x), dict.fromkeys(PARTS, y))
    settings = replace(SETTINGS, lambdas=tuple(0.1 * (j + 1) for j in range(runs)))
    every = Probes(torch.zeros(1, len(STRENGTHS), runs), torch.zeros(1, len(STRENGTHS)))
    fitted = Dense(every, torch.tensor([0]), [Accuracy(dense, 0.0)])
    [result], scores = studied._masked(examples, torch.arange(runs).float()[None], fitted, settings)
    chosen = round(result.lam / 0.1) - 1
    assert scores.tolist() == [torch.eye(runs)[chosen].tolist()]
    assert result.accuracy == Accuracy(right[chosen] / 40, right[chosen] / 40)
    return result


@pytest.mark.parametrize(
    ("right", "dense", "chosen", "reached"),
    [
        ([30, 36, 38, 40], 1.0, 2, True),  # 38 of 40 is 95 % exactly
        ([30, 38, 37, 40], 1.0, 1, True),  # the smallest lambda that is good enough, not the best
        ([40, 20, 20, 20], 0.5, 0, True),
        ([30, 37, 37, 36], 1.0, 1, False),  # none is: the most accurate, the smallest lambda of equal ones
        ([20, 20, 20, 20], 0.9, 0, False),
    ],
)
def test_which_lambda(monkeypatch, right, dense, chosen, reached):
    result = masked(monkeypatch, right, dense)
    assert result.lam == pytest.approx(0.1 * (chosen + 1))
    assert result.reached is reached


def test_spearman_and_kept_with_ties(monkeypatch):
    gates = torch.tensor([[[0.0, 0.0, 0.7, 0.0, 0.3, 1.0]] * 6])
    result = masked(monkeypatch, [40] * 6, 1.0, gates)
    assert result.spearman == pytest.approx(stats.spearmanr(range(6), gates[0, 0].numpy()).statistic)
    assert result.kept == 0.5
    ranks = stats.rankdata(gates[0, 0].numpy())  # ties share their mean rank
    assert result.spearman == pytest.approx(np.corrcoef(ranks, range(6))[0, 1])


@pytest.mark.parametrize("gate", [0.0, 1.0])
def test_spearman_of_equal_gates_is_none(monkeypatch, gate):
    assert masked(monkeypatch, [40] * 4, 1.0, torch.full((1, 4, 4), gate)).spearman is None


def test_the_masked_probe_is_fit_l0s():
    """Scores, kept share and Spearman of the chosen lambda, from `fit_l0` called by hand."""
    states = states_of(2)
    results = probed(states)
    examples = Examples.of(states, PARTS, slice(None), CPU)
    noise = [[generator(1, "toy", layer, "l0")] * 3 for layer in states.layers]
    fitted = fit_l0(examples.x["train"], examples.y["train"], SETTINGS.lambdas, noise)
    t = welch(states.values, PARTS["train"]).t.abs()
    for row, result in enumerate(results):
        assert result.l0 is not None
        run = SETTINGS.lambdas.index(result.l0.lam)
        gates = fitted.gates[row, run]
        torch.testing.assert_close(result.scores["l0"], fitted.probes.weights[row, run].abs(), atol=1e-4, rtol=1e-3)
        assert result.l0.kept == pytest.approx(sum(gate > 0 for gate in gates.tolist()) / 20)
        if result.l0.spearman is not None:
            assert result.l0.spearman == pytest.approx(stats.spearmanr(t[row], gates).statistic, abs=1e-4)


@pytest.mark.parametrize(
    ("means", "goal", "times"),
    [
        ([0.6, 0.7, 0.8], 0.75, 3.0),  # halfway from 2 to 4
        ([0.6, 0.7, 0.8], 0.65, 1.5),
        ([0.6, 0.7, 0.8], 0.7, 2.0),
        ([0.6, 0.7, 0.8], 0.6, 1.0),
        ([0.6, 0.7, 0.8], 0.4, 1.0),
        ([0.6, 0.5, 0.8], 0.7, 2 + 2 * 0.2 / 0.3),  # the draws need not rise
        ([0.6, 0.7, 0.8], 0.81, None),
    ],
)
def test_random_equivalent(monkeypatch, means, goal, times):
    """Random sets of 1, 2 and 4 times k, and of all others, reach `means`, the last twice."""

    def fake(_examples: object, _top: object, _l2: object, size: int, **_: object) -> list[list[float]]:
        step = {3: 0, 6: 1, 12: 2, 17: 2}[size]
        return [[means[step] - 0.01], [means[step] + 0.01]]

    monkeypatch.setattr(studied, "random_accuracies", fake)
    top = {"welch": Accuracy(0.0, goal)}
    result = LayerResult(11, 0.1, Accuracy(0.0, 0.0), top, {"welch": torch.arange(20.0)})
    found = studied.random_equivalent(states_of(3), PARTS, result, replace(SETTINGS, methods=("welch",)), device=CPU)
    assert found == (times if times is None else pytest.approx(times))
