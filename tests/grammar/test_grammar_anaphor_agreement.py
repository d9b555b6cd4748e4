"""Anaphor agreement: the reflexive fits the gender and the number that the lexicon gives to its antecedent."""

from __future__ import annotations

import pytest

from neurosteer.grammar import PARADIGMS, Form
from neurosteer.grammar.lexicon import NAMES, NOUNS

REFLEXIVE = {"m": "himself", "f": "herself"}
NAME_GENDER = {name.text: name.gender for name in NAMES}
NOUN_FORMS = {noun.singular: ("singular", noun) for noun in NOUNS} | {n.plural: ("plural", n) for n in NOUNS}


def antecedent(words: list[str]) -> tuple[str, str]:
    """Number and gender of the subject."""
    first, second, third, *_ = [*words, ""]
    if first in NAME_GENDER and second == "and":
        return "plural", NAME_GENDER[first] if NAME_GENDER[first] == NAME_GENDER[third] else ""
    if first in NAME_GENDER:
        return "singular", NAME_GENDER[first]
    number, noun = NOUN_FORMS[second]
    return number, noun.gender


def difference(good: str, bad: str) -> tuple[list[str], str, str, list[str]]:
    one, other = good.rstrip(".").split(), bad.rstrip(".").split()
    assert len(one) == len(other)
    [at] = [i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    return one[:at], one[at], other[at], one[at + 1 :]


@pytest.mark.parametrize("form", ["plain", "balanced"])
def test_gender(form: Form):
    wrong = set()
    for pair in PARADIGMS["anaphor_gender_agreement"].pairs(300, form=form):
        before, good, bad, after = difference(pair.good, pair.bad)
        number, gender = antecedent(before)
        assert number == "singular"
        assert good == REFLEXIVE[gender]
        assert bad in {"himself", "herself", "itself"} - {good}
        assert after
        wrong.add(bad)
    assert wrong == {"himself", "herself", "itself"} - ({"itself"} if form == "balanced" else set())


@pytest.mark.parametrize("form", ["plain", "balanced"])
def test_number(form: Form):
    """One person has a gender, else `themselves` could be right; several do not contradict the reflexive."""
    for pair in PARADIGMS["anaphor_number_agreement"].pairs(300, form=form):
        before, good, bad, after = difference(pair.good, pair.bad)
        number, gender = antecedent(before)
        if number == "singular":
            assert (good, bad) == (REFLEXIVE[gender], "themselves")
        else:
            assert good == "themselves"
            assert bad in ({REFLEXIVE[gender]} if gender else {"himself", "herself"})
        assert after


@pytest.mark.parametrize("uid", ["anaphor_gender_agreement", "anaphor_number_agreement"])
def test_cells_cross(uid: str):
    """What is good with one antecedent is bad with the other, which does the same."""
    pairs = list(PARADIGMS[uid].pairs(200, form="balanced"))
    for one, other in zip(pairs[::2], pairs[1::2], strict=True):
        assert one.item == other.item
        before, good, bad, after = difference(one.good, one.bad)
        before_too, good_too, bad_too, after_too = difference(other.good, other.bad)
        assert (good, bad, after, before[-1]) == (bad_too, good_too, after_too, before_too[-1])
        assert antecedent(before) != antecedent(before_too)
