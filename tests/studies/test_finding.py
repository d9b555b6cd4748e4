"""`find` and `rank_neurons` on a tiny random model."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from made_pairs import made_pairs
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from tiny_models import ids_of

from neurosteer.errors import InputError
from neurosteer.forward import eos_states
from neurosteer.pairs import LeftOut, LexicalSplitError, Pair, load_pairs, sentence_hashes
from neurosteer.probes import STRENGTHS
from neurosteer.results import RandomSets, record
from neurosteer.studies import find, rank_neurons
from neurosteer.studies.bootstrap import few_pairs
from neurosteer.studies.finding import layers as studied
from neurosteer.studies.finding import uncertainty
from neurosteer.studies.finding.assembly import _equivalent
from neurosteer.studies.finding.layers import Equivalent

METHODS = "welch, l0, mean-diff, l1, localizer, attribution, causal-l0"


def token_ids(sentences):
    """Written down by the vocabulary, without a tokenizer; neither BOS nor EOS."""
    return [ids_of(sentence, bos=None, eos=None) for sentence in sentences]


METADATA = {"topk": 3, "draws": 2, "seed": 5}


def test_rankings_are_those_of_the_train_states(found, llama, few):
    """|t| against scipy on the states themselves."""
    states = eos_states(llama, few).take(few.split("pair", 5).indices["train"]).values.double().numpy()
    t = stats.ttest_ind(states[:, 0], states[:, 1], equal_var=False).statistic
    torch.testing.assert_close(found.ranking("welch").scores.double(), torch.from_numpy(abs(t)), rtol=1e-5, atol=1e-5)


def test_parts_and_provenance(found, llama, few):
    train, validation, test = few.split("pair", 5)
    assert (found.train, found.validation, found.test) == (train, validation, test)
    for method in ("welch", "l0"):
        ranking = found.ranking(method)
        assert ranking.method == method
        assert (ranking.model, ranking.site) == (llama.fingerprint, "resid_post")
        assert set(ranking.metadata["seen"]) == set(sentence_hashes(train)) | set(sentence_hashes(validation))
        assert not set(ranking.metadata["seen"]) & set(sentence_hashes(test))
        assert ranking.best_layer == found.result.best_layers[method]
    assert set(found.ranking("l0").metadata["l0"]["lambda"]) == {"0", "1", "2"}
    assert found.best_layer == found.result.best_layers["welch"]
    assert found.baselines == few.baselines(few.split("pair", 5), token_ids)


def test_neurons_are_the_rankings_top(found):
    for method in ("welch", "l0"):
        ranking = found.ranking(method)
        scores = ranking.scores[ranking.layers.index(ranking.best_layer)].tolist()
        best = sorted(range(32), key=lambda unit: (-scores[unit], unit))[:3]
        listed = found.result.neurons[method]
        assert [neuron.unit for neuron in listed] == best
        assert {neuron.layer for neuron in listed} == {ranking.best_layer}
        assert [neuron.score for neuron in listed] == pytest.approx([scores[unit] for unit in best], abs=1e-6)


def test_some_layers_give_the_same_numbers(found, llama, few):
    """All but `significant`, whose q-values are over the layers asked for."""
    every = {row.layer: replace(row, significant=0) for row in found.layers}
    for layers in ([1], [2, 0]):
        some = find(llama, few, layers=layers, **METADATA)
        assert [row.layer for row in some.layers] == sorted(layers)
        for row in some.layers:
            assert replace(row, significant=0) == every[row.layer]
        for method in ("welch", "l0"):
            assert torch.equal(some.ranking(method).scores, found.ranking(method).scores[sorted(layers)])


def test_k_beyond_half_the_width_has_no_random_sets(llama, few):
    result = find(llama, few, layers=[2], methods=("welch",), topk=17, draws=2).result
    [row] = result.layers
    assert row.random == RandomSets(None, None, None)
    assert (row.l0, row.spearman) == (None, None)
    assert (result.random_equivalent, result.random_equivalent_interval) == (None, None)
    assert "random" not in result.interpretation.split(".")[0]
    assert find(llama, few, layers=[2], methods=("welch",), topk=16, draws=2).layers[0].random.mean is not None


def test_lambdas_given(llama, few):
    found = find(llama, few, layers=[0], lambdas=[0.3], draws=1)
    assert found.layers[0].l0.lam == 0.3
    dense = find(llama, few, layers=[0], lambdas=[1.0, 1.0], draws=1)
    assert dense.layers[0].l0.kept == 1
    assert dense.layers[0].spearman is None


def test_intervals_of_baselines(llama):
    """Of each baseline scipy's, over the pairs and the two that are added; words are there to be learned."""
    pairs = made_pairs(verbs=20, subjects=5, nouns=3)
    result = find(llama, pairs, layers=[1], methods=("welch",), draws=1).result
    seen, new_words = pairs.baselines(), pairs.baselines(pairs.split("lexical"))
    for baselines, values, intervals in (
        (seen, result.baselines, result.baselines_intervals),
        (new_words, result.baselines_new_words, result.baselines_new_words_intervals),
    ):
        assert intervals.majority is None
        for name, own in baselines.shares.items():
            sample = np.array([*own, 1.0, 0.0])
            rng = np.random.default_rng(0)
            plain = stats.bootstrap((sample,), np.mean, n_resamples=20000, batch=1000, method="percentile", rng=rng)
            low, high = getattr(intervals, name)
            assert (low, high) == pytest.approx([*plain.confidence_interval], abs=1 / len(sample))
            assert low <= getattr(values, name) <= high
        assert record(intervals.tokens).keys() == {"count", "unigram", "bigram"}
    assert result.baselines_intervals.unigram != result.baselines_new_words_intervals.unigram


def test_a_split_by_words(llama):
    many = made_pairs(verbs=20, subjects=5, nouns=3)
    by_pair = find(llama, many, layers=[1], methods=("welch",), draws=1)
    by_words = find(llama, many, split="lexical", layers=[1], methods=("welch",), draws=1)
    assert by_words.result.data.split.kind == "lexical"
    assert by_words.result.baselines_new_words is None
    assert by_words.layers[0].new_words is None
    assert by_words.baselines == by_pair.result.baselines_new_words
    assert by_words.layers[0].dense == by_pair.layers[0].new_words.dense
    assert by_pair.result.notices == ()


def test_new_words_are_read_by_units_chosen_on_their_own_split(llama):
    """Top k by scipy on the lexical split's train states, their accuracy by scikit-learn.

    Units that the pair split would choose have seen the words of test, and read them better or worse.
    """
    many, layers = made_pairs(verbs=20, subjects=5, nouns=3), range(3)
    rows = find(llama, many, methods=("welch",), topk=2, draws=1).layers
    states = eos_states(llama, many).values.double().numpy()  # pair side layer unit
    held_out, by_pair = (many.split(kind, 0).indices for kind in ("lexical", "pair"))

    def chosen(layer: int, train: tuple[int, ...]) -> list[int]:
        good, bad = states[list(train), :, layer].transpose(1, 0, 2)
        t = stats.ttest_ind(good, bad, equal_var=False).statistic
        return sorted(np.argsort(-abs(t), kind="stable")[:2].tolist())

    def right(layer: int, units: list[int], l2: float, part: str) -> float:
        x = {name: states[list(held_out[name]), :, layer].reshape(-1, 32) for name in ("train", part)}
        y = {name: [1, 0] * len(held_out[name]) for name in x}
        scale = StandardScaler().fit(x["train"])
        probe = LogisticRegression(C=1 / (l2 * len(y["train"])), tol=1e-9, max_iter=5000)
        probe.fit(scale.transform(x["train"])[:, units], y["train"])
        return float(probe.score(scale.transform(x[part])[:, units], y[part]))

    gaps = []
    for layer in layers:
        every = list(range(32))
        l2 = max(sorted(STRENGTHS, reverse=True), key=lambda l2: right(layer, every, l2, "validation"))
        own = right(layer, chosen(layer, held_out["train"]), l2, "test")
        assert rows[layer].new_words.topk == pytest.approx(own, abs=0.005)
        gaps.append(abs(own - right(layer, chosen(layer, by_pair["train"]), l2, "test")))
    assert max(gaps) > 0.02  # else this test could not tell the two apart


@pytest.mark.parametrize(
    ("found", "times", "ends"),
    [
        (Equivalent(3.5, 2.0, 6.0), 3.5, (2.0, 6.0)),
        (Equivalent(21.0, 2.5, math.inf), 21.0, (2.5, None)),
        (Equivalent(math.inf, math.inf, math.inf), None, (None, None)),
        (None, None, None),
    ],
)
def test_what_never_ends_is_null(found, times, ends):
    assert _equivalent(found) == (times, ends)


@pytest.mark.parametrize(("pairs", "groups", "notices"), [(49, 49, 1), (50, 50, 0), (245, 49, 1), (250, 50, 0)])
def test_a_notice_below_50_test_pairs(pairs, groups, notices):
    told = few_pairs(pairs, groups)
    assert len(told) == notices
    assert all(("245 test pairs (49 groups" in note) is (groups != pairs) for note in told)


def test_repeats_change_nothing_but_the_notice(llama, few, tmp_path):
    """Every number is that of the pairs alone."""
    rows = [json.dumps({"sentence_good": pair.good, "sentence_bad": pair.bad}) + "\n" for pair in few]
    results = []
    for folder, lines in (("once", rows), ("more", rows + rows[10:30] + rows)):
        path = tmp_path / folder / "mine.jsonl"
        path.parent.mkdir()
        path.write_text("".join(lines))
        asked = {"methods": ("welch",), "layers": [1], "draws": 1, "topk": 3}
        results.append(record(find(llama, load_pairs(source=str(path)), **asked).result))
    once, more = results
    assert more["notices"] == ["pairs of mine: repeating an earlier one: 100 (left out)", *once["notices"]]
    assert more["data"] == once["data"] | {
        "source": str(tmp_path / "more" / "mine.jsonl"),
        "left_out": {"repeated": 100, "identical": 0},
    }
    apart = ("notices", "data")
    assert {k: v for k, v in more.items() if k not in apart} == {k: v for k, v in once.items() if k not in apart}


def test_what_was_left_out_is_said_from_the_cache_too(llama, few):
    asked = {"methods": ("welch",), "layers": [1], "draws": 1, "topk": 3}
    first = find(llama, few, **asked).result
    again = find(llama, replace(few, left_out=LeftOut(identical=2)), **asked).result
    assert list(again.notices) == ["pairs of made: the same sentence twice: 2 (left out)", *first.notices]
    assert again.layers == first.layers


def test_the_same_tokens_are_counted(llama, few):
    """`x` and `y` are words that the tokenizer does not know: both are w0."""
    pairs = replace(few, pairs=(*few.pairs, Pair("w1 x", "w1 y", "a"), Pair("x w2", "y w2", "b")))
    notices = find(llama, pairs, methods=("welch",), layers=[1], draws=1, topk=3).result.notices
    assert notices[0] == "pairs of made: the same tokens to the model: 2 of 82 (kept; it cannot tell good from bad)"


def test_too_few_words(found, llama, few):
    assert found.result.baselines_new_words is None
    assert all(row.new_words is None for row in found.layers)
    notice = found.result.notices[0]
    assert notice.startswith("no column for new words: 'made' allows no lexical split: ")
    assert found.result.notices[1].startswith("only 16 test pairs: accuracies are rough, ")
    with pytest.raises(LexicalSplitError, match=r"^'made' allows no lexical split: "):
        find(llama, few, split="lexical")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            {"methods": ["welsh"]},
            f"unknown method 'welsh'; did you mean 'welch'?; one of {METHODS}",
        ),
        (
            {"methods": []},
            f"methods must be some of {METHODS}, each once, not []",
        ),
        (
            {"methods": ["l0", "l0"]},
            f"methods must be some of {METHODS}, each once, not ['l0', 'l0']",
        ),
        ({"topk": 33}, "topk 33 is more than the 32 units of a layer"),
        ({"topk": 0}, "topk must be at least 1, or a share above 0% and up to 100%, not '0'"),
        ({"layers": [3]}, "has layers 0 to 2"),
        ({"layers": []}, "layers must be 'all' or block indices, not []"),
        ({"site": "resid"}, "unknown site 'resid'"),
        ({"position": "first"}, "unknown position 'first'; one of eos, last"),
        ({"split": "word"}, "unknown split 'word'"),
        ({"lambdas": [0.0]}, "lambda must be above 0 and at most 1, not [0.0]"),
        ({"lambdas": [0.2, 1.5]}, "lambda must be above 0 and at most 1, not [0.2, 1.5]"),
        ({"lambdas": []}, "lambda must be above 0 and at most 1, not []"),
        ({"lambdas": [math.nan]}, "lambda must be above 0 and at most 1, not [nan]"),
        ({"draws": 0}, "draws must be from 1 to 10,000 (each is a probe at every layer), not 0"),
        ({"to": "resample"}, "attribution predicts ablation to zero or mean, not to 'resample'"),
        ({"steps": 0}, "steps must be at least 1, not 0"),
    ],
)
def test_bad_requests(llama, few, asked, message):
    with pytest.raises(InputError) as caught:
        find(llama, few, **asked)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_ranking_that_was_not_asked_for(llama, few):
    with pytest.raises(InputError, match=r"^no ranking by 'l0' here; there is welch$"):
        find(llama, few, methods=("welch",), layers=[0], draws=1).ranking("l0")


def test_exports(found):
    assert json.loads(found.to_json()) == record(found.result)
    rows = list(csv.DictReader(io.StringIO(found.to_csv())))
    assert [float(row["dense"]) for row in rows] == [row.dense for row in found.layers]
    assert [float(row["l0.kept"]) for row in rows] == [row.l0.kept for row in found.layers]


@pytest.mark.parametrize(("method", "rounding"), [("welch", 1e-4), ("l0", 0.02)])
def test_rank_neurons_ranks_as_find_does(found, llama, method, rounding):
    """But for rounding: the states were read in other packs."""
    alone = rank_neurons(llama, found.train, method=method, validation=found.validation, topk=3, seed=5)
    torch.testing.assert_close(alone.scores, found.ranking(method).scores, rtol=rounding, atol=rounding)
    assert torch.equal(alone.scores > 0, found.ranking(method).scores > 0)
    assert alone.best_layer == found.result.best_layers[method]
    assert set(alone.metadata["seen"]) == set(sentence_hashes(found.train)) | set(sentence_hashes(found.validation))


def test_rank_neurons_without_validation(found, llama):
    without = rank_neurons(llama, found.train)
    assert without.best_layer is None
    torch.testing.assert_close(without.scores, found.ranking("welch").scores, rtol=1e-4, atol=1e-4)
    assert set(without.metadata["seen"]) == set(sentence_hashes(found.train))


@pytest.mark.slow
def test_rank_neurons_by_l0_without_validation(llama, found):
    ranking = rank_neurons(llama, found.train, method="l0", lam=0.3, layers=[1], seed=5)
    assert ranking.best_layer is None
    assert 0 < int((ranking.scores > 0).sum()) < 32
    again = rank_neurons(llama, found.train, method="l0", lam=0.3, layers=[1], seed=5)
    assert torch.equal(ranking.scores, again.scores)
    every = rank_neurons(llama, found.train, method="l0", lam=1.0, layers=[1], seed=5)
    assert (every.scores > 0).all()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            {"method": "ttest"},
            f"unknown method 'ttest'; one of {METHODS}",
        ),
        ({"method": "l0"}, "method 'l0' chooses its lambda on validation pairs: give validation= or lam="),
        ({"method": "l0", "lam": 0.0}, "lambda must be above 0 and at most 1, not 0.0"),
        ({"method": "l0", "lam": 1.1}, "lambda must be above 0 and at most 1, not 1.1"),
        ({"topk": 99, "method": "l0", "lam": 0.5}, "topk 99 is more than the 32 units of a layer"),
        ({"to": "noise"}, "attribution predicts ablation to zero or mean, not to 'noise'"),
        ({"method": "attribution", "steps": -1}, "steps must be at least 1, not -1"),
    ],
)
def test_rank_neurons_refuses(llama, few, asked, message):
    with pytest.raises(InputError) as caught:
        rank_neurons(llama, few, **asked)
    assert str(caught.value) == message


def test_pairs_of_one_item_are_one_in_every_interval(llama, monkeypatch):
    """Of probes, baselines and random sets, on either split: 15 pairs a verb, and a notice that counts verbs."""
    pairs = made_pairs(verbs=20, subjects=5, nouns=3)
    pairs = replace(pairs, pairs=tuple(replace(pair, item=pair.good.split()[2]) for pair in pairs))
    counts: dict[str, list[tuple[int, int]]] = {}

    def counting(module, name):
        plain = getattr(module, name)

        def counted(share, *, groups=None, **about):
            counts.setdefault(name, []).append((share.shape[1], len(set(groups.tolist()))))
            return plain(share, groups=groups, **about)

        monkeypatch.setattr(module, name, counted)

    counting(uncertainty, "pair_intervals")
    counting(studied, "resampled_pairs")
    result = find(llama, pairs, methods=("welch",), topk=3, draws=1, seed=1, cache=False).result
    parts, unseen = pairs.split("pair", 1).test, pairs.split("lexical", 1).test
    seen, new = ((len(some), len({pair.item for pair in some})) for some in (parts, unseen))
    assert seen == (60, 4)
    assert sorted(counts["pair_intervals"]) == sorted([seen, seen, new, new])
    assert set(counts["resampled_pairs"]) == {seen}
    assert any(note.startswith("only 60 test pairs (4 groups that share an item") for note in result.notices)
