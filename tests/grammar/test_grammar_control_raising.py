"""Control and raising: each pair differs in a predicate, whose frame and what stands around it say which is right."""

from __future__ import annotations

from functools import cache

import pytest

from neurosteer.grammar import PARADIGMS, Form, Made
from neurosteer.grammar.draw import ADJUNCTS
from neurosteer.grammar.lexicon import ADJECTIVES, VERBS

FRAMES: dict[str, set[str]] = {}  # of verbs in every form, and of adjectives
for verb in VERBS:
    for text in {verb.base, verb.past, verb.participle}:
        FRAMES.setdefault(text, set()).add(verb.frame)
KINDS: dict[str, set[str]] = {}
for adjective in ADJECTIVES:
    KINDS.setdefault(adjective.text, set()).add(adjective.kind)
BE = {"was", "were", "is", "are", "be"}
OBJECT_RAISING = {"existential_there_object_raising": "there", "expletive_it_object_raising": "it"}
ALL = [*OBJECT_RAISING, "existential_there_subject_raising", "tough_vs_raising_1", "tough_vs_raising_2"]
FORMS: tuple[Form, ...] = ("plain", "balanced")


@cache
def made(uid: str, form: Form) -> list[Made]:
    return list(PARADIGMS[uid].pairs(200 if form == "plain" else 300, form=form))


def difference(pair: Made) -> tuple[list[str], str, str, list[str]]:
    """What comes before the only word that differs, its two forms, and what follows."""
    good, bad = pair.good.rstrip(".").split(), pair.bad.rstrip(".").split()
    [i] = [i for i, (a, b) in enumerate(zip(good, bad, strict=True)) if a != b]
    return good[:i], good[i], bad[i], good[i + 1 :]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("uid", OBJECT_RAISING)
def test_object_raising(uid: str, form: Form):
    """Before `there to be` only a raising verb, before `someone that there` only one that tells."""
    dummy, dummy_objects = OBJECT_RAISING[uid], set()
    for pair in made(uid, form):
        _, good, bad, after = difference(pair)
        is_object = after[:3] == [dummy, "to", "be"]
        dummy_objects.add(is_object)
        raising, other = (good, bad) if is_object else (bad, good)
        assert "object_raise" in FRAMES[raising]
        assert not FRAMES[raising] & {"object_control", "tell"}
        assert FRAMES[other] & ({"object_control", "tell"} if form == "plain" else {"tell"})
        assert "object_raise" not in FRAMES[other]
        if not is_object:
            at = next(i for i in range(len(after)) if after[i : i + 2] == ["that", dummy])
            assert 1 <= at <= 2
            assert "believe" not in raising
    assert dummy_objects == ({True, False} if form == "balanced" else {True})


@pytest.mark.parametrize("form", FORMS)
def test_there_subject_raising(form: Form):
    """After `there` only a raising predicate, before `for there` only a control one; adjectives stand after `be`."""
    firsts, classes = set(), set()
    for pair in made("existential_there_subject_raising", form):
        before, good, bad, after = difference(pair)
        there = before[0] == "There"
        assert after[: 2 if there else 4] == (["to", "be"] if there else ["for", "there", "to", "be"])
        firsts.add(there)
        is_adjective = before[-1] in BE
        classes.add(is_adjective)
        raising, other = (good, bad) if there else (bad, good)
        known = KINDS if is_adjective else FRAMES
        assert "raise" in known[raising]
        assert known[other] & {"control", "wish"}
        assert not known[raising] & {"control", "wish"}
        assert "raise" not in known[other]
    assert firsts == ({True, False} if form == "balanced" else {True})
    assert classes == {True, False}


def gap(after: list[str]) -> bool:
    """Whether an object is missing after `to` and the verb."""
    assert after[0] == "to"
    rest = " ".join(after[2:])
    [adjunct] = [known for known in ADJUNCTS if rest.endswith(known)]
    return "transitive" in FRAMES[after[1]] and rest == adjunct


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("uid", "first"), [("tough_vs_raising_1", True), ("tough_vs_raising_2", False)])
def test_tough_and_raising(uid: str, first: bool, form: Form):
    """`easy` where an object is missing, `certain` where none is."""
    gaps = []
    for pair in made(uid, form):
        before, good, bad, after = difference(pair)
        gaps.append(gap(after))
        tough, raising = (good, bad) if gaps[-1] else (bad, good)
        assert "tough" in KINDS[tough]
        assert "raise" in KINDS[raising]
        assert before[-1] in BE
    assert gaps == ([first, not first] * 150 if form == "balanced" else [first] * 200)


@pytest.mark.parametrize("uid", ALL)
def test_cells_cross(uid: str):
    """What is good in one frame of an item is bad in the other."""
    pairs = made(uid, "balanced")
    predicates = set()
    for one, other in zip(pairs[::2], pairs[1::2], strict=True):
        assert one.item == other.item
        _, good, bad, _ = difference(one)
        _, good_too, bad_too, _ = difference(other)
        assert (good, bad) == (bad_too, good_too)
        predicates |= {good, bad}
    assert len(predicates) > 10
