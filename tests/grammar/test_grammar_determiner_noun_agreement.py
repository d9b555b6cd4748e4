"""Determiner-noun agreement: `this` and a singular, `these` and a plural, as the lexicon has the noun's forms."""

from __future__ import annotations

import pytest

from neurosteer.grammar import PARADIGMS, Form
from neurosteer.grammar.lexicon import ADJECTIVES, NOUNS, VERBS

UIDS = [
    "determiner_noun_agreement_1",
    "determiner_noun_agreement_2",
    "determiner_noun_agreement_irregular_1",
    "determiner_noun_agreement_irregular_2",
    "determiner_noun_agreement_with_adjective_1",
    "determiner_noun_agreement_with_adj_2",
    "determiner_noun_agreement_with_adj_irregular_1",
    "determiner_noun_agreement_with_adj_irregular_2",
]
NUMBER = {"this": "singular", "that": "singular", "these": "plural", "those": "plural"}
PARTNER = {"this": "these", "these": "this", "that": "those", "those": "that"}
NOUN_NUMBER = {noun.singular: "singular" for noun in NOUNS} | {n.plural: "plural" for n in NOUNS if n.plural}
LEMMA = {form: noun for noun in NOUNS for form in (noun.singular, noun.plural)}
DESCRIBING = {adjective.text for adjective in ADJECTIVES}
IN_BOTH_NUMBERS = {"people", "dice", "cactus", "criteria", "crab", "duck"}
BEFORE_CLAUSES = {
    form
    for verb in VERBS
    if verb.frame in ("report", "learn", "perceive", "tell", "object_raise")
    for form in (verb.base, verb.past, verb.participle)
}


def phrase(uid: str, sentence: str, other: str) -> tuple[str, list[str], str, list[str]]:
    """What precedes the noun phrase that differs, its determiner and adjectives, its noun, and what follows."""
    words, bad = sentence.rstrip(".").split(), other.rstrip(".").split()
    assert len(words) == len(bad)
    [at] = [i for i, (one, two) in enumerate(zip(words, bad, strict=True)) if one != two]
    distance = 2 if "_adj" in uid else 1
    determiner, noun = (at - distance, at) if uid.endswith("_1") else (at, at + distance)
    return words[determiner - 1], words[determiner:noun], words[noun], words[noun + 1 :]


@pytest.mark.parametrize("form", ["plain", "balanced"])
@pytest.mark.parametrize("uid", UIDS)
def test_determiner_and_noun_are_of_one_number(uid: str, form: Form):
    seen = set()
    for pair in PARADIGMS[uid].pairs(300, form=form):
        before, (determiner, *adjectives), noun, after = phrase(uid, pair.good, pair.bad)
        _, (bad_determiner, *_), bad_noun, _ = phrase(uid, pair.bad, pair.good)
        assert NUMBER[determiner] == NOUN_NUMBER[noun]
        assert NUMBER[bad_determiner] != NOUN_NUMBER[bad_noun]
        assert LEMMA[noun] == LEMMA[bad_noun]
        assert bad_determiner in (determiner, PARTNER[determiner])
        assert LEMMA[noun].irregular == ("irregular" in uid)
        assert set(adjectives) <= DESCRIBING
        assert after
        assert noun not in IN_BOTH_NUMBERS
        assert bad_noun not in IN_BOTH_NUMBERS
        assert before not in BEFORE_CLAUSES
        seen.add((determiner, NOUN_NUMBER[noun]))
    assert len(seen) == 4


@pytest.mark.parametrize("uid", UIDS)
def test_cells_cross(uid: str):
    """What is good in one frame is bad in the other, and all else is the same."""
    pairs = list(PARADIGMS[uid].pairs(200, form="balanced"))
    for one, other in zip(pairs[::2], pairs[1::2], strict=True):
        assert one.item == other.item
        cells = [
            phrase(uid, *sentences)
            for sentences in (
                (one.good, one.bad),
                (one.bad, one.good),
                (other.good, other.bad),
                (other.bad, other.good),
            )
        ]
        critical = [noun if uid.endswith("_1") else determiner for _, (determiner, *_), noun, _ in cells]
        assert critical[:2] == critical[:1:-1]
        kept = {(before, *adjectives, *after) for before, (_, *adjectives), _, after in cells}
        assert len(kept) == 1
