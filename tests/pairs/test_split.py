"""Splits: what must hold for any pairs."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from neurosteer.errors import InputError
from neurosteer.pairs import LexicalSplitError, Pair, Pairs, Split, sentence_hashes
from neurosteer.pairs.words import contrast, stem, words


def pairs_of(sentences: list[tuple[str, str]], task: str = "toy") -> Pairs:
    return Pairs(task, "here", tuple(Pair(good, bad, str(i)) for i, (good, bad) in enumerate(sentences)))


def sentences_of(pairs: Pairs) -> set[str]:
    return {sentence for pair in pairs for sentence in (pair.good, pair.bad)}


def keys_of(pairs: Pairs) -> set[str]:
    return {key for pair in pairs for key in contrast(pair.good, pair.bad)}


def check(pairs: Pairs, split: Split) -> None:
    """Disjoint, in the parent's order, complete up to the dropped, and no sentence in two parts."""
    positions = [position for part in split.indices.values() for position in part]
    assert len(set(positions)) == len(positions) == len(pairs) - split.dropped
    for name, part in zip(("train", "validation", "test"), split, strict=True):
        assert part == getattr(split, name) == pairs.take(split.indices[name])
        assert list(split.indices[name]) == sorted(split.indices[name])
        assert len(part) > 0
    for of in (sentences_of, items_of):
        train, validation, test = map(of, split)
        assert not train & validation | train & test | validation & test


NUMBERS = st.tuples(st.integers(0, 200), st.integers(300, 500), st.integers(0, 40))
SHARING = st.lists(NUMBERS, min_size=15, max_size=60)


def with_items(sentences: list[tuple[str, str]], items: list[int]) -> Pairs:
    """Pairs of an item; 0 is none."""
    pairs = pairs_of(sentences)
    numbered = zip(pairs, items, strict=True)
    return replace(pairs, pairs=tuple(replace(pair, item=f"item {item}" if item else "") for pair, item in numbered))


def items_of(pairs: Pairs) -> set[str]:
    return {pair.item for pair in pairs} - {""}


@given(SHARING, st.integers(0, 5))
def test_pair_split(numbers: list[tuple[int, int, int]], seed: int):
    pairs = with_items([(f"good {i}", f"bad {j}") for i, j, _ in numbers], [item for *_, item in numbers])
    try:
        split = pairs.split("pair", seed)
    except InputError:
        reject()  # groups too large for a fifth: shown below
    check(pairs, split)
    assert split.dropped == 0
    assert split == pairs.split("pair", seed)
    assert max(len(split.validation), len(split.test)) <= len(pairs) / 5


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=15, max_size=40), st.integers(0, 3))
def test_a_sentence_good_here_and_bad_there_is_in_one_part(numbers: list[tuple[int, int]], seed: int):
    """Good and bad sentences come from one pool."""
    pairs = pairs_of([(f"sentence {i}", f"sentence {j}") for i, j in numbers])
    try:
        split = pairs.split("pair", seed)
    except InputError:
        reject()
    check(pairs, split)


@pytest.mark.parametrize("seed", range(4))
def test_chains_of_good_and_bad_stay_together(seed: int):
    """20 chains of 5 pairs: the bad sentence of each is the good one of the next."""
    pairs = pairs_of(
        [(f"sentence {chain} {i}", f"sentence {chain} {i + 1}") for chain in range(20) for i in range(5)]
    )
    split = pairs.split("pair", seed)
    check(pairs, split)
    for positions in split.indices.values():
        chains = [position // 5 for position in positions]
        assert all(chains.count(chain) == 5 for chain in chains)


def test_too_small_to_split():
    with pytest.raises(InputError) as caught:
        pairs_of([("shared", f"bad {i}") for i in range(12)]).split()
    assert str(caught.value) == (
        "'toy' is too small to split: 12 pairs in 1 groups that share no sentence leave the validation part "
        "empty (10 pairs or more are wanted)"
    )


def test_pair_split_is_60_20_20_and_changes_with_seed_and_task():
    pairs = pairs_of([(f"good {i}", f"bad {i}") for i in range(1000)])
    assert [len(part) for part in pairs.split()] == [600, 200, 200]
    assert pairs.split(seed=1).indices != pairs.split(seed=0).indices
    assert Pairs("other", "here", pairs.pairs).split().indices != pairs.split().indices


def verbs(n_pairs: int, n_verbs: int, seed: int) -> Pairs:
    rng = random.Random(seed)
    names = [f"verb{i}q" for i in range(2 * n_verbs)]
    rows = [(rng.choice(names[:n_verbs]), rng.choice(names[n_verbs:])) for _ in range(n_pairs)]
    return pairs_of([(f"Person {i} can {good}.", f"Person {i} can {bad}.") for i, (good, bad) in enumerate(rows)])


@pytest.mark.parametrize("seed", range(3))
def test_lexical_split(seed: int):
    pairs = verbs(800, 60, seed)
    split = pairs.split("lexical", seed)
    check(pairs, split)
    train, validation, test = map(keys_of, split)
    assert not test & (train | validation)
    assert not train & validation
    assert len(split.train) >= 100
    assert len(split.test) >= 50
    assert split == pairs.split("lexical", seed)


@settings(max_examples=6)  # of half a second each
@given(st.integers(30, 90), st.integers(0, 12), st.integers(0, 3), st.data())
def test_laws_of_the_lexical_split(n_verbs: int, n_shared: int, seed: int, data):
    """Verbs are made up and have no other forms, so a pair's keys are the verbs drawn for it; some on either side."""
    rng = random.Random(data.draw(st.integers(0, 2**32)))
    drawn = [(rng.randrange(n_verbs), rng.randrange(n_verbs - n_shared, 2 * n_verbs)) for _ in range(250)]
    pairs = pairs_of([(f"Person {n} can verb{i}q.", f"Person {n} can verb{j}q.") for n, (i, j) in enumerate(drawn)])
    try:
        split = pairs.split("lexical", seed)
    except LexicalSplitError:
        reject()
    check(pairs, split)
    keys = {part: {key for at in positions for key in drawn[at]} for part, positions in split.indices.items()}
    assert not keys["train"] & keys["test"]
    assert not keys["validation"] & (keys["train"] | keys["test"])
    kept = {position for positions in split.indices.values() for position in positions}
    for at in set(range(len(pairs))) - kept:  # a pair is dropped for one reason: it straddles, or differs in nothing
        assert drawn[at][0] == drawn[at][1] or not any(set(drawn[at]) <= of_part for of_part in keys.values())


def test_lexical_split_without_conflicts_drops_nothing():
    pairs = pairs_of([(f"Ann can walk{i}q.", f"Ann can look{i}q.") for i in range(500)])
    split = pairs.split("lexical")
    assert split.dropped == 0
    assert [len(part) for part in split] == pytest.approx([300, 100, 100], abs=30)


def test_word_order_alone_has_no_words_to_hold_out():
    pairs = pairs_of([(f"a b {i}", f"b a {i}") for i in range(500)])
    with pytest.raises(LexicalSplitError, match=r"its sentences hold the same words in another order$"):
        pairs.split("lexical")


def test_pairs_without_a_contrast_are_dropped():
    told = [(f"Ann can walk{i}q.", f"Ann can look{i}q.") for i in range(500)]
    split = pairs_of(told + [(f"a b {i}", f"b a {i}") for i in range(40)]).split("lexical")
    assert split.dropped == 40
    assert all(index < 500 for part in split.indices.values() for index in part)


def test_lexical_split_is_refused():
    pairs = pairs_of([(f"I know {i} that", f"I know {i} who") for i in range(300)])
    with pytest.raises(
        LexicalSplitError, match=r"^'toy' allows no lexical split: \d+ train, 0 validation and 0 test pairs remain"
    ):
        pairs.split("lexical")


@pytest.mark.slow
def test_lexical_split_depends_neither_on_string_hashing_nor_on_the_global_generator():
    code = (
        "import random\n"
        "from tests.pairs.test_split import verbs\n"
        "state = random.getstate()\n"
        "print(verbs(400, 40, 0).split('lexical').indices)\n"
        "assert random.getstate() == state\n"
    )
    root = str(Path(__file__).parents[2])
    outputs = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join([root, *sys.path])}
        run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)
        outputs.add(run.stdout)
    assert len(outputs) == 1


def test_unknown_split():
    with pytest.raises(InputError) as caught:
        verbs(10, 5, 0).split("lexicl")
    assert str(caught.value) == "unknown split 'lexicl'; did you mean 'lexical'? (choose from: pair, lexical)"


def test_words_and_stems():
    assert words("Don’t walk through, ANN's well-known ‘door’!") == [  # noqa: RUF001
        "don't", "walk", "through", "ann's", "well", "known", "door",
    ]  # fmt: skip
    assert stem("ate") == stem("eats") == stem("eating") == "eat"
    assert contrast("Ann eats a big big fig.", "Ann ate big a fig") == {"big", "eat"}
    assert contrast("He sees her.", "Her sees he!") == frozenset()


def test_digest_counts_pairs_and_order_only():
    pairs = verbs(5, 3, 0)
    assert pairs.digest == Pairs("other", "elsewhere", pairs.pairs, "binding").digest
    assert pairs.digest != pairs.take([1, 0, 2, 3, 4]).digest
    accented = Pairs("t", "s", (Pair("é", "b", "0"),))
    assert accented.digest == hashlib.sha256('[["é","b","0"]]'.encode()).hexdigest()


def test_limit():
    pairs = verbs(5, 3, 0)
    assert len(pairs.limit(3)) == 3
    assert pairs.limit(None) == pairs.limit(9) == pairs
    for n in (0, -2):
        with pytest.raises(InputError, match=f"^the limit must be at least 1 pair, not {n}$"):
            pairs.limit(n)


def test_sentence_hashes_are_those_of_distinct_sentences():
    hashes = sentence_hashes(pairs_of([("a", "b"), ("a", "c")]))
    assert hashes == ["2e7d2c03a9507ae2", "3e23e8160039594a", "ca978112ca1bbdca"]  # SHA-256 of c, b, a
