"""Token sequences to be scored, under a named convention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from neurosteer.errors import InputError, did_you_mean
from neurosteer.model import Model, encode
from neurosteer.pairs import Pairs
from neurosteer.vocabulary import Convention

from .forest import Tokens


@dataclass(frozen=True)
class _Prefix:
    """What stands before a sentence that is scored."""

    space: bool = False  # a space
    as_is: bool = False  # whatever special tokens the tokenizer puts there by itself; else BOS, or else EOS


CONVENTIONS: dict[Convention, _Prefix] = {
    "sum": _Prefix(),
    "mean": _Prefix(),
    "lm-eval": _Prefix(space=True),
    "minicons": _Prefix(as_is=True),
}


@dataclass(frozen=True)
class Text:
    """A token sequence. The tokens from index `first` on are scored, each given all tokens before it."""

    tokens: Tokens
    first: int

    @property
    def scored(self) -> int:
        """How many tokens are scored."""
        return len(self.tokens) - self.first


def texts_of(model: Model, sentences: Sequence[str], convention: Convention, *, fits: bool = True) -> list[Text]:
    """Encode sentences under a convention of scoring.

    Raises `InputError` for a sentence with no token to score, and for one longer than the model's context unless
    `fits` is false.
    """
    if convention not in CONVENTIONS:
        known = ", ".join(CONVENTIONS)
        raise InputError(f"unknown convention '{convention}'{did_you_mean(convention, CONVENTIONS)}; one of {known}")
    how = CONVENTIONS[convention]
    prefixed = [f" {sentence}" for sentence in sentences] if how.space else sentences
    texts = [Text(tokens, 1) for tokens in encode(model, prefixed, position="last", as_is=how.as_is, fits=fits)]
    for sentence, text in zip(sentences, texts, strict=True):
        if not text.scored:
            raise InputError(f"nothing to score in {sentence!r}: one token, and none before it")
    return texts


def pairs_of_texts(model: Model, pairs: Pairs, convention: Convention) -> list[list[Text]]:
    """The two sentences of each pair."""
    good = texts_of(model, [pair.good for pair in pairs], convention)
    bad = texts_of(model, [pair.bad for pair in pairs], convention)
    return [list(both) for both in zip(good, bad, strict=True)]


def from_first_difference(groups: Sequence[Sequence[Text]]) -> list[list[Text]]:
    """Score the texts of each group only from their first difference on: what is equal cancels in a summed margin."""
    return [[replace(text, first=max(text.first, _common_prefix(group))) for text in group] for group in groups]


def _common_prefix(group: Sequence[Text]) -> int:
    """How many tokens at the start are the same in all texts of a group."""
    columns = zip(*(text.tokens for text in group), strict=False)
    return next(
        (i for i, column in enumerate(columns) if len(set(column)) > 1), min(len(text.tokens) for text in group)
    )
