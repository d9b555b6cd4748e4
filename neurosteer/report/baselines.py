"""Baselines of words and of tokens, under the names that tables, figures and pages give them."""

from __future__ import annotations

from neurosteer.pairs import Baselines

WORDS = ("majority", "length", "last word", "unigram", "stem", "bigram")
TOKENS = ("token count", "token unigram", "token bigram")
NAMES = (*WORDS, *TOKENS)
DRAWN = ("last word", "bigram", "unigram", "stem", "token bigram", "token unigram")
UNSPACED = "– no word baseline: this script does not part words by spaces"  # noqa: RUF001


def named(baselines: Baselines) -> dict[str, float | None]:
    """Every baseline of NAMES, None where there is none."""
    words, tokens = baselines, baselines.tokens
    values = (words.majority, words.length, words.last_word, words.unigram, words.stem, words.bigram)
    of_tokens = (tokens.count, tokens.unigram, tokens.bigram) if tokens else (None, None, None)
    return dict(zip(NAMES, (*values, *of_tokens), strict=True))


def lacks_words(baselines: Baselines) -> bool:
    """Whether words could not be told from the text."""
    return baselines.unigram is None
