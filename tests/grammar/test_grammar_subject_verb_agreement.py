"""Subject-verb agreement: head noun and verb, as the lexicon has their forms, are of one number in good sentences."""

from __future__ import annotations

import pytest

from neurosteer.grammar import PARADIGMS, Form
from neurosteer.grammar.lexicon import ADJECTIVES, NAMES, NOUNS, VERBS

VERB_DIFFERS = [
    "distractor_agreement_relational_noun",
    "distractor_agreement_relative_clause",
    "irregular_plural_subject_verb_agreement_1",
    "regular_plural_subject_verb_agreement_1",
]
NOUN_DIFFERS = ["irregular_plural_subject_verb_agreement_2", "regular_plural_subject_verb_agreement_2"]
NOUN_NUMBER = {noun.singular: "singular" for noun in NOUNS} | {n.plural: "plural" for n in NOUNS if n.plural}
IRREGULAR = {form for noun in NOUNS if noun.irregular for form in (noun.singular, noun.plural)}
VERB_NUMBER = {verb.base: "plural" for verb in VERBS} | {verb.third: "singular" for verb in VERBS}
for auxiliaries in (
    "has have",
    "is are",
    "was were",
    "hasn't haven't",
    "isn't aren't",
    "wasn't weren't",
    "doesn't don't",
):
    VERB_NUMBER |= dict(zip(auxiliaries.split(), ("singular", "plural"), strict=True))
SINGULAR_DETERMINERS, PLURAL_DETERMINERS = {"a", "an", "this", "that"}, {"some", "these", "those", "many", "most"}
DETERMINERS = {"the", *SINGULAR_DETERMINERS, *PLURAL_DETERMINERS}
DESCRIBING = {adjective.text for adjective in ADJECTIVES}
NAMED = {name.text for name in NAMES}


def words(sentence: str) -> list[str]:
    first, *rest = sentence.rstrip(".").split()
    return [first if first in NAMED else first.lower(), *rest]


def noun_phrase(words: list[str], at: int) -> tuple[str, int]:
    """The number of the noun phrase that begins there, and where its noun is."""
    if words[at] in NAMED:
        return "singular", at
    assert words[at] in DETERMINERS
    noun = at + 2 if words[at + 1] in DESCRIBING and words[at + 2] in NOUN_NUMBER else at + 1
    number = NOUN_NUMBER[words[noun]]
    assert words[at] not in (PLURAL_DETERMINERS if number == "singular" else SINGULAR_DETERMINERS)
    return number, noun


def only_difference(good: list[str], bad: list[str]) -> int:
    assert len(good) == len(bad)
    [at] = [i for i, (one, other) in enumerate(zip(good, bad, strict=True)) if one != other]
    return at


def between(words: list[str], head: int, verb: int) -> str:
    """The number of the noun that stands between the head and the verb."""
    assert words[head + 1] in {"of", "about", "who", "that", "which"}
    start = next(i for i in range(head + 2, verb) if words[i] in DETERMINERS | NAMED)
    return noun_phrase(words, start)[0]


@pytest.mark.parametrize("form", ["plain", "balanced"])
@pytest.mark.parametrize("uid", VERB_DIFFERS)
def test_the_verb_agrees_with_the_head(uid: str, form: Form):
    numbers, distracting = set(), set()
    for pair in PARADIGMS[uid].pairs(300, form=form):
        good, bad = words(pair.good), words(pair.bad)
        at = only_difference(good, bad)
        number, head = noun_phrase(good, 0)
        numbers.add(number)
        assert VERB_NUMBER[good[at]] == number
        assert VERB_NUMBER[bad[at]] != number
        if uid.startswith("distractor"):
            distracting.add(between(good, head, at) != number)
        else:
            assert at == head + 1
            assert good[head] in NAMED or (good[head] in IRREGULAR) == uid.startswith("irregular")
    assert numbers == {"singular", "plural"}
    if uid.startswith("distractor"):
        assert distracting == ({True} if form == "plain" else {True, False})


@pytest.mark.parametrize("form", ["plain", "balanced"])
@pytest.mark.parametrize("uid", NOUN_DIFFERS)
def test_the_noun_agrees_with_the_verb(uid: str, form: Form):
    numbers = set()
    for pair in PARADIGMS[uid].pairs(300, form=form):
        good, bad = words(pair.good), words(pair.bad)
        at = only_difference(good, bad)
        assert good[0] == "the"
        numbers.add(number := VERB_NUMBER[good[at + 1]])
        assert noun_phrase(good, 0) == (number, at)
        assert noun_phrase(bad, 0)[0] != number
        assert (good[at] in IRREGULAR) == uid.startswith("irregular")
    assert numbers == {"singular", "plural"}


@pytest.mark.parametrize("uid", VERB_DIFFERS + NOUN_DIFFERS)
def test_cells_cross(uid: str):
    """What is good in one frame is bad in the other; a noun in between is the same in both."""
    pairs = list(PARADIGMS[uid].pairs(200, form="balanced"))
    for one, other in zip(pairs[::2], pairs[1::2], strict=True):
        assert one.item == other.item
        cells = [(words(pair.good), words(pair.bad)) for pair in (one, other)]
        (at, good, bad), (at_too, good_too, bad_too) = ((only_difference(*cell), *cell) for cell in cells)
        assert (good[at], bad[at]) == (bad_too[at_too], good_too[at_too])
        assert good[at + 2 :] == good_too[at_too + 2 :]
        if uid.startswith("distractor"):
            heads = noun_phrase(good, 0)[1], noun_phrase(good_too, 0)[1]
            assert good[heads[0] + 1 : at] == good_too[heads[1] + 1 : at_too]
