"""Factorial items: which factor is the cause, where contexts end, which regions their tokens have."""

from __future__ import annotations

from itertools import islice

import pytest

from neurosteer.grammar import PARADIGMS
from neurosteer.pairs import sentence_hashes
from neurosteer.pairs.factorial import (
    NO_CAUSE,
    OTHER_TOKENS,
    Contexts,
    Item,
    Pair,
    common_prefix,
    contexts_of,
    has_items,
    items_of,
)


def words(*sentences):
    """Every word a token, the same everywhere; BOS before."""
    known = {}
    return [(0, *(known.setdefault(word, len(known) + 1) for word in sentence.split())) for sentence in sentences]


def contexts(*sentences):
    return contexts_of(Item("7", *sentences), words(*sentences))


def test_the_frame_is_the_cause_where_it_parts_the_sentences_first():
    found = contexts(
        "the tall thesis shines .", "the tall thesis shine .", "the tall theses shine .", "the tall theses shines ."
    )
    assert found.cause == "frame"
    assert found.tokens == ((0, 1, 2, 3), (0, 1, 2, 7))
    assert found.outcomes == (4, 6)
    assert (found.start, found.aligned, found.same_continuation) == (3, True, True)
    assert [found.region(name) for name in ("cause", "between", "last")] == [(), (), (3,)]


def test_the_word_is_the_cause_where_it_parts_them_first():
    found = contexts("kim sat there .", "kim left there .", "kim left home .", "kim sat home .")
    assert found.cause == "word"
    assert found.tokens == ((0, 1, 2), (0, 1, 5))
    assert found.outcomes == (3, 6)


def test_regions_cover_everything_from_the_first_difference_on():
    found = contexts("a b c x d e go", "a b c x d e went", "a f c y d e went", "a f c y d e go")
    assert [found.region(name) for name in ("cause", "between", "last")] == [(2, 3, 4), (5,), (6,)]
    assert found.start == 2


def test_the_last_token_is_a_region_of_its_own_where_it_differs():
    found = contexts("a b c go", "a b c went", "a f g went", "a f g go")
    assert [found.region(name) for name in ("cause", "between", "last")] == [(2,), (), (3,)]


def test_contexts_of_unequal_length_are_not_aligned():
    found = contexts("kim sleeps .", "kim sleep .", "the guests sleep .", "the guests sleeps .")
    assert not found.aligned
    assert found.outcomes == (2, 4)


def test_the_continuation_may_depend_on_the_cause():
    found = contexts("kim melts ice", "kim falls ice", "ice falls now", "ice melts now")
    assert found.outcomes == (2, 4)
    assert not found.same_continuation


def test_an_outcome_that_goes_on_alike_is_read_where_it_parts():
    found = contexts("a b in town", "c b in town", "c b in in town", "a b in in town")
    assert (found.cause, found.tokens[0]) == ("word", (0, 1, 2, 3))


@pytest.mark.parametrize(
    ("sentences", "why"),
    [
        (("kim grew it .", "kim grown it .", "kim had grown it .", "kim had grew it ."), NO_CAUSE),
        (("a b", "c b", "d e", "f e"), NO_CAUSE),
        (("a b", "a c", "d e", "d f"), OTHER_TOKENS),
        (("a b", "a b c", "d b c", "d b"), NO_CAUSE),  # an outcome that is only the end of the sentence
    ],
)
def test_items_without_form_say_why(sentences, why):
    assert contexts(*sentences) == why


def test_cells_are_crossed():
    item = Item("0", "good", "bad", "second good", "second bad")
    assert item.by("frame") == (("good", "bad"), ("second bad", "second good"))
    assert item.by("word") == (("good", "second bad"), ("bad", "second good"))


def test_common_prefix():
    assert common_prefix((1, 2, 3), (1, 2, 4)) == 2
    assert common_prefix((1, 2), (1, 2, 4)) == 2
    assert common_prefix((1,), (2,)) == 0


def test_built_in_items_have_held_out_words_and_both_frames():
    task = "distractor_agreement_relative_clause"
    made = list(islice(items_of(task), 5))
    every = {one.id: one for one in PARADIGMS[task].pairs(100, form="balanced") if one.part == "test"}
    for item in made:
        assert (item.good, item.bad) == (every[f"{item.id}a"].good, every[f"{item.id}a"].bad)
        assert (item.second_good, item.second_bad) == (every[f"{item.id}b"].good, every[f"{item.id}b"].bad)
    assert len(made) == 5


def test_items_that_were_seen_are_left_out():
    first, second = islice(items_of("intransitive"), 2)
    seen = sentence_hashes([Pair(first.second_good, "something else", id="0")])
    assert next(items_of("intransitive", but=seen)) == second


def test_only_built_in_tasks_have_items():
    assert has_items("intransitive")
    assert not has_items("my_own_file")


def test_every_word_cause_is_the_same_for_all_items_of_a_task():
    """Words as tokens: one factor parts the sentences of a task first."""
    for task in ("determiner_noun_agreement_1", "wh_vs_that_no_gap", "passive_2"):
        found = [contexts(*item.sentences) for item in islice(items_of(task), 6)]
        assert all(isinstance(one, Contexts) for one in found)
        assert len({one.cause for one in found}) == 1
