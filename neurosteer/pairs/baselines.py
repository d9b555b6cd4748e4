"""What is known of a task without running a model: naive Bayes on words or tokens, fitted on train, judged on test.

Every baseline is a naive Bayes classifier (Laplace smoothing, alpha = 1) of single sentences into good and
bad; they differ in what they look at. The last word is judged by a Bernoulli model, which also weighs the
words that are not there: where bad sentences end in few words, an ending never seen speaks for good.

scikit-learn's `MultinomialNB` and `BernoulliNB` behind a `CountVectorizer` give the same numbers (the tests compare
them); they would save some 25 lines here, and cost every search a second of imports.

Words need a script that parts them by spaces (`scripts`); elsewhere their baselines are None, never .50. The tokens
that a model reads exist in every language.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from itertools import chain, pairwise
from statistics import fmean
from typing import Annotated, Any, TypeVar

from pydantic import Field

from .scripts import parts_words
from .splitting import Sentences
from .words import stems, words

T = TypeVar("T")  # what stands for a sentence: its text, or its token ids
Ids = Sequence[int]
Features = Callable[[T], list[str]]
Tokenise = Callable[[Sequence[str]], Sequence[Ids]]  # token ids of sentences, without BOS and EOS
TIE = 1e-9  # log-odds nearer to zero are rounding


def bigrams(tokens: Sequence[str]) -> list[str]:
    """The tokens, and each two neighbours; `<s>` and `</s>` stand for the ends."""
    return [*tokens, *(f"{left} {right}" for left, right in pairwise(["<s>", *tokens, "</s>"]))]


@dataclass(frozen=True)
class NaiveBayes:
    """log P(good | sentence) - log P(bad | sentence) = bias + the weights of its features."""

    weights: dict[str, float]
    bias: float = 0.0

    def log_odds(self, features: Sequence[str]) -> float:
        """Features never seen in train say nothing."""
        return math.fsum([self.bias, *(self.weights.get(feature, 0.0) for feature in features)])


def multinomial(train: Sequence[tuple[T, T]], features: Features[T]) -> NaiveBayes:
    """Naive Bayes of how often each feature occurs; with one per sentence, the categorical one."""
    good, bad = _counts(train, features)
    seen = sorted(good.keys() | bad.keys())
    offset = math.log((bad.total() + len(seen)) / (good.total() + len(seen))) if seen else 0.0
    return NaiveBayes({f: math.log((good[f] + 1) / (bad[f] + 1)) + offset for f in seen})


def bernoulli(train: Sequence[tuple[T, T]], features: Features[T]) -> NaiveBayes:
    """Naive Bayes of which features are there and which are not; each at most once in a sentence."""
    good, bad = _counts(train, features)
    total, seen = len(train) + 2, sorted(good.keys() | bad.keys())
    absent = {f: math.log((total - good[f] - 1) / (total - bad[f] - 1)) for f in seen}
    weights = {f: math.log((good[f] + 1) / (bad[f] + 1)) - absent[f] for f in seen}
    return NaiveBayes(weights, bias=math.fsum(absent.values()))


def _counts(train: Sequence[tuple[T, T]], features: Features[T]) -> tuple[Counter[str], Counter[str]]:
    good = Counter(feature for sentence, _ in train for feature in features(sentence))
    bad = Counter(feature for _, sentence in train for feature in features(sentence))
    return good, bad


Fit = Callable[[Sequence[tuple[T, T]], Features[T]], NaiveBayes]


def _by(fit: Fit[Any], features: Features[Any]) -> dict[str, tuple[Fit[Any], Features[Any]]]:
    """The metadata of a field: how its classifier is fitted, and on what."""
    return {"how": (fit, features)}


@dataclass(frozen=True)
class TokenBaselines:
    """Of the tokens that a model reads, special ones left out; accuracy as in `Baselines`."""

    count: float = field(metadata=_by(multinomial, lambda ids: [str(len(ids))]))  # how many tokens
    unigram: float = field(metadata=_by(multinomial, lambda ids: list(map(str, ids))))
    bigram: float = field(metadata=_by(multinomial, lambda ids: bigrams(list(map(str, ids)))))  # and unigrams


@dataclass(frozen=True)
class Baselines:
    """Accuracy in [0, 1] over the test sentences; a tie counts one half. The fields say how each is computed.

    Those of words are None where the script does not part words by spaces, those of tokens where no tokenizer was
    given.

    Example:
        >>> found = ns.load_pairs("intransitive", source="builtin").baselines()
        >>> found.majority, found.tokens
        (0.5, None)
    """

    majority: float  # pairs hold as many good sentences as bad ones
    length: float | None = field(metadata=_by(multinomial, lambda text: [str(len(words(text)))]))  # how many words
    last_word: float | None = field(metadata=_by(bernoulli, lambda text: words(text)[-1:]))
    unigram: float | None = field(metadata=_by(multinomial, words))
    stem: float | None = field(metadata=_by(multinomial, stems))  # unigrams of stems: "ate" and "eats" are one
    bigram: float | None = field(metadata=_by(multinomial, lambda text: bigrams(words(text))))  # and unigrams
    tokens: TokenBaselines | None = None
    # not in JSON: of each test pair the share that is right, by what was judged ("bigram", "tokens.bigram")
    shares: Annotated[Mapping[str, tuple[float, ...]], Field(exclude=True)] = field(
        default_factory=dict, repr=False, compare=False
    )

    def to_dict(self) -> dict[str, Any]:
        """The accuracies as JSON has them; without the key `tokens` where no tokenizer was given."""
        values = asdict(self)
        del values["shares"]
        if self.tokens is None:
            del values["tokens"]
        return values


def _how(kind: type[Any]) -> dict[str, tuple[Fit[Any], Features[Any]]]:
    """The rule of each baseline among the fields of a class."""
    return {one.name: one.metadata["how"] for one in fields(kind) if "how" in one.metadata}


FEATURES: Mapping[str, tuple[Fit[str], Features[str]]] = _how(Baselines)
TOKEN_FEATURES: Mapping[str, tuple[Fit[Ids], Features[Ids]]] = _how(TokenBaselines)


def fit_baselines(
    train: Sequence[Sentences], test: Sequence[Sentences], tokenise: Tokenise | None = None
) -> Baselines:
    """All baselines of one split, from its (good, bad) sentences."""
    spaced = parts_words(chain(*train, *test))
    shares = {name: right_shares(*how, train, test) for name, how in FEATURES.items()} if spaced else {}
    of_words = {name: fmean(shares[name]) if spaced else None for name in FEATURES}
    of_tokens = None
    if tokenise is not None:
        found = _token_shares(train, test, tokenise)
        of_tokens = TokenBaselines(**{name: fmean(right) for name, right in found.items()})
        shares |= {f"tokens.{name}": right for name, right in found.items()}
    return Baselines(0.5, **of_words, tokens=of_tokens, shares=shares)


def _token_shares(
    train: Sequence[Sentences], test: Sequence[Sentences], tokenise: Tokenise
) -> dict[str, tuple[float, ...]]:
    ids = iter(tokenise([sentence for pair in chain(train, test) for sentence in pair]))
    pairs = list(zip(ids, ids, strict=True))
    parts = pairs[: len(train)], pairs[len(train) :]
    return {name: right_shares(*how, *parts) for name, how in TOKEN_FEATURES.items()}


def right_shares(
    fit: Fit[T], features: Features[T], train: Sequence[tuple[T, T]], test: Sequence[tuple[T, T]]
) -> tuple[float, ...]:
    """Of each test pair the share of its sentences on the right side of zero; a tie counts one half."""
    model = fit(train, features)
    odds = [[model.log_odds(features(sentence)) for sentence in pair] for pair in test]
    return tuple((_right(good) + _right(-bad)) / 2 for good, bad in odds)


def _right(odds: float) -> float:
    return 0.5 if abs(odds) < TIE else float(odds > 0)


def mean_baselines(rows: Sequence[Baselines]) -> Baselines:
    """The mean over tasks of each baseline: of the tasks that have it, None where none has.

    Example:
        >>> two = [Baselines(0.5, 0.5, None, None, None, None), Baselines(0.5, 0.75, None, 0.9, None, None)]
        >>> mean_baselines(two).length, mean_baselines(two).unigram, mean_baselines(two).stem
        (0.625, 0.9, None)
    """
    tokens = [row.tokens for row in rows if row.tokens is not None]
    of_words: dict[str, Any] = {name: _mean([getattr(row, name) for row in rows]) for name in FEATURES}
    of_tokens: dict[str, Any] = {name: _mean([getattr(one, name) for one in tokens]) for name in TOKEN_FEATURES}
    return Baselines(
        majority=fmean(row.majority for row in rows),
        **of_words,
        tokens=TokenBaselines(**of_tokens) if tokens else None,
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
