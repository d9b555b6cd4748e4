"""Words of a sentence, and what counts as the same word."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import cache
from typing import Any

_WORD = re.compile(r"\w+(?:'\w+)*")


def words(sentence: str) -> list[str]:
    """The lower-cased words; an apostrophe inside a word belongs to it, other punctuation to none.

    Vowel signs and accents that are characters of their own (Hindi, Tamil, Hebrew) belong to the word too.
    """
    text = sentence.lower().replace("’", "'")  # noqa: RUF001
    return (_WORD if text.isascii() else _marked_word()).findall(text)


@cache
def _marked_word() -> re.Pattern[str]:
    """A word of letters and combining marks, which `\\w` leaves out."""
    marks = "".join(c for c in map(chr, range(0x300, 0x1F000)) if unicodedata.category(c).startswith("M"))
    return re.compile(rf"[\w{marks}]+(?:'[\w{marks}]+)*")


@cache
def _stemmer() -> Any:
    import snowballstemmer

    return snowballstemmer.stemmer("english")


@cache
def stem(word: str) -> str:
    """What stands for all forms of a word: the Snowball stem (Porter 2) of simplemma's English lemma.

    The lemma joins "ate" with "eats"; the stem joins forms that the lemma list does not know.
    """
    import simplemma

    return _stemmer().stemWord(simplemma.lemmatize(word, lang="en").lower())


def stems(sentence: str) -> list[str]:
    return [stem(word) for word in words(sentence)]


def contrast(good: str, bad: str) -> frozenset[str]:
    """Stems of the words in which two sentences differ: the multiset difference of their words, both ways.

    Empty when they hold the same words in another order.
    """
    ours, theirs = Counter(words(good)), Counter(words(bad))
    return frozenset(stem(word) for word in (ours - theirs) | (theirs - ours))
