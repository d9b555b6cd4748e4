"""Filler and gap: a sentence is right if it has both or neither, whatever words stand there."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import NamedTuple

import pytest

from neurosteer.grammar import PARADIGMS, Form, Made
from neurosteer.grammar.lexicon import ADJECTIVES, NAMES, NOUNS, VERBS

DETERMINERS = {"the", "a", "an", "some", "this", "that", "these", "those"}
NAMED = {name.text for name in NAMES}
PEOPLE = {form for noun in NOUNS if noun.kind == "person" for form in (noun.singular, noun.plural)} | NAMED
NOUN_FORMS = {form for noun in NOUNS for form in (noun.singular, noun.plural)}
KINDS = {noun.kind for noun in NOUNS}
ADJECTIVAL = {word.text for word in ADJECTIVES if word.kind in KINDS} - NOUN_FORMS
NOMINAL = NOUN_FORMS | ADJECTIVAL
DESCRIBING = DETERMINERS | ADJECTIVAL
AUXILIARIES = {"had", "would", "could", "should", "might"}
ADVERBS = {"often", "fact", "likely", "course", "reason", "likelihood", "doubt"}  # or in -ly
KNOWING = {form for verb in VERBS if verb.frame == "learn" for form in (verb.base, verb.past, verb.participle)}
TAKING = {form for verb in VERBS if verb.frame == "transitive" for form in (verb.base, verb.past, verb.participle)}
ALONE = {"hide", "hid", "hidden", "lose", "lost", "assemble", "assembled", "applaud", "applauded", "hug", "hugged"}
SWAPPED_WORD = [uid for uid in PARADIGMS if uid.startswith("wh_vs_that")]
SWAPPED_OBJECT = ["wh_questions_object_gap"]
SWAPPED_SUBJECT = ["wh_questions_subject_gap", "wh_questions_subject_gap_long_distance"]
ALL = [*SWAPPED_WORD, *SWAPPED_OBJECT, *SWAPPED_SUBJECT]


@cache
def made(uid: str, form: Form) -> list[Made]:
    return list(PARADIGMS[uid].pairs(200, form=form))


class Clause(NamedTuple):
    word: str  # who, what, that, or "relative"
    subject: bool
    object: bool
    verb: str
    last: str  # of the object

    @property
    def filler(self) -> bool:
        return self.word != "that"

    @property
    def right(self) -> bool:
        """One thing is missing after a filler, nothing without."""
        return self.filler == (self.subject + self.object == 1) and self.subject + self.object > 0


def nouns_after(word: str) -> set[str]:
    """What is a noun there, and not a verb: all after an article."""
    return NOUN_FORMS if word == "that" else TAKING if word in DESCRIBING else set()


def clause(sentence: str) -> Clause:
    """What stands after the first verb of knowing."""
    words = sentence.rstrip(".").replace(",", "").split()
    knowing = next(i for i, word in enumerate(words) if word in KNOWING)
    word, following = words[knowing + 1 : knowing + 3]
    if word not in ("who", "what") and (word != "that" or following in NOMINAL):
        assert word in DETERMINERS
        word = "relative"
    at = max(i for i, w in enumerate(words) if w in TAKING - nouns_after(words[i - 1]))
    before = words[at - 2 if words[at - 1] in AUXILIARIES else at - 1]
    subject = not (before in ("who", "that") or before in ADVERBS or (before.endswith("ly") and before not in NAMED))
    rest = words[at + 1 :]
    filled = bool(rest) and (rest[0] in DETERMINERS or rest[0] in NAMED)
    noun = next((w for w in rest if w in NOMINAL | NAMED and w not in DESCRIBING), "") if filled else ""
    return Clause(word, subject, filled, words[at], noun)


@pytest.mark.parametrize("form", ["plain", "balanced"])
@pytest.mark.parametrize("uid", ALL)
def test_a_filler_and_a_gap_go_together(uid: str, form: Form):
    for pair in made(uid, form):
        good, bad = clause(pair.good), clause(pair.bad)
        assert good.right, pair.good
        assert not bad.right, pair.bad
        assert good.verb == bad.verb
        assert good.verb not in ALONE


@pytest.mark.parametrize("form", ["plain", "balanced"])
@pytest.mark.parametrize("uid", SWAPPED_WORD)
def test_one_word_decides(uid: str, form: Form):
    for pair in made(uid, form):
        [words] = [set(two) for two in zip(pair.good.split(), pair.bad.split(), strict=True) if two[0] != two[1]]
        assert words in ({"who", "that"}, {"what", "that"})
        good, bad = clause(pair.good), clause(pair.bad)
        assert good[1:] == bad[1:]
        if form == "plain":
            assert good.object == ("no_gap" in uid)
        if good.object:
            assert bad.word == ("who" if bad.last in PEOPLE else "what")
        if "long" in uid:
            before = pair.good.split(f" {good.verb}")[0].split()[1:]
            assert sum(word in ("that", "who", "what") for word in before) == 2  # one is of the relative clause


@pytest.mark.parametrize("uid", [*SWAPPED_OBJECT, *SWAPPED_SUBJECT])
def test_what_is_missing_decides(uid: str):
    """In the balanced form the filler stays and the gap goes; in the plain one `the vase that` becomes `what`."""
    for pair in made(uid, "balanced"):
        good, bad = clause(pair.good), clause(pair.bad)
        assert good.word == bad.word
        assert (good.subject != bad.subject) == (uid in SWAPPED_SUBJECT)
        assert (good.object != bad.object) == (uid in SWAPPED_OBJECT)
    for pair in made(uid, "plain"):
        good, bad = Counter(pair.good.rstrip(".").split()), Counter(pair.bad.rstrip(".").split())
        assert good - bad == Counter(["that"])
        assert bad - good in (Counter(["who"]), Counter(["what"]))


@pytest.mark.parametrize("uid", ALL)
def test_the_second_pair_crosses_the_first(uid: str):
    """Each word of an item is as often in good sentences as in bad ones, and what was right is wrong."""
    pairs = made(uid, "balanced")
    for a, b in zip(pairs[::2], pairs[1::2], strict=True):
        assert a.item == b.item
        assert Counter(f"{a.good} {b.good}".split()) == Counter(f"{a.bad} {b.bad}".split())
        assert len(a.good.split()) == len(a.bad.split())
        assert a.good.split()[-1] == a.bad.split()[-1]
        assert {clause(a.good).filler, clause(b.good).filler} == {True, False}
