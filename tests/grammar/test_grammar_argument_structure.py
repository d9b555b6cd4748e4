"""Argument structure: each pair differs in the verb, or in who acts, and the verb's frame says which is right."""

from __future__ import annotations

import pytest

from neurosteer.grammar import PARADIGMS, Form
from neurosteer.grammar.draw import ADJUNCTS
from neurosteer.grammar.lexicon import NAMES, NOUNS, VERBS

FRAMES: dict[str, set[str]] = {}  # of every form of a verb that no other verb has
for verb in VERBS:
    for form in {verb.base, verb.past, verb.participle}:
        FRAMES.setdefault(form, set()).add(verb.frame)
PEOPLE = {noun.singular for noun in NOUNS if noun.kind == "person"} | {n.plural for n in NOUNS if n.kind == "person"}
PEOPLE |= {name.text.lower() for name in NAMES}
VERB_TASKS = ["intransitive", "transitive", "drop_argument", "causative", "inchoative", "passive_1", "passive_2"]
ACTOR_TASKS = ["animate_subject_trans", "animate_subject_passive"]
DETERMINERS = {"the", "a", "an", "some", "this", "that", "these", "those"}
BE = {"was", "were", "is", "are"}


def difference(good: str, bad: str) -> tuple[list[str], list[str], list[str], list[str]]:
    """What comes before the difference, the two sides of it, and what follows."""
    one, other = good.rstrip(".").split(), bad.rstrip(".").split()
    assert len(one) == len(other)
    differing = [i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    start, end = differing[0], differing[-1] + 1
    return one[:start], one[start:end], other[start:end], one[end:]


def without_adjunct(words: list[str]) -> list[str]:
    text = " ".join(words)
    [adjunct] = [known for known in ADJUNCTS if text.endswith(known)]
    return text.removesuffix(adjunct).split()


@pytest.mark.parametrize("form", ["plain", "balanced"])
@pytest.mark.parametrize("uid", VERB_TASKS)
def test_the_verb_decides(uid: str, form: Form):
    """With an object or an agent after `was` only verbs that take objects are good, else only others."""
    for pair in PARADIGMS[uid].pairs(300, form=form):
        before, good, bad, after = difference(pair.good, pair.bad)
        assert len(good) == len(bad) == 1
        passive = before[-1] in BE
        rest = without_adjunct(after)
        filled = bool(rest) and rest[0] not in ("by", "near", "beside", "behind")
        wants_object = passive or filled
        taking = {"transitive", "alternating", "droppable"} if wants_object else {"transitive"}
        standing = {"intransitive"} if wants_object else {"intransitive", "alternating", "droppable"}
        assert FRAMES[good[0]] & (taking if wants_object else standing)
        assert FRAMES[bad[0]] & (standing if wants_object else taking)
        if passive and uid == "passive_1":
            assert rest[0] == "by"


def verb_at(words: list[str]) -> int:
    """Where the first verb that takes an object stands: such a word after an article is a noun."""
    return next(
        i
        for i, word in enumerate(words)
        if i and FRAMES.get(word, set()) & {"transitive", "droppable"} and words[i - 1].lower() not in DETERMINERS
    )


@pytest.mark.parametrize("form", ["plain", "balanced"])
@pytest.mark.parametrize("uid", ACTOR_TASKS)
def test_who_acts_decides(uid: str, form: Form):
    """A person does what people do; an idea does what moves people, which only ideas do here."""
    moving = {form for verb in VERBS if verb.subjects == {"idea"} for form in (verb.past, verb.base)}
    for pair in PARADIGMS[uid].pairs(300, form=form):
        by_person = []
        for sentence in (pair.good, pair.bad):
            words = sentence.rstrip(".").split()
            at = verb_at(words)
            acting = words[words.index("by", at) :] if uid == "animate_subject_passive" else words[:at]
            by_person.append(bool({word.lower() for word in acting} & PEOPLE))
        assert by_person == ([False, True] if words[at] in moving and form == "balanced" else [True, False])


@pytest.mark.parametrize("uid", VERB_TASKS + ACTOR_TASKS)
def test_cells_cross(uid: str):
    """What is good in one frame of an item is bad in the other: the item's words say nothing."""
    pairs = list(PARADIGMS[uid].pairs(200, form="balanced"))
    for one, other in zip(pairs[::2], pairs[1::2], strict=True):
        assert one.item == other.item
        _, good, bad, _ = difference(one.good, one.bad)
        _, good_too, bad_too, _ = difference(other.good, other.bad)
        if uid in VERB_TASKS:
            assert (good, bad) == (bad_too, good_too)
        else:
            assert sorted(one.good.lower().rstrip(".").split()) == sorted(one.bad.lower().rstrip(".").split())
