"""The gym's pairs: balanced, without repeats, the words of test apart."""

from __future__ import annotations

from collections import Counter

import pytest

from neurosteer.errors import InputError
from neurosteer.gym import FILLERS, GYM_TASKS
from neurosteer.pairs import load_pairs


def test_no_word_is_in_two_tasks():
    words = [word for task in GYM_TASKS.values() for word in task.words()] + list(FILLERS)
    assert len(set(words)) == len(words)


@pytest.mark.parametrize("task", GYM_TASKS)
def test_no_word_tells_good_from_bad(task: str):
    pairs = load_pairs(task, source="builtin:gym", limit=300)
    baselines = pairs.baselines(pairs.split("lexical", 0))
    assert max(baselines.last_word, baselines.unigram, baselines.majority) < 0.65
    rows = list(GYM_TASKS[task].pairs(200, form="balanced"))
    good, bad = (Counter(word for row in rows for word in row[side].split()) for side in (0, 1))
    assert good == bad


def test_pairs_are_each_once_and_begin_alike():
    few, many = (load_pairs("number", source="builtin:gym", limit=n) for n in (50, 400))
    assert few.sentences == many.sentences[:50]
    assert len(set(many.sentences)) == 400
    for pair in many:
        good, bad = pair.good.split(), pair.bad.split()
        assert (good[:-1], len(good)) == (bad[:-1], 4)
        assert good[-1] != bad[-1]


def test_the_words_of_test_are_in_no_pair_of_train():
    split = load_pairs("number", source="builtin:gym", limit=300).split("lexical", 0)
    words = [
        {word for pair in part for word in (*pair.good.split(), *pair.bad.split())} - set(FILLERS) for part in split
    ]
    assert not words[0] & words[2]
    assert [len(part) for part in split] == [180, 60, 60]


def test_more_pairs_than_there_are_is_said():
    with pytest.raises(InputError, match=r"^number has 5,000 pairs; take fewer with --limit$"):
        load_pairs("number", source="builtin:gym", limit=5001)
