"""`find` and `rank_neurons` by attribution: which neurons the model is predicted to use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
import torch
from made_pairs import made_pairs
from scipy import stats

from neurosteer.errors import InputError
from neurosteer.forward import attribute
from neurosteer.model import Model
from neurosteer.pairs import Pairs, sentence_hashes
from neurosteer.results import NewWords
from neurosteer.studies import Found, find, rank_neurons
from neurosteer.studies.finding.agreement import agreement

METADATA: dict[str, Any] = {"methods": ("welch", "attribution"), "topk": 4, "draws": 1, "seed": 5}


@pytest.fixture(scope="module", params=["zero", "mean"])
def to(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def used(llama: Model, few: Pairs, to: str, apart: Callable[[], AbstractContextManager[None]]) -> Found:
    with apart():
        return find(llama, few, to=to, **METADATA)


def predicted(model: Model, pairs: Pairs, found: Found, to: str) -> torch.Tensor:
    """The drop of every unit as `attribute` predicts it."""
    stats_ = found.ranking("attribution").stats
    product = attribute(model, pairs, site="resid_post", layers=[0, 1, 2], to=to)
    return product.product - (stats_.token_mean.double() * product.gradient if to == "mean" else 0)


@contextmanager
def passes_of(model: Model) -> Iterator[list[int]]:
    """Counts whatever the network computes; a plain torch hook, which leaves the hook points alone."""
    calls = [0]

    def count(*_: object) -> None:
        calls[0] += 1

    handle = model.bridge.original_model.register_forward_pre_hook(count)
    try:
        yield calls
    finally:
        handle.remove()


def test_scores_are_the_drop_predicted_on_train(used: Found, llama: Model, to: str):
    ranking = used.ranking("attribution")
    assert torch.equal(ranking.scores, predicted(llama, used.train, used, to).float())
    assert (ranking.scores < 0).any()
    assert (ranking.method, ranking.metadata["to"], ranking.metadata["steps"]) == ("attribution", to, 1)
    assert ranking.metadata["attribution"] == {"to": to, "steps": 1}
    assert set(ranking.metadata["seen"]) == set(sentence_hashes(used.train)) | set(sentence_hashes(used.validation))


def test_the_best_layer_has_the_largest_drop_on_validation(used: Found, llama: Model, to: str):
    """Chosen by train's four largest, summed on validation."""
    train, validation = (predicted(llama, part, used, to).tolist() for part in (used.train, used.validation))
    drops = [
        sum(held[unit] for unit in sorted(range(32), key=lambda unit: -row[unit])[:4] if row[unit] > 0)
        for row, held in zip(train, validation, strict=True)
    ]
    assert [row.attribution.drop for row in used.layers] == pytest.approx(drops)
    assert len(set(drops)) == 3
    best = max(range(3), key=drops.__getitem__)
    assert used.result.best_layers["attribution"] == used.ranking("attribution").best_layer == best


def test_the_best_layers_may_differ(used: Found):
    """What is listed of each method is at the layer of its own."""
    assert used.best_layer == used.result.best_layers["welch"]
    for method, neurons in used.result.neurons.items():
        assert {neuron.layer for neuron in neurons} == {used.result.best_layers[method]}
        assert [(neuron.layer, neuron.unit) for neuron in sorted(neurons, key=lambda n: n.unit)] == list(
            used.ranking(method).top(4)
        )


def test_agreement_by_scipy_and_sets(used: Found):
    for row in used.layers:
        [between] = row.agreement
        assert between.methods == ("welch", "attribution")
        scores = [used.ranking(method).scores[row.layer].tolist() for method in between.methods]
        tops = [
            {unit for unit in sorted(range(32), key=values.__getitem__)[-4:] if values[unit] > 0} for values in scores
        ]
        assert between.spearman == pytest.approx(stats.spearmanr(*scores).statistic)
        assert between.overlap == len(tops[0] & tops[1]) / 4
        assert between.chance == pytest.approx(len(tops[0]) / 32 * len(tops[1]) / 4)


def test_agreement_of_three_methods_counts_scores_above_zero_only():
    """Every two methods; a mask that keeps two units has a top of two."""
    scores = {
        "a": torch.tensor([5.0, 4.0, 3.0, 2.0, 1.0, 0.5]),
        "b": torch.tensor([0.0, 7.0, 0.0, 0.0, 8.0, 0.0]),
        "c": torch.tensor([-1.0, -2.0, -3.0, 9.0, -4.0, -5.0]),
    }
    rows = {row.methods: row for row in agreement(scores, 3)}
    assert {names: (row.overlap, row.chance) for names, row in rows.items()} == {
        ("a", "b"): (1 / 3, pytest.approx(3 * 2 / 6 / 3)),
        ("a", "c"): (0.0, pytest.approx(3 * 1 / 6 / 3)),
        ("b", "c"): (0.0, pytest.approx(2 * 1 / 6 / 3)),
    }
    for (one, other), row in rows.items():
        assert row.spearman == pytest.approx(stats.spearmanr(scores[one], scores[other]).statistic)
    [equal] = agreement({"a": scores["a"], "zero": torch.zeros(6)}, 3)
    assert (equal.spearman, equal.overlap, equal.chance) == (None, 0.0, 0.0)


def test_chance_is_what_random_sets_share():
    """`chance` against the mean overlap of shuffled scores."""
    rng = torch.Generator().manual_seed(0)
    base = torch.tensor([*range(1, 9), *[0.0] * 4])
    found = [agreement({"a": base, "b": base[torch.randperm(12, generator=rng)]}, 5)[0] for _ in range(1000)]
    assert found[0].chance == pytest.approx(5 / 12)
    shared = torch.tensor([row.overlap for row in found])
    assert float(shared.mean()) == pytest.approx(5 / 12, abs=4 * float(shared.std()) / 1000**0.5)


def test_the_probe_of_the_top_by_use(used: Found):
    """Each method has an accuracy of its own; the headline is the first's."""
    for row in used.layers:
        assert row.topk_by_method.keys() == {"welch", "attribution"}
        assert row.topk == row.topk_by_method["welch"]
    assert any(row.topk_by_method["attribution"] != row.topk for row in used.layers)


def test_methods_do_not_depend_on_each_other(used: Found, llama: Model, few: Pairs, to: str):
    alone = find(llama, few, to=to, **{**METADATA, "methods": ("attribution",)})
    assert torch.equal(alone.ranking("attribution").scores, used.ranking("attribution").scores)
    assert [row.attribution for row in alone.layers] == [row.attribution for row in used.layers]
    assert alone.best_layer == used.result.best_layers["attribution"]
    assert [row.topk for row in alone.layers] == [row.topk_by_method["attribution"] for row in used.layers]
    assert all(row.agreement == () for row in alone.layers)


def test_without_attribution_nothing_is_predicted(found: Found):
    assert [row.attribution for row in found.layers] == [None] * 3
    for row in found.layers:
        [between] = row.agreement
        assert between.methods == ("welch", "l0")
        kept = int((found.ranking("l0").scores[row.layer] > 0).sum())
        assert between.chance == pytest.approx(3 * min(3, kept) / 32 / 3)


def test_several_steps_rank_otherwise(llama: Model, few: Pairs):
    """Gradients averaged along the path; `attribute` is asked for as many."""
    three = find(llama, few, steps=3, layers=[1], **METADATA)
    direct = attribute(llama, three.train, site="resid_post", layers=[1], steps=3).product
    assert torch.equal(three.ranking("attribution").scores, direct.float())
    one = find(llama, few, layers=[1], **METADATA)
    assert not torch.allclose(three.ranking("attribution").scores, one.ranking("attribution").scores, rtol=1e-3)


def test_rank_neurons_by_attribution(used: Found, llama: Model, to: str):
    """As `find` ranks, but for rounding (the statistics were read in other packs), and the same best layer."""
    asked: dict[str, Any] = {"method": "attribution", "to": to, "topk": 4, "seed": 5}
    alone = rank_neurons(llama, used.train, validation=used.validation, **asked)
    torch.testing.assert_close(alone.scores, used.ranking("attribution").scores, rtol=1e-4, atol=1e-6)
    assert alone.best_layer == used.ranking("attribution").best_layer
    assert (alone.method, alone.metadata["to"], alone.metadata["steps"]) == ("attribution", to, 1)
    assert set(alone.metadata["seen"]) == set(sentence_hashes(used.train)) | set(sentence_hashes(used.validation))
    without = rank_neurons(llama, used.train, **asked)
    assert without.best_layer is None
    torch.testing.assert_close(without.scores, alone.scores, rtol=1e-4, atol=1e-6)


def test_new_words_beside_attribution(llama: Model):
    """With a lexical split beside it the first method is predicted on that split's own train pairs."""
    pairs = made_pairs(verbs=20, subjects=5, nouns=3)
    asked: dict[str, Any] = {"methods": ("attribution",), "layers": [1], "topk": 4, "draws": 1}
    beside = find(llama, pairs, **asked).layers[0]
    own = find(llama, pairs, split="lexical", **asked).layers[0]
    assert beside.new_words == NewWords(own.dense, own.topk)


@pytest.mark.parametrize("asked", [{"to": "resample"}, {"steps": 0}])
def test_refused_before_anything_is_computed(llama: Model, few: Pairs, asked: dict[str, Any]):
    with passes_of(llama) as calls:
        with pytest.raises(InputError):
            find(llama, few, **METADATA, **asked)
        with pytest.raises(InputError):
            rank_neurons(llama, few, method="attribution", **asked)
    assert calls == [0]
