"""Baselines against scikit-learn and against cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import BernoulliNB, MultinomialNB

from neurosteer.pairs import Baselines, load_pairs
from neurosteer.pairs.baselines import FEATURES, bernoulli, fit_baselines

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
    split = load_pairs("intransitive", source=str(request.getfixturevalue("blimp")), n=300).split()
    return split.train.sentences, split.test.sentences


@pytest.mark.parametrize("name", sorted(set(FEATURES) - {"majority"}))
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
    sides = np.where(np.abs(expected) < 1e-9, 0, np.sign(expected)) * np.tile([1, -1], len(test))
    assert getattr(fit_baselines(train, test), name) == pytest.approx((1 + sides.mean()) / 2, abs=1e-12)


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
