"""One minimal pair."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from neurosteer.shown import quoted


@dataclass(frozen=True)
class Pair:
    """Two sentences that differ in as little as makes one of them ungrammatical, or false.

    Attributes:
        good: the grammatical, or true, sentence.
        bad: the other one.
        id: its name in the source.
        item: what some pairs are made from together; pairs of one item are never separated.
        part: of a lexical split, if the pair was made for one: no other part has its words.
        frame: of a balanced item: first or second.

    Example:
        >>> ns.Pair("The guests sleep.", "The guests sleeps.", id="0").bad
        'The guests sleeps.'
    """

    good: str
    bad: str
    id: str
    item: str = ""  # pairs of one item are never parted
    part: str = ""  # of a lexical split, if the pair was made for one: no other part has its words
    frame: str = ""  # of a balanced item: first or second

    def __repr__(self) -> str:
        return f"Pair({quoted(self.good)}, {quoted(self.bad)}, id={quoted(self.id)})"


def sentence_hashes(pairs: Iterable[Pair]) -> list[str]:
    """Sorted short SHA-256 hashes (16 hex digits) of the distinct sentences, to notice one seen before.

    Example:
        >>> sentence_hashes([Pair("a", "b", id="0")])
        ['3e23e8160039594a', 'ca978112ca1bbdca']
    """
    sentences = {sentence for pair in pairs for sentence in (pair.good, pair.bad)}
    return sorted(hashlib.sha256(sentence.encode()).hexdigest()[:16] for sentence in sentences)
