"""Every figure, on three tasks, against plain loops over Hugging Face's states with scikit-learn and scipy."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_outcome import make_outcome
from plain_probes import Drawn, by_autograd
from scipy import stats
from shapes import differences
from sizes import quick_and_slow
from sklearn.linear_model import LogisticRegression
from tiny_models import hf_network, hf_states, ids_of

from neurosteer.experiments.outcome import Outcome
from neurosteer.experiments.plan import plan_recipe
from neurosteer.experiments.recipe import Recipe
from neurosteer.experiments.shared.one_layer import _l0_scores
from neurosteer.experiments.shared.stability import StabilitySettings
from neurosteer.model import Model
from neurosteer.pairs import LeftOut, Pair, Pairs
from neurosteer.pairs.baselines import fit_baselines
from neurosteer.probes import STRENGTHS, L0Probes, Probes
from neurosteer.runner.units import UnitResult
from neurosteer.seeds import generator
from neurosteer.studies.examples import random_units
from neurosteer.studies.masked_probes import Masks

LAYERS, WIDTH, K = 3, 32, 2
LAMBDAS = (0.6, 0.8, 1.0)
RECIPE = Recipe(
    "test",
    experiments=("fig2", "fig3", "fig4", "fig5", "fig6", "overlap", "controls"),
    topk=K,
    lambdas=LAMBDAS,
    draws=2,
    layer=1,
    lam=0.8,
    l0_steps=300,
    own=(StabilitySettings(repeats=2),),
)
SHORT = RECIPE.l0
SENTENCE = 1 / 48  # of the 24 pairs of a test part
TASKS = ("first", "second", "third")


def noisy_pairs(task: str, phenomenon: str, seed: int, good: range, bad: range) -> Pairs:
    """`subject can verb noun`, 120 pairs: the verb tells good from bad, but for one pair in six."""
    rng = np.random.default_rng(seed)

    def pair(i: int) -> Pair:
        subject, noun = rng.integers(0, 10), rng.integers(10, 20)
        verbs = [rng.choice(good), rng.choice(bad)]
        verbs = verbs[::-1] if rng.random() < 1 / 6 else verbs
        return Pair(*(f"w{subject} w60 w{verb} w{noun}" for verb in verbs), str(i))

    made = {(p.good, p.bad): p for p in (pair(i) for i in range(400))}
    return Pairs(task, "made up", tuple(made.values())[:120], phenomenon)


@pytest.fixture(scope="module")
def tasks() -> list[Pairs]:
    return [
        noisy_pairs("first", "verbs", 0, range(20, 30), range(30, 40)),
        noisy_pairs("second", "verbs", 1, range(24, 34), range(40, 50)),
        noisy_pairs("third", "others", 2, range(50, 59), range(20, 29)),
    ]


@pytest.fixture(scope="module")
def run(llama: Model, tasks: list[Pairs], apart: Callable[[], Any]) -> tuple[dict[str, UnitResult], dict[str, Any]]:
    with apart():
        return finished(llama, tasks, RECIPE)


def finished(model: Model, tasks: list[Pairs], recipe: Recipe) -> tuple[dict[str, UnitResult], dict[str, Any]]:
    """All pieces of a recipe, and its outcome."""
    plan = plan_recipe(recipe, model, tasks)
    pieces: dict[str, UnitResult] = {}
    for unit in plan.units:
        assert set(unit.needs) <= pieces.keys()
        pieces[unit.name] = unit.compute(pieces.__getitem__)
    results = plan.results(pieces.__getitem__)
    asked = (recipe.describe(), "", plan.scope, results, plan.verdicts(results), plan.notices)
    return pieces, Outcome("0", *asked).to_dict()


def result(run: tuple[Any, dict[str, Any]], name: str) -> dict[str, Any]:
    return next(found for found in run[1]["results"] if found["experiment"] == name)


class Plain:
    """One task, the slow way: states of Hugging Face, arrays of numpy."""

    def __init__(self, pairs: Pairs, folder: Path, rotation: np.ndarray | None = None) -> None:
        split, network = pairs.split("pair", 0), hf_network(folder)
        self.task = pairs.task
        states = {
            part: np.stack(
                [
                    hf_states(network, [ids_of(getattr(pair, side)) for pair in own]).numpy()
                    for side in ("good", "bad")
                ]
            ).astype(float)
            for part, own in zip(("train", "validation", "test"), split, strict=True)
        }  # side pair layer unit
        flat = {part: values.reshape(-1, LAYERS, WIDTH) for part, values in states.items()}
        mean, std = flat["train"].mean(axis=0), flat["train"].std(axis=0)
        self.raw, self.mean, self.std = flat, mean, std
        self.x = {part: (values - mean) / std for part, values in flat.items()}
        if rotation is not None:
            self.x = {part: values @ rotation for part, values in self.x.items()}
        self.y = {part: np.repeat([1, -1], len(values) // 2) for part, values in flat.items()}
        self.l2, self.masked = cache(self._l2), cache(self._masked)  # several tests ask for the same
        self._probe = cache(self._fit)

    def probe(self, layer: int, units: Any, l2: float) -> LogisticRegression:
        return self._probe(layer, tuple(map(int, units)), l2)

    def _fit(self, layer: int, units: tuple[int, ...], l2: float) -> LogisticRegression:
        x = self.x["train"][:, layer][:, units]
        return LogisticRegression(C=1 / (l2 * len(x)), tol=1e-10, max_iter=20000).fit(x, self.y["train"])

    def right(self, layer: int, units: Any, l2: float, part: str) -> float:
        return self.probe(layer, units, l2).score(self.x[part][:, layer][:, units], self.y[part])

    def _l2(self, layer: int) -> float:
        every = np.arange(WIDTH)
        return max(reversed(STRENGTHS), key=lambda l2: self.right(layer, every, l2, "validation"))

    def t(self, layer: int) -> np.ndarray:
        good, bad = np.split(self.x["train"][:, layer], 2)
        return np.abs(stats.ttest_ind(good, bad, equal_var=False).statistic)

    def top(self, layer: int, k: int) -> np.ndarray:
        return np.argsort(-self.t(layer), kind="stable")[:k]

    def _masked(self, layer: int, lam: float) -> tuple[np.ndarray, np.ndarray, float]:
        """Effective weights, gates and bias of the printed loss under autograd; start and noise are shared."""
        drawn = Drawn.of(generator(0, self.task, layer, "l0"), SHORT.steps, WIDTH, SHORT)
        x, y = torch.tensor(self.x["train"][:, layer]), torch.tensor(self.y["train"])
        weights, gates, bias = by_autograd(x, y, drawn, lam, SHORT)
        return weights.numpy(), gates.numpy(), float(bias)


@pytest.fixture(scope="module")
def plain(tasks: list[Pairs], tiny_folder: Callable[[str], Path]) -> list[Plain]:
    return [Plain(pairs, tiny_folder("llama")) for pairs in tasks]


def accuracy(x: np.ndarray, y: np.ndarray, weights: np.ndarray, bias: float) -> float:
    return float(((x @ weights + bias) * y > 0).mean())


@pytest.mark.slow
@pytest.mark.parametrize("layer", range(LAYERS))
def test_fig2(run, plain, layer):
    """Kept share and accuracy by lambda; lambda 1 keeps all."""
    rows = {(row["layer"], row["lambda"]): row for row in result(run, "fig2")["rows"]}
    for lam in LAMBDAS:
        found = [task.masked(layer, lam) for task in plain]
        kept = np.mean([(gates > 0).mean() for _, gates, _ in found])
        right = [
            accuracy(task.x["test"][:, layer], task.y["test"], weights, bias)
            for task, (weights, _, bias) in zip(plain, found, strict=True)
        ]
        row = rows[layer, lam]
        assert row["kept"] == pytest.approx(kept, abs=1.01 / WIDTH / 3)  # one gate of one task at the edge of 0
        assert row["accuracy"] == pytest.approx(np.mean(right), abs=SENTENCE)
        assert (row["tasks"], row["kept_low"], row["kept_high"]) == (3, None, None)  # three give no interval
    assert {row["kept"] for row in result(run, "fig2")["rows"] if row["lambda"] == 1} == {1.0}


def test_lambda_one_is_a_dense_probe(run, plain):
    """Without a penalty, and without L2, the masked probe is plain logistic regression, stopped early."""
    for layer in range(LAYERS):
        own = next(r for r in result(run, "fig2")["rows"] if (r["layer"], r["lambda"]) == (layer, 1.0))
        free = np.mean([task.right(layer, np.arange(WIDTH), SHORT.weight_l2, "test") for task in plain])
        assert own["accuracy"] == pytest.approx(free, abs=0.05)


def test_fig3_and_dense(run, plain):
    rows = {(row["layer"], row["k"]): row for row in result(run, "fig3")["rows"]}
    dense = {row["layer"]: row["accuracy"] for row in result(run, "fig3")["dense"]}
    assert {k for _, k in rows} == {1, 2, 4, 8, 16, 32}
    for (layer, k), row in rows.items():
        right = [task.right(layer, task.top(layer, k), task.l2(layer), "test") for task in plain]
        assert row["accuracy"] == pytest.approx(np.mean(right), abs=SENTENCE / 3 + 1e-9)
        if k == WIDTH:
            assert row["accuracy"] == dense[layer]


def test_relative_leaves_out_what_cannot_be_read(run, plain):
    """Beside a dense probe that reads nothing every probe is as good."""
    for row in result(run, "fig3")["rows"]:
        layer, every = row["layer"], np.arange(WIDTH)
        ratios = [
            task.right(layer, task.top(layer, row["k"]), task.l2(layer), "test")
            / task.right(layer, every, task.l2(layer), "test")
            for task in plain
            if task.right(layer, every, task.l2(layer), "validation") >= 0.55
        ]
        assert row["relative"] == pytest.approx(np.mean(ratios), abs=2 * SENTENCE)


@pytest.mark.parametrize("layer", quick_and_slow([1], [0, 2]))
def test_fig4(run, plain, layer):
    rows = {row["lambda"]: row for row in result(run, "fig4")["rows"] if row["layer"] == layer}
    assert {*rows} == {*LAMBDAS}
    for lam, row in rows.items():
        if lam == 1:
            assert (row["spearman"], row["limit"], row["undefined"]) == (None, None, 3)
            continue
        both = [(task.t(layer), task.masked(layer, lam)[1]) for task in plain]
        both = [(t, gates) for t, gates in both if np.ptp(gates) > 0]
        assert row["undefined"] == 3 - len(both)
        if not both:  # no task keeps any unit, or each keeps all
            assert (row["spearman"], row["limit"]) == (None, None)
            continue
        assert row["spearman"] == pytest.approx(np.mean([stats.spearmanr(*x).statistic for x in both]), abs=0.02)
        limit = np.mean([stats.spearmanr(np.sort(t), np.sort(gates)).statistic for t, gates in both])
        assert row["limit"] == pytest.approx(limit, abs=0.02)
        assert row["spearman"] <= row["limit"] <= 1


def by_hand(goal: float, means: list[float], sizes: list[int]) -> float:
    """Where a line through the points first reaches the goal."""
    if means[0] >= goal:
        return sizes[0]
    for i in range(1, len(sizes)):
        if means[i] >= goal:
            return float(np.interp(goal, [means[i - 1], means[i]], [sizes[i - 1], sizes[i]]))
    return float("inf")


def test_fig5(run, plain):
    found = result(run, "fig5")
    assert found["sizes"] == [2, 4, 8, 16, 30]
    curves = {(row["layer"], row["size"]): row["accuracy"] for row in found["curves"]}
    for layer in range(LAYERS):
        tops, means = [], []
        counted = [t for t in plain if t.right(layer, np.arange(WIDTH), t.l2(layer), "validation") >= 0.55]
        for task in counted:
            top = task.top(layer, K)
            tops.append(task.right(layer, top, task.l2(layer), "test"))
            chosen = torch.tensor(sorted(top.tolist()))
            means.append(
                [
                    np.mean(
                        [
                            task.right(
                                layer, random_set(task.task, layer, chosen, size, draw), task.l2(layer), "test"
                            )
                            for draw in range(2)
                        ]
                    )
                    for size in found["sizes"]
                ]
            )
        row = next(row for row in found["rows"] if row["layer"] == layer)
        assert (row["tasks"], row["excluded"]) == (len(counted), 3 - len(counted))
        assert row["top"] == pytest.approx(np.mean(tops), abs=SENTENCE / 3 + 1e-9)
        mean = np.mean(means, axis=0)
        ours = [curves[layer, size] for size in found["sizes"]]
        assert ours == pytest.approx(mean.tolist(), abs=SENTENCE / 3)
        worth = by_hand(row["top"], ours, found["sizes"])
        assert row["equivalent"] == (pytest.approx(worth) if np.isfinite(worth) else None)
        assert row["beyond"] == np.isinf(worth)
        if np.isfinite(worth):
            assert row["multiple"] == pytest.approx(worth / K)


def random_set(task: str, layer: int, chosen: torch.Tensor, size: int, draw: int) -> np.ndarray:
    drawn = random_units(WIDTH, chosen, size, generator(0, task, layer, "random", size, draw))
    assert not set(drawn.tolist()) & set(chosen.tolist())
    return drawn.numpy()


def test_fig6(run, plain, tasks):
    """Each probe on each task's raw test states; the diagonal is the in-task accuracy."""
    found = result(run, "fig6")
    order = [TASKS.index(name) for name in found["tasks"]]
    assert [found["tasks"], found["phenomena"]] == [["third", "first", "second"], ["others", "verbs", "verbs"]]
    sources = [plain[i] for i in order]
    layer = RECIPE.layer
    for i, source in enumerate(sources):
        probe = source.probe(layer, np.arange(WIDTH), source.l2(layer))
        weights, _, bias = source.masked(layer, RECIPE.lam)
        for j, target in enumerate(sources):
            unseen = unseen_pairs(tasks[order[i]], tasks[order[j]])
            raw = np.stack(np.split(target.raw["test"][:, layer], 2))[:, unseen]  # side pair unit
            x = (raw - source.mean[layer]) / source.std[layer]
            for name, scores in (
                ("dense", x @ probe.coef_[0] + probe.intercept_[0]),
                ("sparse", x @ weights + bias),
            ):
                right = np.mean([scores[0] > 0, scores[1] < 0])
                assert found[name]["accuracy"][i][j] == pytest.approx(right, abs=SENTENCE + 1e-9)
                ordered = np.mean(scores[0] > scores[1])
                assert found[name]["pairwise"][i][j] == pytest.approx(ordered, abs=2 * SENTENCE + 1e-9)
    dense = {row["layer"]: row for row in result(run, "fig3")["dense"]}[layer]["accuracy"]
    assert np.mean(np.diag(found["dense"]["accuracy"])) == pytest.approx(dense)
    sparse = next(r for r in result(run, "fig2")["rows"] if (r["layer"], r["lambda"]) == (layer, RECIPE.lam))
    assert np.mean(np.diag(found["sparse"]["accuracy"])) == pytest.approx(sparse["accuracy"])


def unseen_pairs(source: Pairs, target: Pairs) -> list[int]:
    split = source.split("pair", 0)
    seen = {s for part in (split.train, split.validation) for pair in part for s in (pair.good, pair.bad)}
    test = target.split("pair", 0).test
    return [i for i, pair in enumerate(test) if pair.good not in seen and pair.bad not in seen]


def test_the_mean_of_a_row_is_over_the_others(run):
    found = result(run, "fig6")
    matrix = np.array(found["dense"]["accuracy"])
    rows = {row["task"]: row for row in found["means"]}
    assert rows["first"]["dense_own"] == matrix[1, 1]
    assert rows["first"]["dense_same"] == matrix[1, 2]
    assert rows["first"]["dense_other"] == matrix[1, 0]
    assert rows["third"]["dense_same"] is None
    assert rows["third"]["dense_other"] == pytest.approx(matrix[0, 1:].mean())


def test_the_general_probe_has_not_seen_the_phenomenon(run, plain, tasks):
    """Pooled states of the other phenomena, standardised together; and none of the pairs that it is asked."""
    layer = RECIPE.layer
    x, y = (np.concatenate([getattr(task, name)["train"] for task in plain[:2]]) for name in ("raw", "y"))
    mean, std = x[:, layer].mean(axis=0), x[:, layer].std(axis=0)

    def fitted(l2: float) -> LogisticRegression:
        probe = LogisticRegression(C=1 / (l2 * len(x)), tol=1e-10, max_iter=20000)
        return probe.fit((x[:, layer] - mean) / std, y)

    def right(l2: float) -> float:
        raw, labels = (
            np.concatenate([getattr(task, name)["validation"] for task in plain[:2]]) for name in ("raw", "y")
        )
        return float(fitted(l2).score((raw[:, layer] - mean) / std, labels))

    probe = fitted(max(reversed(STRENGTHS), key=right))
    unseen = sorted(set(unseen_pairs(tasks[0], tasks[2])) & set(unseen_pairs(tasks[1], tasks[2])))
    raw = np.stack(np.split(plain[2].raw["test"][:, layer], 2))[:, unseen]
    scores = ((raw - mean) / std) @ probe.coef_[0] + probe.intercept_[0]
    row = next(row for row in result(run, "fig6")["general"] if row["task"] == "third")
    assert row["pairs"] == len(unseen) < 24
    assert row["accuracy"] == pytest.approx(np.mean([scores[0] > 0, scores[1] < 0]), abs=SENTENCE)
    assert row["pairwise"] == pytest.approx(np.mean(scores[0] > scores[1]), abs=2 * SENTENCE)


def test_how_many_null_cells_a_binomial_test_calls_above_chance(run):
    """By scipy's test of each cell off the diagonal."""
    arrays, null = run[0]["transfer"].arrays, result(run, "fig6")["null"]
    for probe in ("sparse", "dense"):
        matrix, found = arrays[f"accuracy_null_{probe}"], []
        for i, j in itertools.permutations(range(len(matrix)), 2):
            sentences = 2 * int(arrays["pairs"][i, j])
            right = round(matrix[i, j] * sentences)
            found.append(stats.binomtest(right, sentences, 0.5, alternative="greater").pvalue <= 0.05)
        assert null[f"accuracy_{probe}"]["above"] == pytest.approx(np.mean(found))


@pytest.mark.slow
def test_shuffled_labels_sit_at_one_half(llama, tasks, apart):
    """Over many seeds the probes of labels flipped within pairs are right as often as not."""
    recipe = replace(RECIPE, experiments=("fig6",), l0_steps=30)
    with apart():
        nulls = [result(finished(llama, tasks, replace(recipe, seed=seed)), "fig6")["null"] for seed in range(8)]
    for name in ("accuracy_sparse", "accuracy_dense", "pairwise_sparse", "pairwise_dense"):
        means = [null[name]["mean"] for null in nulls]
        assert 0 < np.std(means) < 0.1
        assert abs(np.mean(means) - 0.5) < 0.05


def test_overlap(run, plain):
    found = result(run, "overlap")
    order = [TASKS.index(name) for name in found["tasks"]]
    tops = [set(plain[i].top(RECIPE.layer, K).tolist()) for i in order]
    assert found["matrices"]["welch"] == [[len(a & b) / K for b in tops] for a in tops]
    masks = [own["focus-" + name].arrays["l0"] for own in [run[0]] for name in found["tasks"]]
    sizes = [min(K, int((mask > 0).sum())) for mask in masks]
    by_lot = np.mean([a * b / WIDTH / K for a, b in itertools.combinations(sizes, 2)])
    assert found["chance"] == {"welch": pytest.approx(K / WIDTH), "l0": pytest.approx(by_lot)}
    assert found["within"]["welch"] == len(tops[1] & tops[2]) / K
    assert found["across"]["welch"] == (len(tops[0] & tops[1]) + len(tops[0] & tops[2])) / K / 2
    assert len(found["stability"]) == 6
    for row in found["stability"]:
        arrays = run[0][f"focus-{row['task']}"].arrays
        folds, seeds = (arrays[f"{name}_{row['method']}"] for name in ("folds", "seeds"))
        assert row["folds"] == pytest.approx(np.mean([common(a, b) for a, b in folds]))
        assert row["seeds"] == pytest.approx(np.mean([common(a, b) for a, b in itertools.combinations(seeds, 2)]))


def common(a: np.ndarray, b: np.ndarray) -> float:
    return len((set(a.tolist()) & set(b.tolist())) - {-1}) / K


def test_folds_are_disjoint_halves_of_train(run, plain, tasks):
    """The sets of each fold, from the same deal by hand."""
    pieces, task = run[0], plain[0]
    train = torch.as_tensor(tasks[0].split("pair", 0).indices["train"])
    where = {pair: place for place, pair in enumerate(train.tolist())}
    deal = train[torch.randperm(len(train), generator=generator(0, "first", "folds", 1))]
    halves = deal[: len(train) // 2 * 2].split(len(train) // 2)
    good, bad = np.split(task.raw["train"][:, RECIPE.layer], 2)
    for fold, half in enumerate(halves):
        rows = [where[pair] for pair in half.tolist()]
        t = np.abs(stats.ttest_ind(good[rows], bad[rows], equal_var=False).statistic)
        top = pieces["focus-first"].arrays["folds_welch"][1, fold]
        assert sorted(top.tolist()) == sorted(np.argsort(-t)[:K].tolist())


@pytest.mark.slow
def test_a_rotation_changes_the_basis_and_nothing_else(run, tasks, tiny_folder):
    """Dense probes are the same, top k ones are those of the rotated axes."""
    from neurosteer.experiments.shared.layer_probes import rotation

    q = rotation(WIDTH, 0).double().numpy()
    assert q.T @ q == pytest.approx(np.eye(WIDTH), abs=1e-5)
    found = result(run, "controls")
    own, turned = ({row["layer"]: row for row in found["curves"][v]["fig2"]["dense"]} for v in ("neurons", "rotated"))
    rotated = [Plain(pairs, tiny_folder("llama"), q) for pairs in tasks]
    rows = {(row["layer"], row["k"]): row for row in found["curves"]["rotated"]["fig3"]["rows"]}
    for layer in range(LAYERS):
        assert turned[layer]["accuracy"] == pytest.approx(own[layer]["accuracy"], abs=SENTENCE)
        for k in (1, 4):
            right = [task.right(layer, task.top(layer, k), task.l2(layer), "test") for task in rotated]
            assert rows[layer, k]["accuracy"] == pytest.approx(np.mean(right), abs=SENTENCE)


def test_the_untrained_model_is_another_one_of_the_same_shape(run, llama):
    from neurosteer.model import untrained

    blank, again, other = untrained(llama, 4), untrained(llama, 4), untrained(llama, 5)
    assert len({llama.fingerprint, blank.fingerprint, other.fingerprint}) == 3
    assert blank.fingerprint == again.fingerprint
    for one in (llama, blank):
        assert (one.n_layers, one.d_model, one.bos, one.eos) == (LAYERS, WIDTH, llama.bos, llama.eos)
    names = {piece.values["model"] for name, piece in run[0].items() if name.startswith("states-untrained")}
    assert names == {untrained(llama, RECIPE.seed).fingerprint}


def test_verdicts_count_what_they_say(run):
    """Claims (a) and (c), counted again from the tables."""
    verdicts = {row["claim"]: row for row in run[1]["verdicts"]}
    assert sorted(verdicts) == ["a", "b", "c", "d", "e"]
    fig2, fig3, fig5 = (result(run, name)["rows"] for name in ("fig2", "fig3", "fig5"))
    few = [r for r in fig2 if r["kept"] <= 0.25], [r for r in fig3 if r["k"] <= WIDTH / 4]
    both = 0
    for layer in range(LAYERS):
        here = [[row for row in rows if row["layer"] == layer] for rows in few]
        best = [max(rows, key=lambda row: row["relative_validation"], default=None) for rows in here]
        both += all(row is not None and row["relative"] >= 0.95 for row in best)
    assert (verdicts["a"]["holds"], verdicts["a"]["of"]) == (both, LAYERS)
    assert verdicts["c"]["holds"] == sum(r["beyond"] or r["multiple"] >= 6 for r in fig5)
    for claim in "abce":
        row = verdicts[claim]
        assert row["text"] == f"holds in {row['holds']} of {row['of']} {row['unit']}"
    assert verdicts["d"]["text"] == "cannot be judged here"
    assert "fewer than 6 tasks: no intervals over tasks" in run[1]["notices"]
    assert run[1]["settings"]["resampled"] == {"what": "tasks", "drawn": 3, "least": 6}


def test_outcomes_made_by_hand_could_be_real(run):
    """Those that tables, figures and pages are tested with: the same keys, and kinds of values."""
    made, real = (
        {name: value for name, value in outcome.items() if name not in ("model", "recipe", "results", "skipped")}
        for outcome in (make_outcome(RECIPE.experiments), run[1])
    )
    assert differences(made, real) == []
    for name in RECIPE.experiments:
        [by_hand] = make_outcome((name,), tasks=8, layers=3, width=WIDTH, k=K, lambdas=LAMBDAS)["results"]
        assert differences({**by_hand, "tables": None}, {**result(run, name), "tables": None}) == [], name


def test_baselines_of_tasks_with_and_without_words(llama: Model, tasks: list[Pairs]):
    """Means are of the tasks that have words; tokens, here the same as words, are there in every task."""
    han = [replace(pair, good=f"本本 {pair.good}", bad=f"本本 {pair.bad}") for pair in tasks[1]]
    mixed = [tasks[0], replace(tasks[1], pairs=tuple(han), left_out=LeftOut(repeated=3))]
    recipe = replace(RECIPE, experiments=("fig3",), layers=(1,))
    _, outcome = finished(llama, mixed, recipe)
    first, second = (row["baselines"] for row in outcome["tasks"])
    train, _, test = mixed[0].split("pair", 0)
    words = fit_baselines(train.sentences, test.sentences)
    assert first["unigram"] == first["tokens"]["unigram"] == words.unigram
    assert first["bigram"] == first["tokens"]["bigram"] == words.bigram
    assert second["unigram"] is None
    assert 0.5 < second["tokens"]["unigram"] < 1
    [found] = outcome["results"]
    assert found["baselines"]["unigram"] == first["unigram"]
    mean = (first["tokens"]["unigram"] + second["tokens"]["unigram"]) / 2
    assert found["baselines"]["tokens"]["unigram"] == pytest.approx(mean)
    [notice] = [text for text in outcome["notices"] if text.startswith("pairs of second")]
    assert "repeating an earlier one: 3 (left out)" in notice


@pytest.mark.slow
def test_lambda_chosen_on_validation(llama, tasks, plain, apart):
    """By the formulas as printed: the smallest whose accuracy there reaches 95 % of the dense probe's."""
    recipe = replace(RECIPE, experiments=("fig6",), lam="validation", lambdas=(0.3, 0.6, 0.9, 1.0))
    with apart():
        pieces, outcome = finished(llama, tasks, recipe)
    assert outcome["settings"]["lambda"] == "validation"
    found, by_name = result((pieces, outcome), "fig6"), {task.task: task for task in plain}
    for name, lam, kept in zip(found["tasks"], found["lambda"], found["kept"], strict=True):
        task = by_name[name]
        dense = task.right(1, np.arange(WIDTH), task.l2(1), "validation")
        right = {}
        for value in (0.3, 0.6, 0.9):
            weights, gates, bias = task.masked(1, value)
            right[value] = accuracy(task.x["validation"][:, 1], task.y["validation"], weights, bias)
            if value == lam:
                assert kept == pytest.approx((gates > 0).mean(), abs=1.01 / WIDTH)
        good = [value for value, reached in right.items() if reached >= 0.95 * dense]
        assert lam == (good[0] if good else max(right, key=right.__getitem__))


def test_scores_of_masks_that_keep_enough():
    """At the smallest lambda that keeps two units: the second of the first problem, the last of the second."""
    gates = torch.tensor(
        [[[0.0, 0.5, 0.0], [0.2, 0.0, 1.0], [1.0, 1.0, 1.0]], [[0.0, 0.0, 0.0]] * 2 + [[0.0, 0.3, 0.0]]]
    )
    weights = torch.arange(18.0).reshape(2, 3, 3) - 4
    probes = Probes(weights * gates, torch.zeros(2, 3))
    masks = Masks(L0Probes(weights, torch.zeros(2, 3), torch.zeros(2, 3, 3), gates), torch.zeros(2, 4, 3), probes)
    expected = torch.stack([(weights * gates)[0, 1], (weights * gates)[1, 2]]).abs()
    assert torch.equal(_l0_scores(masks, 2), expected)
