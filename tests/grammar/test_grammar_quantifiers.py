"""Quantifiers: each kind stands where a rule of its own says that it may, and only there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from functools import cache

import pytest

from neurosteer.grammar import quantifiers
from neurosteer.grammar.lexicon import NAMES, NOUNS
from neurosteer.grammar.paradigm import Form, Made, Paradigm

FORMS: tuple[Form, Form] = ("plain", "balanced")
STRONG = {"all", "each", "every", "most"}
WEAK = {"a", "an", "few", "five", "four", "many", "no", "several", "some", "three", "two"}
BE = {"is", "are", "was", "were"}
SINGULAR, PLURAL = {noun.singular for noun in NOUNS}, {noun.plural for noun in NOUNS}
GENDERS = {form: noun.gender for noun in NOUNS for form in (noun.singular, noun.plural)}
NAMED = {name.text.lower(): name.gender for name in NAMES}


@cache
def pairs(paradigm: Paradigm, form: Form) -> tuple[Made, ...]:
    return tuple(paradigm.pairs(300, seed=1, form=form))


def words(sentence: str) -> list[str]:
    return re.findall(r"\w+", sentence.lower())


def quantified(tokens: list[str]) -> str:
    """The quantifier of the subject, which agrees with its noun and the verb."""
    place = next(i for i, word in enumerate(tokens) if word in STRONG | WEAK | {"any"})
    be = next(word for word in tokens if word in BE)
    assert tokens[place + 1] in (SINGULAR if be in ("is", "was") else PLURAL), tokens
    if tokens[place] in ("a", "an", "each", "every"):
        assert be in ("is", "was"), tokens
    if tokens[place] in STRONG - {"each", "every"} or tokens[place] in WEAK - {"a", "an", "no", "some"}:
        assert be in ("are", "were"), tokens
    return tokens[place]


def exists(sentence: str) -> bool:
    """Weak after `there`, strong before an exception, whose name fits the noun."""
    tokens = words(sentence)
    if "but" not in tokens:
        assert tokens[0] == "there"
        return quantified(tokens) in WEAK
    noun, other = tokens[tokens.index("but") - 1], tokens[tokens.index("but") + 1]
    assert other in ("this", "that") or GENDERS[noun] in ("", NAMED[other])
    return quantified(tokens) in STRONG


def there_or_not(sentence: str) -> bool:
    """Strong before the verb, `any` after `not`."""
    tokens = words(sentence)
    quantifier = quantified(tokens)
    if quantifier == "any":
        return "not" in tokens[: tokens.index("any")]
    assert quantifier in STRONG
    return tokens[0] != "there"


def compared(sentence: str) -> bool:
    """Superlative modifiers with `as many as`, comparative ones with a number under `no`."""
    tokens = words(sentence)
    superlative = "at least" in sentence or "at most" in sentence
    assert superlative != ("more than" in sentence or "fewer than" in sentence)
    assert (tokens[0] == "no") != ("as many" in sentence)
    return superlative == ("as many" in sentence)


def under_no(sentence: str) -> bool:
    """`any` under `no`, a superlative quantifier elsewhere."""
    superlative = "at least" in sentence or "at most" in sentence
    assert superlative != (" any " in sentence)
    return superlative != (words(sentence)[0] == "no")


RULES: dict[str, Callable[[str], bool]] = {
    "existential_there_quantifiers_1": exists,
    "existential_there_quantifiers_2": there_or_not,
    "superlative_quantifiers_1": compared,
    "superlative_quantifiers_2": under_no,
}
REPLACED = {  # what the bad sentence has for what the good one has
    "existential_there_quantifiers_1": STRONG | WEAK,
    "existential_there_quantifiers_2": set(),
    "superlative_quantifiers_1": {"more", "fewer", "than", "at", "least", "most"},
    "superlative_quantifiers_2": {"no", "a", "an", "each", "every", "some", "that", "the", "this"},
}
PARADIGMS = [value for value in vars(quantifiers).values() if isinstance(value, Paradigm)]


def test_every_paradigm_has_a_rule():
    assert {paradigm.uid for paradigm in PARADIGMS} == set(RULES)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("paradigm", PARADIGMS, ids=lambda paradigm: paradigm.uid)
def test_only_the_good_sentence_keeps_the_rule(paradigm: Paradigm, form: Form):
    for pair in pairs(paradigm, form):
        assert RULES[paradigm.uid](pair.good), pair.good
        assert not RULES[paradigm.uid](pair.bad), pair.bad


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("paradigm", PARADIGMS, ids=lambda paradigm: paradigm.uid)
def test_pairs_differ_in_the_quantifier(paradigm: Paradigm, form: Form):
    for pair in pairs(paradigm, form):
        good, bad = words(pair.good), words(pair.bad)
        changed = (Counter(good) - Counter(bad)) + (Counter(bad) - Counter(good))
        assert len(good) == len(bad)
        assert good[-1] == bad[-1]
        assert changed.keys() <= REPLACED[paradigm.uid], pair
        assert bool(changed) == bool(REPLACED[paradigm.uid])


@pytest.mark.parametrize("paradigm", PARADIGMS, ids=lambda paradigm: paradigm.uid)
def test_cells_cross(paradigm: Paradigm):
    """What makes the first pair good makes the second one bad."""
    made = pairs(paradigm, "balanced")
    for a, b in zip(made[::2], made[1::2], strict=True):
        one, other = words(a.good), words(a.bad)
        assert a.item == b.item
        assert Counter(one + words(b.good)) == Counter(other + words(b.bad))
        if paradigm.uid == "existential_there_quantifiers_2":
            assert (one[0], other[0], words(b.good)[0], words(b.bad)[0]) == (
                words(b.bad)[0],
                "there",
                "there",
                one[0],
            )
        else:
            assert Counter(one) - Counter(other) == Counter(words(b.bad)) - Counter(words(b.good))
