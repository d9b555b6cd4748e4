"""Binding: the antecedents are looked up in the lexicon, and which of them a reflexive may have is told by order."""

from __future__ import annotations

from functools import cache

import pytest

from neurosteer.grammar import PARADIGMS, Form, Made
from neurosteer.grammar.lexicon import NAMES, NOUNS, VERBS

REFLEXIVES = {"m": "himself", "f": "herself"}
NOMINATIVES = {"himself": "he", "herself": "she", "themselves": "they"}
ACCUSATIVES = {"himself": "him", "herself": "her", "themselves": "them"}
DETERMINERS = {"the", "a", "an", "some", "this", "that", "these", "those"}
OF_NAME = {name.text: REFLEXIVES[name.gender] for name in NAMES}
OF_NOUN = {noun.plural: "themselves" for noun in NOUNS if noun.kind == "person"}
OF_NOUN |= {noun.singular: REFLEXIVES[noun.gender] for noun in NOUNS if noun.gender}
OF_NOUN |= {noun.singular: "itself" for noun in NOUNS if noun.kind == "thing"}
BASE_OF_PAST = {verb.past: verb.base for verb in VERBS}
BASE_OF_PROGRESSIVE = {verb.progressive: verb.base for verb in VERBS}
ALL = [uid for uid in PARADIGMS if uid.startswith("principle_A")]
FORMS: tuple[Form, ...] = ("plain", "balanced")


@cache
def made(uid: str, form: Form) -> list[Made]:
    return list(PARADIGMS[uid].pairs(200 if form == "plain" else 300, form=form))


def split(sentence: str) -> list[str]:
    return sentence.rstrip(".").split()


def noun_phrase(words: list[str], i: int) -> str | None:
    """The reflexive of the person or thing whose noun or name stands at i."""
    after_determiner = i > 0 and words[i - 1].lower() in DETERMINERS
    return OF_NAME.get(words[i]) or (OF_NOUN.get(words[i]) if after_determiner else None)


def antecedents(words: list[str]) -> list[str]:
    return [self for i in range(len(words)) if (self := noun_phrase(words, i))]


def differing(pair: Made) -> tuple[list[str], int, str, str]:
    """The good sentence's words, and where the only difference is, and its two sides."""
    good, bad = split(pair.good), split(pair.bad)
    [(i, one, other)] = [(i, a, b) for i, (a, b) in enumerate(zip(good, bad, strict=True)) if a != b]
    return good, i, one, other


def items(uid: str) -> list[tuple[Made, Made]]:
    pairs = made(uid, "balanced")
    assert all(one.item == other.item for one, other in zip(pairs[::2], pairs[1::2], strict=True))
    return list(zip(pairs[::2], pairs[1::2], strict=True))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("uid", "right"), [("principle_A_c_command", 0), ("principle_A_domain_2", 1)])
def test_the_reflexive_is_that_of_the_right_antecedent(uid: str, right: int, form: Form):
    """The head of a subject, which comes before what is inside it; the second of two subjects."""
    for pair in made(uid, form):
        words, i, good, bad = differing(pair)
        selves = antecedents(words[:i])
        assert (good, bad) == (selves[right], selves[1 - right])
        assert len(selves) == 2
        if uid == "principle_A_c_command":
            assert {"who", "that", "near", "beside", "behind", "with"} & set(words[2:i])


@pytest.mark.parametrize("form", FORMS)
def test_domain_3_exchanges_the_subjects(form: Form):
    for pair in made("principle_A_domain_3", form):
        good, bad = split(pair.good), split(pair.bad)
        assert sorted(map(str.lower, good)) == sorted(map(str.lower, bad))
        [self] = {"himself", "herself", "themselves"} & set(good)
        for words, local in ((good, True), (bad, False)):
            first, second = antecedents(words[: words.index(self)])
            assert (second == self) is local
            assert (first == self) is not local


def test_domain_1():
    """A pronoun whose antecedent is the first subject, and no reflexive with it across the second."""
    for pair in made("principle_A_domain_1", "plain"):
        words, i, good, bad = differing(pair)
        first, second = antecedents(words[:i])
        assert bad == first != second
        assert good == ACCUSATIVES[first]


def test_domain_1_balanced():
    """One reflexive a sentence, in either clause: it is that of the clause's subject in the good sentence only."""
    places = set()
    for pair in made("principle_A_domain_1", "balanced"):
        assert sorted(split(pair.good)) == sorted(split(pair.bad))
        for words, right in ((split(pair.good), True), (split(pair.bad), False)):
            [at] = [i for i, word in enumerate(words) if word in ACCUSATIVES]
            [other] = [i for i, word in enumerate(words) if word == ACCUSATIVES[words[at]]]
            assert words[min(at, other) + 1] == "that"
            assert (antecedents(words[:at])[-1] == words[at]) is right
            places.add((at < other, right))
    assert len(places) == 4


def test_case_1():
    """After `that`, a nominative with the gender and number of the first subject."""
    for pair in made("principle_A_case_1", "plain"):
        words, i, good, bad = differing(pair)
        assert words[i - 1] == "that"
        assert good == NOMINATIVES[bad]
        assert antecedents(words[:i]) == [bad]


def test_case_1_balanced():
    """A nominative before a finite verb, a reflexive before a participle."""
    for pair in made("principle_A_case_1", "balanced"):
        words, i, good, bad = differing(pair)
        participle = words[i + 1] in BASE_OF_PROGRESSIVE
        assert participle or words[i + 1] in BASE_OF_PAST
        self = good if participle else bad
        assert {good, bad} == {self, NOMINATIVES[self]}
        assert antecedents(words[:i]) == [self]


@pytest.mark.parametrize("form", FORMS)
def test_case_2(form: Form):
    """A participle after a reflexive, the past of the same verb after a nominative."""
    before = set()
    for pair in made("principle_A_case_2", form):
        words, i, good, bad = differing(pair)
        reflexive = words[i - 1] in NOMINATIVES
        assert reflexive or words[i - 1] in NOMINATIVES.values()
        before.add(reflexive)
        sleeping, slept = (good, bad) if reflexive else (bad, good)
        assert BASE_OF_PROGRESSIVE[sleeping] == BASE_OF_PAST[slept]
    assert before == ({True, False} if form == "balanced" else {True})


@pytest.mark.parametrize("form", FORMS)
def test_reconstruction(form: Form):
    """After a reflexive in front its antecedent is the subject, after an idea it is the object."""
    for pair in made("principle_A_reconstruction", form):
        good, bad = split(pair.good), split(pair.bad)
        assert sorted(good) == sorted(bad)
        front = good[2] in NOMINATIVES
        clause = 4 if front else 5
        assert good[:clause] == bad[:clause]
        assert good[clause - 1] in ("that", "who")
        for words, subject_first in ((good, front), (bad, not front)):
            assert (words[clause] in DETERMINERS | OF_NAME.keys()) is subject_first
            [self] = antecedents(words[clause:])
            assert not front or self == words[2]


@pytest.mark.parametrize(
    "uid", ["principle_A_c_command", "principle_A_case_1", "principle_A_case_2", "principle_A_domain_2"]
)
def test_cells_cross(uid: str):
    """What is good in one frame of an item is bad in the other."""
    for one, other in items(uid):
        _, _, good, bad = differing(one)
        assert differing(other)[2:] == (bad, good)


@pytest.mark.parametrize(
    ("uid", "decides"),
    [
        (
            "principle_A_domain_1",
            lambda words: [word for word in words if word in {*ACCUSATIVES, *ACCUSATIVES.values()}],
        ),
        ("principle_A_domain_3", lambda words: [word.lower() for word in words if word not in ACCUSATIVES]),
        ("principle_A_reconstruction", lambda words: words[4:] if words[2] in ACCUSATIVES else words[5:]),
    ],
)
def test_orders_cross(uid: str, decides):
    """The same for those whose pairs differ in the order of words."""
    for one, other in items(uid):
        good, bad, good_too, bad_too = (decides(split(s)) for s in (one.good, one.bad, other.good, other.bad))
        assert good == bad_too != bad == good_too


def test_all_are_here():
    assert len(ALL) == 7
