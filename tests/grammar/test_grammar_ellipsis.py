"""Ellipsis: of what follows a number, the good sentence has no adjective without its noun, the bad one has."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

import pytest

from neurosteer.grammar import ellipsis
from neurosteer.grammar.lexicon import ADJECTIVES, NOUNS
from neurosteer.grammar.paradigm import Form, Made, Paradigm

FORMS: tuple[Form, Form] = ("plain", "balanced")
NUMBERS = {"one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "several"}
ALONE = {"hers", "none", "ours", "theirs", "yours"}  # never before a noun
SINGULAR, PLURAL = {noun.singular for noun in NOUNS}, {noun.plural for noun in NOUNS}
OLD = {adjective.text for adjective in ADJECTIVES}
PARADIGMS = [value for value in vars(ellipsis).values() if isinstance(value, Paradigm)]


@cache
def pairs(paradigm: Paradigm, form: Form) -> tuple[Made, ...]:
    return tuple(paradigm.pairs(300, seed=1, form=form))


def phrases(sentence: str) -> list[tuple[str, str, str]]:
    """Quantifier, adjective and noun of the two phrases, with "" for what is missing."""
    tokens = [*re.findall(r"\w+", sentence.lower()), "", ""]
    found = []
    for i, word in enumerate(tokens):
        if word in NUMBERS | ALONE:
            old = tokens[i + 1] if tokens[i + 1] in OLD else ""
            noun = tokens[i + 1 + bool(old)]
            found.append((word, old, noun if noun in SINGULAR | PLURAL else ""))
    assert len(found) == 2, sentence
    return found


def right(sentence: str) -> bool:
    for number, _, noun in phrases(sentence):
        assert not noun or number in ALONE or noun in (SINGULAR if number == "one" else PLURAL), sentence
    assert any(noun for _, _, noun in phrases(sentence)), sentence  # that is what the other phrase means
    return not any((number in ALONE) if noun else bool(old) for number, old, noun in phrases(sentence))


def frame(sentence: str) -> list[str]:
    """The rest of the sentence."""
    left_out = {word for phrase in phrases(sentence) for word in phrase}
    return [word for word in re.findall(r"\w+", sentence.lower()) if word not in left_out]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("paradigm", PARADIGMS, ids=lambda paradigm: paradigm.uid)
def test_only_the_good_sentence_keeps_the_rule(paradigm: Paradigm, form: Form):
    for pair in pairs(paradigm, form):
        assert right(pair.good), pair.good
        assert not right(pair.bad), pair.bad


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("paradigm", PARADIGMS, ids=lambda paradigm: paradigm.uid)
def test_pairs_differ_in_adjective_and_noun(paradigm: Paradigm, form: Form):
    for pair in pairs(paradigm, form):
        assert frame(pair.good) == frame(pair.bad)
        assert len(pair.good.split()) == len(pair.bad.split())
        assert [number for number, _, _ in phrases(pair.good)] == [number for number, _, _ in phrases(pair.bad)]
        if paradigm.uid == "ellipsis_n_bar_1":
            assert Counter(re.findall(r"\w+", pair.good)) == Counter(re.findall(r"\w+", pair.bad))


@pytest.mark.parametrize("paradigm", PARADIGMS, ids=lambda paradigm: paradigm.uid)
def test_cells_cross(paradigm: Paradigm):
    """An adjective or a noun is there in the good sentence of one pair as it is in the bad one of the other."""
    made = pairs(paradigm, "balanced")
    assert [paradigm.uid for paradigm in PARADIGMS] == ["ellipsis_n_bar_1", "ellipsis_n_bar_2"]
    for a, b in zip(made[::2], made[1::2], strict=True):
        one, other, third, fourth = (phrases(s) for s in (a.good, a.bad, b.good, b.bad))
        assert a.item == b.item
        if paradigm.uid == "ellipsis_n_bar_1":  # the adjective first or last
            assert [bool(old) for _, old, _ in one] == [bool(old) for _, old, _ in fourth] == [True, False]
            assert [bool(old) for _, old, _ in other] == [bool(old) for _, old, _ in third] == [False, True]
        else:  # a noun in both phrases, or in one
            assert [len([noun for _, _, noun in p if noun]) for p in (one, other, third, fourth)] == [2, 1, 1, 2]
        words = [Counter(re.findall(r"\w+", s)) for s in (a.good, b.good, a.bad, b.bad)]
        assert words[0] + words[1] == words[2] + words[3]
