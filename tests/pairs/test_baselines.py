"""Baselines against scikit-learn and against cases worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import BernoulliNB, MultinomialNB

from neurosteer.pairs import Baselines, load_pairs, mean_baselines
from neurosteer.pairs.baselines import FEATURES, TOKEN_FEATURES, TokenBaselines, bernoulli, fit_baselines
from neurosteer.results import BaselineIntervals, TokenIntervals

TRAIN = [
    ("Ann sleeps.", "Ann sleeps the bed."),
    ("The dogs bark loudly.", "The dogs barks loudly."),
    ("Don't go, Bob!", "Don't goes, Bob!"),
    ("Some cats have slept.", "Some cats has slept up."),
    ("Sue ate a fig", "Sue eaten a fig"),
]
TEST = [
    ("Ann barks.", "Ann bark."),
    ("The cats have eaten loudly.", "The cats has ate Bob up."),
    ("Nothing known here", "never seen these four"),
]


@pytest.fixture(params=["toy", "intransitive"])
def sentences(request: pytest.FixtureRequest):
    if request.param == "toy":
        return TRAIN, TEST
    split = load_pairs("intransitive", source=str(request.getfixturevalue("blimp_sample"))).split()
    return split.train.sentences, split.test.sentences


def characters(sentences: Sequence[str]) -> list[list[int]]:
    """A tokenizer: every character is a token."""
    return [[ord(character) for character in sentence] for sentence in sentences]


def shares_right(log_odds: np.ndarray, pairs: int) -> float:
    """Accuracy of good, bad, good, ... where 0 counts one half."""
    sides = np.where(np.abs(log_odds) < 1e-9, 0, np.sign(log_odds)) * np.tile([1, -1], pairs)
    return float((1 + sides.mean()) / 2)


@pytest.mark.parametrize("name", sorted(FEATURES))
def test_log_odds_and_accuracy_are_scikit_learns(sentences, name: str):
    train, test = sentences
    fit, features = FEATURES[name]
    flat = [sentence for pair in train for sentence in pair]
    vectorizer = CountVectorizer(analyzer=features)
    oracle = BernoulliNB() if fit is bernoulli else MultinomialNB()
    oracle.fit(vectorizer.fit_transform(flat), [1, 0] * len(train))
    flat = [sentence for pair in test for sentence in pair]
    joint = oracle.predict_joint_log_proba(vectorizer.transform(flat))
    expected = joint[:, 1] - joint[:, 0]

    model = fit(train, features)
    np.testing.assert_allclose([model.log_odds(features(s)) for s in flat], expected, rtol=0, atol=1e-9)
    found = fit_baselines(train, test)
    assert getattr(found, name) == pytest.approx(shares_right(expected, len(test)), abs=1e-12)
    by_pair = [shares_right(expected[2 * i : 2 * i + 2], 1) for i in range(len(test))]
    np.testing.assert_allclose(found.shares[name], by_pair)


@pytest.mark.parametrize("name", ["count", "unigram", "bigram"])
def test_token_baselines_are_scikit_learns(sentences, name: str):
    """The n-grams are scikit-learn's own, over characters; `<` and `>` stand for the ends."""
    train, test = sentences
    how = {
        "count": {"analyzer": lambda text: [str(len(text) - 2)]},
        "unigram": {"analyzer": lambda text: list(text[1:-1])},
        "bigram": {"analyzer": lambda text: [*text[1:-1], *(text[i : i + 2] for i in range(len(text) - 1))]},
    }[name]
    vectorizer, oracle = CountVectorizer(**how), MultinomialNB()
    oracle.fit(vectorizer.fit_transform([f"<{s}>" for pair in train for s in pair]), [1, 0] * len(train))
    joint = oracle.predict_joint_log_proba(vectorizer.transform([f"<{s}>" for pair in test for s in pair]))
    expected = shares_right(joint[:, 1] - joint[:, 0], len(test))
    found = fit_baselines(train, test, characters).tokens
    assert getattr(found, name) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("baselines", "intervals", "rules", "others"),
    [
        (Baselines, BaselineIntervals, FEATURES, {"majority", "tokens"}),
        (TokenBaselines, TokenIntervals, TOKEN_FEATURES, set()),
    ],
)
def test_every_baseline_has_a_rule_and_an_interval(baselines, intervals, rules, others):
    names = {one.name for one in fields(baselines)} - {"shares"}
    assert names == set(rules) | others == {one.name for one in fields(intervals)}


JAPANESE = [
    f"{who}が{what}を{verb}。" for who in ("太郎", "花子", "先生") for what, verb in (("本", "読む"), ("水", "飲む"))
]
CHINESE = [f"{who}把{what}吃了。" for who in ("他", "小王", "我们", "孩子") for what in ("苹果", "面包", "鱼")]


@pytest.mark.parametrize(
    ("good", "swap"), [(JAPANESE, ("が", "を")), (CHINESE, ("把", "吃"))], ids=["japanese", "chinese"]
)
def test_a_script_without_spaces_has_no_word_baselines_and_its_tokens_tell(good: list[str], swap: tuple[str, str]):
    """Good and bad hold the same characters in another order: unigrams see nothing, bigrams everything."""
    one, other = swap
    pairs = [(text, text.translate(str.maketrans({one: other, other: one}))) for text in good]
    found = fit_baselines(pairs[::2], pairs[1::2], characters)
    words = (found.length, found.last_word, found.unigram, found.stem, found.bigram)
    assert words == (None,) * 5
    assert (found.majority, found.tokens.count, found.tokens.unigram, found.tokens.bigram) == (0.5, 0.5, 0.5, 1.0)
    assert found.to_dict()["tokens"] == {"count": 0.5, "unigram": 0.5, "bigram": 1.0}


def test_means_over_tasks_are_of_those_that_have_a_baseline():
    rows = [
        Baselines(0.5, 0.3, 0.4, None, None, 0.5, TokenBaselines(count=0.5, unigram=0.5, bigram=1.0)),
        Baselines(0.5, 0.5, 0.4, 0.9, None, 0.6, TokenBaselines(count=0.7, unigram=0.6, bigram=0.5)),
        Baselines(0.5, 0.7, 0.4, 0.6, None, 1.0),
    ]
    found = mean_baselines(rows)
    words = (found.majority, found.length, found.last_word, found.unigram, found.bigram)
    assert words == pytest.approx((0.5, 0.5, 0.4, 0.75, 0.7))
    assert found.stem is None
    assert (found.tokens.count, found.tokens.unigram, found.tokens.bigram) == pytest.approx((0.6, 0.55, 0.75))
    assert mean_baselines(rows[2:]).tokens is None


def test_by_hand():
    train = [("a b", "a c d")] * 3
    found = fit_baselines(train, [("b", "d d d"), ("x y", "x y z")])
    assert found == Baselines(majority=0.5, length=0.875, last_word=0.75, unigram=0.75, stem=0.75, bigram=0.75)
    assert found.to_dict() == {
        "majority": 0.5, "length": 0.875, "last_word": 0.75, "unigram": 0.75, "stem": 0.75, "bigram": 0.75,
    }  # fmt: skip


def test_bigrams_see_word_order_and_unigrams_do_not():
    train = [(f"w{i} did see", f"did w{i} see") for i in range(20)]
    found = fit_baselines(train, train)
    assert found.unigram == found.stem == found.length == found.last_word == 0.5
    assert found.bigram == 1.0
