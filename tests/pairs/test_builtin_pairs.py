"""The built-in pairs as a source: how many, which, how they are split, and what is refused."""

from __future__ import annotations

import pytest

from neurosteer.errors import InputError
from neurosteer.pairs import LexicalSplitError, Pairs, load_pairs, load_tasks

FORMS = ("builtin", "builtin:balanced")


@pytest.mark.parametrize("source", FORMS)
def test_as_many_as_wanted_and_the_same_again(source: str):
    pairs = load_pairs("intransitive", source=source, limit=300, seed=1)
    assert (pairs.task, pairs.source, pairs.phenomenon) == ("intransitive", source, "argument_structure")
    assert len({pair.id for pair in pairs}) == len(pairs) == 300
    assert len({sentence for both in pairs.sentences for sentence in both}) == 600
    assert load_pairs("intransitive", source=source, limit=300, seed=1) == pairs
    assert load_pairs("intransitive", source=source, limit=100, seed=1) == pairs.limit(100)
    assert load_pairs("intransitive", source=source, limit=300, seed=2).digest != pairs.digest
    assert len(load_pairs("intransitive", source=source)) == 1000


def items_of(pairs: Pairs) -> set[str]:
    return {pair.item for pair in pairs}


@pytest.mark.parametrize("kind", ["pair", "lexical"])
def test_cells_of_an_item_stay_together(kind: str):
    pairs = load_pairs("intransitive", source="builtin:balanced", limit=1000)
    assert all(sum(pair.item == item for pair in pairs) == 2 for item in list(items_of(pairs))[:20])
    split = pairs.split(kind)
    train, validation, test = map(items_of, split)
    assert not train & validation
    assert not (train | validation) & test
    assert split.dropped == 0
    assert [len(part) for part in split] == [600, 200, 200]


@pytest.mark.parametrize("source", FORMS)
def test_the_lexical_split_shares_no_word(source: str):
    """Of those that could tell: verbs. Function words and adjuncts are shared."""
    pairs = load_pairs("intransitive", source=source, limit=500)
    parts = [
        {word for both in part.sentences for word in set(both[0].split()) ^ set(both[1].split())}
        for part in pairs.split("lexical")
    ]
    assert not parts[0] & parts[1]
    assert not (parts[0] | parts[1]) & parts[2]
    assert min(map(len, parts)) > 20
    assert pairs.split("lexical", seed=1).indices == pairs.split("lexical").indices


def test_too_few_for_a_lexical_split():
    with pytest.raises(LexicalSplitError, match="60 train, 20 validation and 20 test pairs remain"):
        load_pairs("intransitive", source="builtin", limit=100).split("lexical")


def test_no_word_tells_in_the_balanced_form():
    plain, balanced = (load_pairs("intransitive", source=source).baselines() for source in FORMS)
    assert plain.unigram > 0.9
    for name in ("unigram", "stem", "last_word", "length"):
        assert getattr(balanced, name) == pytest.approx(0.5, abs=0.05)


def test_refusals():
    for options, message in [
        ({"columns": ("a", "b")}, "--columns names columns of your own files; the pairs of 'builtin' have none"),
        ({"layout": "good-bad"}, "--layout names columns of your own files; the pairs of 'builtin' have none"),
        ({"limit": 10**19}, f"the limit must be at most 1,000,000 built-in pairs of a task, not {10**19}"),
        ({"limit": 1}, "the limit must be at least 2 pairs, not 1"),
    ]:
        with pytest.raises(InputError) as caught:
            load_pairs("intransitive", source="builtin", **options)
        assert str(caught.value) == message
    with pytest.raises(InputError, match="unknown task 'intransitiv'; did you mean 'intransitive'"):
        load_tasks(["intransitiv"], source="builtin")
    with pytest.raises(InputError, match="no such file or folder: 'builtin:balance'"):
        load_pairs("intransitive", source="builtin:balance")
