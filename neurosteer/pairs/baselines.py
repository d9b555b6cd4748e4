"""What is known of a task without any model: naive Bayes on words, fitted on train, judged on test.

Every baseline is a naive Bayes classifier (Laplace smoothing, alpha = 1) of single sentences into good and
bad; they differ in what they look at. The last word is judged by a Bernoulli model, which also weighs the
words that are not there: where bad sentences end in few words, an ending never seen speaks for good.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

from .splitting import Sentences
from .words import stems, words

Features = Callable[[str], list[str]]
TIE = 1e-9  # log-odds nearer to zero are rounding


@dataclass(frozen=True)
class Baselines:
    """Accuracy in [0, 1] over the test sentences; a tie counts one half."""

    majority: float
    length: float  # how many words
    last_word: float
    unigram: float
    stem: float  # unigrams of stems: "ate" and "eats" are one
    bigram: float  # unigrams, and bigrams with the sentence's two ends

    def to_dict(self) -> dict[str, float]:
        return asdict(self)


def bigrams(sentence: str) -> list[str]:
    tokens = words(sentence)
    return tokens + [f"{left} {right}" for left, right in pairwise(["<s>", *tokens, "</s>"])]


@dataclass(frozen=True)
class NaiveBayes:
    """log P(good | sentence) - log P(bad | sentence) = bias + the weights of its features."""

    weights: dict[str, float]
    bias: float = 0.0

    def log_odds(self, features: Sequence[str]) -> float:
        """Features never seen in train say nothing."""
        return math.fsum([self.bias, *(self.weights.get(feature, 0.0) for feature in features)])


def multinomial(train: Sequence[Sentences], features: Features) -> NaiveBayes:
    """Naive Bayes of how often each feature occurs; with one per sentence, the categorical one."""
    good, bad = _counts(train, features)
    seen = sorted(good.keys() | bad.keys())
    offset = math.log((bad.total() + len(seen)) / (good.total() + len(seen))) if seen else 0.0
    return NaiveBayes({f: math.log((good[f] + 1) / (bad[f] + 1)) + offset for f in seen})


def bernoulli(train: Sequence[Sentences], features: Features) -> NaiveBayes:
    """Naive Bayes of which features are there and which are not; each at most once in a sentence."""
    good, bad = _counts(train, features)
    total, seen = len(train) + 2, sorted(good.keys() | bad.keys())
    absent = {f: math.log((total - good[f] - 1) / (total - bad[f] - 1)) for f in seen}
    weights = {f: math.log((good[f] + 1) / (bad[f] + 1)) - absent[f] for f in seen}
    return NaiveBayes(weights, bias=math.fsum(absent.values()))


def _counts(train: Sequence[Sentences], features: Features) -> tuple[Counter[str], Counter[str]]:
    good = Counter(feature for sentence, _ in train for feature in features(sentence))
    bad = Counter(feature for _, sentence in train for feature in features(sentence))
    return good, bad


FEATURES: dict[str, tuple[Callable[[Sequence[Sentences], Features], NaiveBayes], Features]] = {
    "majority": (multinomial, lambda sentence: []),
    "length": (multinomial, lambda sentence: [str(len(words(sentence)))]),
    "last_word": (bernoulli, lambda sentence: words(sentence)[-1:]),
    "unigram": (multinomial, words),
    "stem": (multinomial, stems),
    "bigram": (multinomial, bigrams),
}


def fit_baselines(train: Sequence[Sentences], test: Sequence[Sentences]) -> Baselines:
    """All baselines of one split, from its (good, bad) sentences."""
    return Baselines(**{name: accuracy(fit(train, f), f, test) for name, (fit, f) in FEATURES.items()})


def accuracy(model: NaiveBayes, features: Features, test: Sequence[Sentences]) -> float:
    """Share of the test sentences on the right side of zero; a tie counts one half."""
    right = 0.0
    for pair in test:
        for sentence, sign in zip(pair, (1, -1), strict=True):
            score = sign * model.log_odds(features(sentence))
            right += 0.5 if abs(score) < TIE else float(score > 0)
    return right / (2 * len(test))
