"""Islands: a sentence is right if every verb has what it needs and nothing was moved out of an island."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache

import pytest

from neurosteer.grammar import PARADIGMS, Form, Made
from neurosteer.grammar.lexicon import ADJECTIVES, NAMES, NOUNS, VERBS

DETERMINERS = {"the", "a", "an", "some", "this", "that", "these", "those"}
GENDERS = {name.text: name.gender for name in NAMES}
OPENING = DETERMINERS | GENDERS.keys() | {"him", "her", "them", "it"}  # of a noun phrase
NOUN_FORMS = {form for noun in NOUNS for form in (noun.singular, noun.plural)}
AUXILIARIES = {"did", "had", "will", "would", "could", "should", "might", "must"}
STRANDED = {"for", "with", "from"}


@cache
def made(uid: str, form: Form) -> list[Made]:
    return list(PARADIGMS[uid].pairs(200, form=form))


def forms(frame: str) -> set[str]:
    verbs = [verb for verb in VERBS if verb.frame == frame]
    return {form for verb in verbs for form in (verb.base, verb.past, verb.participle, verb.progressive)}


TAKING, ALONE = forms("transitive"), forms("intransitive")
ADJECTIVAL = {word.text for word in ADJECTIVES} - NOUN_FORMS - TAKING
DESCRIBING = (DETERMINERS - {"that"}) | ADJECTIVAL | {"which", "what", "whose", "many"}


def words_of(sentence: str) -> list[str]:
    words = sentence.rstrip("?").split()
    return [words[0] if words[0] in GENDERS else words[0].lower(), *words[1:]]


def verbs(words: list[str]) -> list[int]:
    """Where they stand: such a word after an article is a noun."""
    return [i for i, word in enumerate(words) if word in TAKING | ALONE and words[i - 1] not in DESCRIBING]


def out_of_an_island(words: list[str]) -> bool:
    """The verb in the island keeps its object, if it takes one, and the other verb loses it to `who`."""
    asked = words[0] in ("who", "what", "which")
    one, other = verbs(words)

    def inside(i: int) -> bool:
        at = i - 2 if words[i - 1] in AUXILIARIES else i - 1
        relative = at > 0 and words[at] in ("that", "who")
        return relative or words[at] in ("after", "before", "while", "without") or words[at].endswith(("'s", "'"))

    assert inside(one) != inside(other)
    inner, outer = (one, other) if inside(one) else (other, one)
    assert words[outer] in TAKING
    filled = {i: i + 1 < len(words) and words[i + 1] in OPENING for i in (inner, outer)}
    return asked != filled[outer] and filled[inner] == (words[inner] in TAKING)


def out_of_a_conjunct(words: list[str]) -> bool:
    """`and` joins two who act, before the verb; `with` somebody comes after it."""
    [verb] = verbs(words)
    [link] = [i for i, word in enumerate(words) if word in ("and", "with", "alongside", "near", "beside")]
    assert words[0] in ("who", "what", "which")
    return (words[link] == "and") == (link < verb)


def off_its_noun(words: list[str]) -> bool:
    """`which boys` is one object, `which` and `boys` apart are two: of the verb and of a stranded preposition."""
    which = next(i for i, word in enumerate(words) if word in ("which", "what", "whose", "many"))
    objects = 1 if words[which + 1] in NOUN_FORMS else 2
    return objects == 1 + len(STRANDED & set(words))


def out_of_a_question(words: list[str]) -> bool:
    """With a subject behind it the word is what was asked for, else the subject, and the first `who` is asked for."""
    at = max(i for i, word in enumerate(words) if word in ("who", "he", "she", "they") and i)
    other_subject = words[at + 1].removesuffix("'s") in GENDERS
    assert other_subject == (words[0] in AUXILIARIES)
    return (words[at] == "who") == other_subject


RULES: dict[str, Callable[[list[str]], bool]] = {
    "adjunct_island": out_of_an_island,
    "complex_NP_island": out_of_an_island,
    "sentential_subject_island": out_of_an_island,
    "coordinate_structure_constraint_object_extraction": out_of_a_conjunct,
    "coordinate_structure_constraint_complex_left_branch": off_its_noun,
    "left_branch_island_echo_question": off_its_noun,
    "left_branch_island_simple_question": off_its_noun,
    "wh_island": out_of_a_question,
}
LEFT_BRANCHES = [uid for uid, rule in RULES.items() if rule is off_its_noun]
REORDERED = [uid for uid in RULES if uid != "wh_island"]


@pytest.mark.parametrize("form", ["plain", "balanced"])
@pytest.mark.parametrize("uid", RULES)
def test_only_the_good_one_obeys_the_island(uid: str, form: Form):
    for pair in made(uid, form):
        assert RULES[uid](words_of(pair.good)), pair.good
        assert not RULES[uid](words_of(pair.bad)), pair.bad


@pytest.mark.parametrize("uid", REORDERED)
def test_a_pair_has_the_same_words(uid: str):
    linking = uid == "coordinate_structure_constraint_object_extraction"
    for form in ("plain", *(() if linking else ("balanced",))):
        for pair in made(uid, form):
            assert sorted(words_of(pair.good)) == sorted(words_of(pair.bad))
            assert words_of(pair.good) != words_of(pair.bad)


@pytest.mark.parametrize("uid", LEFT_BRANCHES)
def test_which_stands_where_the_paradigm_says(uid: str):
    """In situ in an echo question, else in front; and with its noun in the good one of a plain pair."""
    for pair in made(uid, "plain"):
        good, bad = words_of(pair.good), words_of(pair.bad)
        front = good[0] in ("which", "what", "whose", "how")
        assert front != uid.startswith("left_branch_island_echo")
        assert bad[0] in ("which", "what", "whose", "how")
        assert bad[2 if bad[0] == "how" else 1] in AUXILIARIES
        assert ("and" in good) == uid.startswith("coordinate")


def test_no_heavy_noun_phrase_stands_last_in_a_balanced_adjunct():
    """It could be put there in good English: `did he greet after lunch the man from the village`."""
    for pair in made("adjunct_island", "balanced"):
        words = words_of(pair.bad)
        if words[0] in AUXILIARIES:
            last = next(i for i, word in enumerate(words) if word in ALONE and word.endswith("ing")) + 1
            assert words[last] in GENDERS.keys() | {"him", "her", "them", "it"}


@pytest.mark.parametrize("form", ["plain", "balanced"])
def test_the_pronoun_of_a_wh_island_is_that_of_its_subject(form: Form):
    for pair in made("wh_island", form):
        good, bad = words_of(pair.good), words_of(pair.bad)
        [swapped] = [(one, other) for one, other in zip(good, bad, strict=True) if one != other]
        [pronoun] = set(swapped) - {"who"}
        knower = good[next(i for i, word in enumerate(good) if word in AUXILIARIES) + 1]
        if knower in GENDERS:
            assert pronoun == {"m": "he", "f": "she"}[GENDERS[knower]]
        if knower in ("some", "these", "those"):
            assert pronoun == "they"


@pytest.mark.parametrize("uid", RULES)
def test_the_second_pair_crosses_the_first(uid: str):
    """Each word of an item is as often in good sentences as in bad ones, and in a pair the number of words is one."""
    pairs = made(uid, "balanced")
    for a, b in zip(pairs[::2], pairs[1::2], strict=True):
        good, bad = ([words_of(s) for s in two] for two in ((a.good, b.good), (a.bad, b.bad)))
        assert a.item == b.item
        assert Counter(good[0] + good[1]) == Counter(bad[0] + bad[1])
        assert [len(words) for words in good] == [len(words) for words in bad]
        assert Counter(words[-1] for words in good) == Counter(words[-1] for words in bad)
        assert good != bad
