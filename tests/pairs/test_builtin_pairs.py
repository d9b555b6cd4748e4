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


def test_pairs_about_meaning():
    """Without a limit there are 300; all other things are as with the grammar pairs."""
    pairs = load_pairs("capitals", source="builtin:meaning", seed=1)
    assert (pairs.task, pairs.source, pairs.phenomenon, len(pairs)) == ("capitals", "builtin:meaning", "facts", 300)
    assert load_pairs("capitals", source="builtin:meaning", limit=50, seed=1) == pairs.limit(50)
    assert load_pairs("capitals", source="builtin:meaning", seed=2).digest != pairs.digest
    train, validation, test = map(items_of, pairs.split())
    assert not (train & validation) | (train & test) | (validation & test)
    found = load_tasks(["sense", "*arith*"], source="builtin:meaning", limit=10)
    assert [one.task for one in found] == ["opposites", "selectional_sense", "arithmetic"]
    assert len(load_tasks(["all"], source="builtin:meaning", limit=2)) == 8


def test_refusals_of_pairs_about_meaning():
    for asked, options, message in [
        ("capitals", {"limit": 301}, "the limit must be at most 300 meaning pairs of a task, not 301"),
        ("capitals", {"limit": 1}, "the limit must be at least 2 pairs, not 1"),
        (
            "capitols",
            {},
            "unknown task 'capitols'; did you mean 'capitals'? (see: neurosteer ls tasks --data builtin:meaning)",
        ),
        (
            "capitals",
            {"layout": "good-bad"},
            "--layout names columns of your own files; the pairs of 'builtin:meaning' have none",
        ),
    ]:
        with pytest.raises(InputError) as caught:
            load_pairs(asked, source="builtin:meaning", **options)
        assert str(caught.value) == message
    with pytest.raises(InputError, match="unknown task 'intransitive'"):
        load_pairs("intransitive", source="builtin:meaning")


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
