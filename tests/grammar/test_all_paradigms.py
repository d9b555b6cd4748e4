"""All 67 paradigms in both forms: enough pairs, none twice, well-formed sentences, and what words give away."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from sizes import all_slow_but

from neurosteer.grammar import PARADIGMS, Form
from neurosteer.pairs import TASKS, load_pairs
from neurosteer.pairs.words import words

FORMS: tuple[Form, ...] = ("plain", "balanced")
SILENT_H = ("hour", "honest", "honor", "heir")
LIKE_YOU = re.compile(r"uni(?!m)|us[ei]|eu|ewe|one|once|ut[ei]")


def article_is_right(article: str, following: str) -> bool:
    vowel = following.startswith(SILENT_H) or (following[0] in "aeiou" and not LIKE_YOU.match(following))
    return article == ("an" if vowel else "a")


def test_they_are_blimps():
    assert {(found.uid, found.phenomenon) for found in PARADIGMS.values()} == {
        (task.uid, task.phenomenon) for task in TASKS
    }


def test_each_says_what_it_is_about():
    """With an example, and how the balanced form is made, or which one it is like."""
    for found in PARADIGMS.values():
        assert re.search(r"`[^`]+`", found.about), found.uid
        assert "Balanced:" in found.about or re.match(r"As `(\w+)`|.*`\w+`", found.about), found.uid


def test_each_says_what_its_second_frame_is():
    """All but those whose rule makes the sentences of both frames good or bad."""
    of_one_rule = {
        uid
        for uid, found in PARADIGMS.items()
        if found.phenomenon in ("anaphor_agreement", "determiner_noun_agreement", "subject_verb_agreement")
        or found.phenomenon == "npi_licensing"
        or uid.startswith(("principle_A_c_command", "principle_A_domain", "ellipsis_n_bar_1"))
    }
    assert {uid for uid, found in PARADIGMS.items() if not found.second} == of_one_rule
    for uid, found in PARADIGMS.items():
        for other in re.findall(r"as in `(\w+)`", found.second):
            assert other in PARADIGMS
            assert other != uid


def test_only_balanced_pairs_have_a_frame():
    found = PARADIGMS["wh_island"]
    assert [pair.frame for pair in found.pairs(5, form="balanced")] == ["first", "second", "first", "second", "first"]
    assert [pair.id for pair in found.pairs(3, form="balanced")] == ["0a", "0b", "1a"]
    assert {pair.frame for pair in found.pairs(5)} == {""}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("uid", PARADIGMS)
@pytest.mark.parametrize("count", [200, pytest.param(1000, marks=pytest.mark.slow)])
def test_many_pairs(uid: str, form: Form, count: int):
    pairs = list(PARADIGMS[uid].pairs(count, form=form))
    sentences = [sentence for pair in pairs for sentence in (pair.good, pair.bad)]
    assert len(pairs) == count
    assert len(set(sentences)) == 2 * count
    assert len({pair.id for pair in pairs}) == count
    for sentence in sentences:
        assert re.fullmatch(r"[A-Z][A-Za-z' ,-]*[a-z][.?]", sentence), sentence
        assert "  " not in sentence
        for article, following in re.findall(r"\b([Aa]n?) (\w+)", sentence):
            assert article_is_right(article.lower(), following.lower()), sentence
    if form == "balanced":
        assert all(len(words(pair.good)) == len(words(pair.bad)) for pair in pairs)
        assert all(words(pair.good)[-1] == words(pair.bad)[-1] for pair in pairs)


@pytest.mark.parametrize("uid", all_slow_but(list(PARADIGMS)[::8], PARADIGMS))
def test_no_word_tells_in_the_balanced_form(uid: str):
    """Nor, for words that train has not seen, two in a row."""
    pairs = load_pairs(uid, source="builtin:balanced")
    by_pair, lexical = pairs.baselines(), pairs.baselines(pairs.split("lexical"))
    for name in ("unigram", "stem", "last_word", "length"):
        assert getattr(by_pair, name) == pytest.approx(0.5, abs=0.05)
    assert lexical.bigram == pytest.approx(0.5, abs=0.1)


def test_other_seeds_give_other_pairs():
    found = PARADIGMS["wh_island"]
    assert list(found.pairs(20, seed=3)) == list(found.pairs(20, seed=3))
    assert not {pair.good for pair in found.pairs(20, seed=3)} & {pair.good for pair in found.pairs(20, seed=4)}
    assert list(found.pairs(50, seed=3))[:20] == list(found.pairs(20, seed=3))


def test_more_than_there_are():
    same = replace(PARADIGMS["wh_island"], plain=lambda draw: (("It rains.", "It rain."),))
    with pytest.raises(LookupError, match="wh_island: no new pair after 1"):
        list(same.pairs(2))
