"""Irregular forms: the past as the verb, the participle after `have` and before a noun."""

from __future__ import annotations

import pytest

from neurosteer.grammar import PARADIGMS, Form
from neurosteer.grammar.lexicon import ADJECTIVES, NAMES, NOUNS, VERBS

UIDS = ["irregular_past_participle_adjectives", "irregular_past_participle_verbs"]
FORMS: dict[str, set[str]] = {}  # what each form is
for verb in VERBS:
    for kind in ("base", "third", "past", "participle"):
        FORMS.setdefault(getattr(verb, kind), set()).add(kind)
BASE = {form: verb.base for verb in VERBS for form in (verb.past, verb.participle)}
HAVE = {"have", "has", "had"}
NOUN_FORMS = {form for noun in NOUNS for form in (noun.singular, noun.plural)}
NAMED = {name.text for name in NAMES}
DETERMINERS = {"the", "a", "an", "some", "this", "that", "these", "those"}
DESCRIBING = {adjective.text for adjective in ADJECTIVES}


def difference(good: str, bad: str) -> tuple[list[str], str, str, list[str]]:
    """What comes before the verb, without an adverb, its good and its bad form, and what follows."""
    one, other = good.rstrip(".").split(), bad.rstrip(".").split()
    assert len(one) == len(other)
    [at] = [i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    before = one[:at]
    if before[-1].endswith("ly") and before[-1] not in NAMED:
        before.pop()
    return before, one[at], other[at], one[at + 1 :]


@pytest.mark.parametrize("form", ["plain", "balanced"])
@pytest.mark.parametrize("uid", UIDS)
def test_the_place_decides(uid: str, form: Form):
    places = set()
    for pair in PARADIGMS[uid].pairs(300, form=form):
        before, good, bad, after = difference(pair.good, pair.bad)
        attributive = before[-1].lower() == "the" and after[0] in NOUN_FORMS
        perfect = before[-1] in HAVE
        alone = before[-1] in NAMED | NOUN_FORMS
        assert attributive + perfect + alone == 1
        wanted, unwanted = ("past", "participle") if alone else ("participle", "past")
        assert FORMS[good] == {wanted}
        assert FORMS[bad] == {unwanted}
        assert BASE[good] == BASE[bad]
        if attributive:
            assert set(after[1:]) & (
                DESCRIBING | {"in", "on", "at", "near", "by", "before", "after", "during", "outside"}
            )
        elif uid == "irregular_past_participle_adjectives":
            assert after[0] in DETERMINERS
        places.add("attributive" if attributive else "perfect" if perfect else "alone")
    other = "attributive" if uid == "irregular_past_participle_adjectives" else "perfect"
    first = other if other == "attributive" else "alone"
    assert places == ({first} if form == "plain" else {other, "alone"})


@pytest.mark.parametrize("uid", UIDS)
def test_cells_cross(uid: str):
    """What is good in one place is bad in the other."""
    pairs = list(PARADIGMS[uid].pairs(200, form="balanced"))
    for one, other in zip(pairs[::2], pairs[1::2], strict=True):
        assert one.item == other.item
        _, good, bad, _ = difference(one.good, one.bad)
        _, good_too, bad_too, _ = difference(other.good, other.bad)
        assert (good, bad) == (bad_too, good_too)
