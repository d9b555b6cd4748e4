"""Pairs as a sequence, and from lists and DataFrames: the same as from a file with the same content."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from neurosteer.errors import InputError
from neurosteer.pairs import Pair, Pairs, load_pairs

ROWS = [
    ("A b.", "A c."),
    (" A d. ", "A e."),
    ("A b.", "A c."),  # again
    ("A f.", "A f."),  # no contrast
    ("A g.", "A h."),
]
USED = [Pair("A b.", "A c.", "0"), Pair("A d.", "A e.", "1"), Pair("A g.", "A h.", "4")]
GOOD, BAD = [good for good, _ in ROWS], [bad for _, bad in ROWS]


def from_file(folder: Path) -> Pairs:
    path = folder / "mine.jsonl"
    path.write_text("".join(json.dumps({"sentence_good": good, "sentence_bad": bad}) + "\n" for good, bad in ROWS))
    return load_pairs(source=str(path))


def test_lists_and_frames_are_read_as_files_are(tmp_path: Path):
    expected = from_file(tmp_path)
    frame = pd.DataFrame({"right": GOOD, "wrong": BAD, "more": range(5)}, index=list("abcde"))
    for pairs in (Pairs.from_lists(GOOD, BAD), Pairs.from_frame(frame, columns=("right", "wrong"))):
        assert list(pairs) == list(expected) == USED
        assert pairs.left_out == expected.left_out
        assert pairs.digest == expected.digest
        assert pairs.task == "mine"


def test_a_frame_brings_ids_and_phenomenon():
    rows = [("a", "b", 7, "s-selection"), ("c", "d", None, "s-selection")]
    columns = ["sentence_good", "sentence_bad", "pairID", "linguistics_term"]
    frame = pd.DataFrame(rows, columns=columns, dtype=object)
    pairs = Pairs.from_frame(frame, task="t", source="my study")
    assert [pair.id for pair in pairs] == ["7", "1"]
    assert (pairs.task, pairs.source, pairs.phenomenon) == ("t", "my study", "argument_structure")


@pytest.mark.parametrize("source", ["builtin", "builtin:balanced"])
def test_a_frame_and_back(source: str):
    pairs = load_pairs("intransitive", source=source, limit=20)
    frame = pairs.to_frame()
    assert frame.iloc[3].tolist()[:3] == [pairs[3].good, pairs[3].bad, pairs[3].id]
    assert frame["item"].tolist() == [pair.item for pair in pairs]
    assert ("frame" in frame) == (source == "builtin:balanced")
    assert Pairs.from_frame(frame, task="intransitive").digest == pairs.digest


def test_pairs_of_a_file_show_no_empty_columns(tmp_path: Path):
    assert list(from_file(tmp_path).to_frame()) == ["sentence_good", "sentence_bad", "pairID"]


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        (["a", "b"], ["c"], "2 good and 1 bad sentences make no pairs; give as many of each"),
        (["a", 3], ["c", "d"], "pair 1: 'good' must be a sentence, not a number"),
        (["a", "b"], ["c", None], "pair 1: 'bad' must be a sentence, not null"),
        (["a", " "], ["c", "d"], "pair 1: 'good' is empty"),
        (
            ["a", "b\0"],
            ["c", "d"],
            "pair 1: 'good' holds a character that is no text (NUL",
        ),
        ([], [], "your list is empty: it holds no pairs"),
        (["a", "a"], ["b", "b"], "your list holds only 1 pair that counts"),
    ],
)
def test_lists_that_are_no_pairs(good: Sequence, bad: Sequence, message: str):
    with pytest.raises(InputError) as caught:
        Pairs.from_lists(iter(good), iter(bad))
    assert str(caught.value).startswith(message)


def test_two_sentences_are_no_lists():
    with pytest.raises(InputError, match=r"^good and bad are lists of sentences, not one sentence each$"):
        Pairs.from_lists("ab", "cd")


@pytest.mark.parametrize(
    ("names", "second", "message"),
    [
        (
            ["x", "sentence_bad"],
            "b",
            "the DataFrame has no column 'sentence_good' (found: x, sentence_bad); name yours",
        ),
        (["sentence_good", "sentence_bad"], None, "row 1: 'sentence_good' must be a sentence, not null"),
        (["sentence_good", "sentence_bad"], 2.5, "row 1: 'sentence_good' must be a sentence, not a number"),
    ],
)
def test_frames_that_hold_no_pairs(names: list[str], second: object, message: str):
    with pytest.raises(InputError) as caught:
        Pairs.from_frame(pd.DataFrame([("a", "b"), (second, "c")], columns=names))
    assert str(caught.value).startswith(message)


def test_pairs_are_a_sequence():
    plain = [Pair(f"good {i}", f"bad {i}", str(i)) for i in range(7)]
    pairs = Pairs("t", "s", tuple(plain), "binding")
    assert isinstance(pairs, Sequence)
    assert len(pairs) == 7
    assert list(pairs) == list(reversed(list(reversed(pairs)))) == plain
    for i in (0, 3, -1, -7):
        assert pairs[i] == plain[i]
    for i in (7, -8):
        with pytest.raises(IndexError):
            pairs[i]
    for part in (slice(2), slice(-3, None), slice(None, None, -2), slice(9, 12)):
        assert isinstance(pairs[part], Pairs)
        assert list(pairs[part]) == plain[part]
        assert (pairs[part].task, pairs[part].source, pairs[part].phenomenon) == ("t", "s", "binding")
    assert plain[4] in pairs
    assert Pair("good 4", "bad 4", "5") not in pairs
    assert (pairs.index(plain[2]), pairs.count(plain[2])) == (2, 1)


def test_they_show_themselves_in_one_line():
    pairs = load_pairs("intransitive", source="builtin", limit=100)
    assert repr(pairs) == "Pairs('intransitive', 100 pairs of 'builtin')"
    assert repr(pairs[:1]) == "Pairs('intransitive', 1 pair of 'builtin')"
    assert repr(pairs.split(seed=3)) == "Split(pair, seed 3: 60 train, 20 validation, 20 test)"
