"""Each pair counts once; what is left out or in doubt is counted and said in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from neurosteer.errors import InputError
from neurosteer.pairs import LeftOut, Pair, Pairs, load_pairs, load_tasks

PAIRS = [(f"The cat {i} sleeps.", f"The cat {i} sleep.") for i in range(12)]


def write(path: Path, rows: list[tuple[str, str]]) -> Path:
    lines = [json.dumps({"sentence_good": good, "sentence_bad": bad}) + "\n" for good, bad in rows]
    path.write_text("".join(lines))
    return path


def test_repeats_are_the_pairs_alone(tmp_path: Path):
    """The same pairs, ids, digest, split and baselines as of the file without repeats."""
    once = load_pairs(source=str(write(tmp_path / "mine.jsonl", PAIRS)))
    (tmp_path / "more").mkdir()
    source = str(write(tmp_path / "more" / "mine.jsonl", [*PAIRS[:7], PAIRS[2], *PAIRS[7:], *PAIRS, (" A ", "A")]))
    for thrice in (load_pairs(source=source), *load_tasks(["all"], source=source)):
        assert [(pair.good, pair.bad) for pair in thrice] == PAIRS
        assert thrice.left_out == LeftOut(repeated=13, identical=1)
        assert thrice.split().indices == once.split().indices
        assert thrice.baselines() == once.baselines()
        assert thrice.describe() == {
            "source": source,
            "pairs": 12,
            "digest": thrice.digest,
            "left_out": {"repeated": 13, "identical": 1},
            "both_ways": 0,
        }
        assert thrice.remarks() == [
            "pairs of mine: repeating an earlier one: 13 (left out); the same sentence twice: 1 (left out)"
        ]
    twice = load_pairs(source=str(write(tmp_path / "more" / "mine.jsonl", PAIRS * 2)))
    assert twice.digest == once.digest
    assert (once.left_out, once.remarks()) == (LeftOut(), [])


def test_the_limit_is_of_pairs_used(tmp_path: Path):
    source = str(write(tmp_path / "mine.jsonl", [PAIRS[0]] * 5 + PAIRS))
    found = load_pairs(source=source, limit=3)
    assert [(pair.good, pair.bad) for pair in found] == PAIRS[:3]
    assert found.left_out == LeftOut(repeated=5)


def test_pairs_in_both_directions_are_kept_together_and_said(tmp_path: Path):
    contrary = [(bad, good) for good, bad in PAIRS[3:6]]
    found = load_pairs(source=str(write(tmp_path / "mine.jsonl", PAIRS + contrary)))
    assert len(found) == 15
    assert found.describe()["both_ways"] == 6
    assert found.remarks() == ["pairs of mine: in both directions: 6 of 15 (kept; they contradict each other)"]
    for part in found.split():
        own = set(part.sentences)
        assert all(((bad, good) in own) == ((bad, good) in found.sentences) for good, bad in own)


def test_the_same_tokens_are_said():
    pairs = Pairs("made", "made up", tuple(Pair(good, bad, good) for good, bad in PAIRS))
    assert pairs.remarks(same_tokens=2) == [
        "pairs of made: the same tokens to the model: 2 of 12 (kept; it cannot tell good from bad)"
    ]


def test_one_sentence_twice_is_not_both_directions():
    pairs = Pairs("made", "made up", (Pair("A", "A", "0"), Pair("B", "C", "1")))
    assert pairs.describe()["both_ways"] == 0


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([PAIRS[0]] * 3, "holds only 1 pair that counts (repeats: 2, the same sentence twice: 0)"),
        ([("A", "A")], "holds no pair that counts (repeats: 0, the same sentence twice: 1)"),
        ([("A", "A"), PAIRS[0]], "holds only 1 pair that counts (repeats: 0, the same sentence twice: 1)"),
    ],
)
def test_too_few_are_left(tmp_path: Path, rows: list[tuple[str, str]], message: str):
    path = write(tmp_path / "mine.jsonl", rows)
    with pytest.raises(InputError) as caught:
        load_pairs(source=str(path))
    assert str(caught.value) == f"'{path}' {message}; at least 2 are needed"
