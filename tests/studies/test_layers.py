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
from neurosteer.studies.examples import Dense, Examples, ProbeAccuracy, best_strength, random_accuracies, top_units
from neurosteer.studies.finding import layers as studied
from neurosteer.studies.finding.layers import LayerResult, ProbeSettings, probe_layers
from neurosteer.studies.masked_probes import Masks, chosen_lambda

CPU = torch.device("cpu")
PARTS = {"train": range(60), "validation": range(60, 90), "test": range(90, 130)}
SETTINGS = ProbeSettings("toy", 3, ("welch", "l0"), (0.1, 0.3, 1.0), draws=3, seed=1)


def states_of(layers: int, units: int = 20) -> EosStates:
    rng = torch.Generator().manual_seed(layers + units)
    values = torch.randn(130, 2, layers, units, generator=rng)
    values[:, 0, :, 2:6] += 0.7
    return EosStates(values, tuple(range(10, 10 + layers)), "toy", "m", "resid_post", "eos", "d")


def only(states: EosStates, rows: list[int]) -> EosStates:
    return replace(states, values=states.values[:, :, rows], layers=tuple(states.layers[row] for row in rows))


def probed(
    states: EosStates, settings: ProbeSettings = SETTINGS, *, test_values: torch.Tensor | None = None
) -> list[LayerResult]:
    test = welch(states.values, PARTS["train"])
    if test_values is not None:
        values = states.values.clone()
        values[list(PARTS["test"])] = test_values
        states = replace(states, values=values)
    return probe_layers(states, PARTS, test, settings, device=CPU, what="toy")


def numbers(result: LayerResult) -> tuple[object, ...]:
    scores = {method: score.tolist() for method, score in result.scores.items()}
    return result.layer, result.l2, result.dense, dict(result.topk), scores, result.random, result.l0


def test_a_layer_does_not_depend_on_the_others():
    """More layers than one block takes, one alone, a pair from both blocks: the same bits."""
    states = states_of(10)
    every = {result.layer: numbers(result) for result in probed(states)}
    for rows in ([3], [1, 8]):
        for result in probed(only(states, rows)):
            assert numbers(result) == every[result.layer]


def test_states_that_are_all_alike_tell_nothing():
    """As before the first block at EOS: half is right whatever reads them, nothing is NaN; others keep their bits."""
    states = states_of(4)
    values = states.values.clone()
    values[:, :, 1] = torch.linspace(-3, 7, 20)
    settings = replace(SETTINGS, methods=("welch", "l0", "mean-diff", "l1"), directions=("mean", "probe"))
    before, after = probed(states, settings), probed(replace(states, values=values), settings)
    assert [numbers(after[row]) for row in (0, 2, 3)] == [numbers(before[row]) for row in (0, 2, 3)]
    alike, half = after[1], ProbeAccuracy(0.5, (1,) * 40)
    accuracies = [alike.dense, *alike.random, *alike.topk.values(), *alike.along.values(), alike.l0.accuracy]
    assert accuracies == [half] * len(accuracies)
    for vector, spread in alike.directions.values():
        assert (vector.any().item(), vector.isfinite().all().item(), spread) == (False, True, 0)


@pytest.mark.slow
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
        for own, other in zip(after.random, before.random, strict=True):
            assert own.test == pytest.approx(1 - other.test)
        assert before.l0 is not None
        assert after.l0 is not None
        assert replace(before.l0, accuracy=after.l0.accuracy) == after.l0
        assert before.l0.accuracy.validation == after.l0.accuracy.validation
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


def drawn(
    monkeypatch: pytest.MonkeyPatch, top: torch.Tensor, size: int, settings: ProbeSettings
) -> list[list[list[int]]]:
    """Which units were probed, `[draw][layer][unit]`."""
    seen: list[list[list[int]]] = []

    def judge(_: object, units: torch.Tensor, l2: torch.Tensor, *__: object) -> list[ProbeAccuracy]:
        seen.append(units.tolist())
        return [ProbeAccuracy(0.5, (1,))] * len(l2)

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
    masked = studied.Masked(0.1, 0.1, ProbeAccuracy(0.5, (1,)), True, None)
    monkeypatch.setattr(studied, "_masked", lambda *_: ([masked], scores))
    [five] = probed(states, replace(SETTINGS, topk=5, methods=("l0",)))
    [two] = probed(states, replace(SETTINGS, topk=2, methods=("l0",)))
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
    fitted = Dense(every, torch.tensor([0]), [ProbeAccuracy(dense, (0,))])
    [result], scores = studied._masked(examples, torch.arange(runs).float()[None], fitted, settings)
    chosen = round(result.lam / 0.1) - 1
    assert scores.tolist() == [torch.eye(runs)[chosen].tolist()]
    of_pairs = [(i < right[chosen]) + (20 + i < right[chosen]) for i in range(20)]  # the bad sentences come last
    assert result.accuracy == ProbeAccuracy(right[chosen] / 40, tuple(of_pairs))
    assert result.accuracy.test == right[chosen] / 40
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


def test_the_choice_of_lambda_by_hand():
    assert chosen_lambda([0.5, 0.76, 0.9], 0.8) == (1, True)
    assert chosen_lambda([0.5, 0.7, 0.7], 0.8) == (1, False)


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


def test_which_pairs_are_right_against_scikit_learn():
    """Pair by pair, not only in the mean: the dense probe on the sentences of each test pair."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    states = states_of(1)
    [result] = probed(states)
    x = {part: states.values[list(rows), :, 0].double().numpy() for part, rows in PARTS.items()}
    scale = StandardScaler().fit(x["train"].reshape(-1, 20))
    y = [1, 0] * 60
    probe = LogisticRegression(C=1 / (result.l2 * 120), tol=1e-9, max_iter=5000)
    probe.fit(scale.transform(x["train"].reshape(-1, 20)), y)
    plain = []
    for good, bad in x["test"]:
        said = probe.predict(scale.transform(np.stack([good, bad])))
        plain.append(int(said[0] == 1) + int(said[1] == 0))
    assert len(set(plain)) == 3
    assert sum(a != b for a, b in zip(result.dense.right, plain, strict=True)) <= 1


def fake_sets(monkeypatch: pytest.MonkeyPatch, right: dict[int, list[list[int]]]) -> list[int]:
    """Random sets whose draws get `right[size]` of each test pair; returns the sizes that were asked for."""
    asked: list[int] = []

    def fake(_examples: object, _top: object, _l2: object, size: int, **_: object) -> list[list[ProbeAccuracy]]:
        asked.append(size)
        return [[ProbeAccuracy(0.5, tuple(draw))] for draw in right[size]]

    monkeypatch.setattr(studied, "random_accuracies", fake)
    return asked


def equivalent(goal: list[int], k: int = 3) -> studied.Equivalent | None:
    result = LayerResult(
        11, 0.1, ProbeAccuracy(0.0, (0,)), {"welch": ProbeAccuracy(0.0, tuple(goal))}, {"welch": torch.ones(20)}
    )
    return studied.random_equivalent(
        states_of(3), PARTS, result, replace(SETTINGS, methods=("welch",), topk=k), device=CPU
    )


def half_right(share: float, pairs: int = 100) -> list[int]:
    """As many sentences right as the share says, the first pairs first."""
    right = round(2 * pairs * share)
    return [2 if 2 * i + 2 <= right else int(2 * i < right) for i in range(pairs)]


@pytest.mark.parametrize(
    ("means", "goal", "times"),
    [
        ([0.6, 0.7, 0.8], 0.75, 3.0),  # halfway from 2 to 4
        ([0.6, 0.7, 0.8], 0.65, 1.5),
        ([0.6, 0.7, 0.8], 0.7, 2.0),
        ([0.6, 0.7, 0.8], 0.6, 1.0),
        ([0.6, 0.7, 0.8], 0.4, 1.0),
        ([0.6, 0.5, 0.8], 0.7, 2 + 2 * 0.2 / 0.3),  # the draws need not rise
        ([0.6, 0.7, 0.8], 0.81, np.inf),
    ],
)
def test_random_equivalent(monkeypatch, means, goal, times):
    """Random sets of 1, 2 and 4 times k, and of all others, reach `means`, the last twice."""
    steps = {3: means[0], 6: means[1], 12: means[2], 17: means[2]}
    fake_sets(monkeypatch, {s: [half_right(m - 0.01), half_right(m + 0.01)] for s, m in steps.items()})
    found = equivalent(half_right(goal))
    assert found is not None
    assert found.times == pytest.approx(times)
    assert found.low <= found.times <= found.high


def test_the_interval_of_random_equivalent_by_a_loop_over_resamples(monkeypatch):
    """Top k and random sets are drawn together, pair by pair."""
    rng = np.random.default_rng(0)
    goal = rng.binomial(2, 0.72, 60).tolist()
    right = {s: rng.binomial(2, p, (2, 60)).tolist() for s, p in ((3, 0.6), (6, 0.68), (12, 0.75), (17, 0.85))}
    asked = fake_sets(monkeypatch, right)
    found = equivalent(goal)
    assert found is not None
    times = []
    for _ in range(4000):
        drawn = rng.integers(0, 60, 60)
        aim = np.mean(np.array(goal)[drawn])
        means = [np.mean(np.array(right[size])[:, drawn]) for size in asked]
        first = next((i for i, mean in enumerate(means) if mean >= aim), None)
        if first is None:
            times.append(np.inf)
        elif first == 0:
            times.append(1.0)
        else:
            line = (aim - means[first - 1]) / (means[first] - means[first - 1])
            times.append((asked[first - 1] + line * (asked[first] - asked[first - 1])) / 3)
    assert found.low == pytest.approx(np.quantile(times, 0.025), abs=0.15)
    assert found.high == pytest.approx(np.quantile(times, 0.975), rel=0.05)
    assert found.low < found.times < found.high


def test_larger_random_sets_are_tried_until_the_interval_ends(monkeypatch):
    clear = {3: [half_right(0.5)] * 2, 6: [half_right(0.95)] * 2}
    asked = fake_sets(monkeypatch, clear)
    found = equivalent(half_right(0.7))
    assert asked == [3, 6]
    assert found is not None
    assert found.high <= 2

    close = {size: [[1, 0, 2, 1, 2, 0, 1, 2]] * 2 for size in (3, 6, 12, 17)}
    asked = fake_sets(monkeypatch, close)
    found = equivalent([2, 2, 0, 1, 2, 2, 2, 2])  # 8 pairs: as good as any, or better than all
    assert asked == [3, 6, 12, 17]
    assert found is not None
    assert (found.low, found.times, found.high) == (1, np.inf, np.inf)


def test_no_random_equivalent_where_too_few_units_are_left():
    assert equivalent([1, 2], k=11) is None
