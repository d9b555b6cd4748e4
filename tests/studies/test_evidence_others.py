"""Which tasks a set should leave alone."""

from __future__ import annotations

from pathlib import Path

from made_pairs import made_pairs

from neurosteer.grammar import PARADIGMS
from neurosteer.pairs import load_others, load_pairs, sentence_hashes
from neurosteer.progress import QUIET
from neurosteer.studies.evidence.others import other_tasks, unseen


def firsts(own: str) -> list[str]:
    """The alphabetically first task of each other phenomenon."""
    rest = sorted({one.phenomenon for one in PARADIGMS.values()} - {PARADIGMS[own].phenomenon})
    return [min(name for name, one in PARADIGMS.items() if one.phenomenon == group) for group in rest]


def test_one_task_of_each_other_phenomenon_of_the_same_source(blimp_sample: Path):
    task = load_pairs("intransitive", source=str(blimp_sample))
    found = other_tasks(task, 5, 0, offline=True, progress=QUIET)
    assert [pairs.task for pairs in found] == firsts("intransitive")
    assert {pairs.source for pairs in found} == {str(blimp_sample)}
    assert {len(pairs) for pairs in found} == {20}  # four times as many as wanted, some may have been seen


def test_built_in_ones_where_the_source_has_no_other():
    """Of pairs from Python, of which the phenomenon is not known, all thirteen are others."""
    found = other_tasks(made_pairs(), 3, 1, offline=True, progress=QUIET)
    assert len(found) == len({one.phenomenon for one in PARADIGMS.values()})
    assert {pairs.source for pairs in found} == {"builtin"}
    own = load_pairs("wh_island", source="builtin", limit=20)
    assert [pairs.task for pairs in other_tasks(own, 3, 1, offline=True, progress=QUIET)] == firsts("wh_island")


def test_other_tasks_are_read_as_the_own_one_was(tmp_path: Path):
    """Where good and bad have columns of other names, and the usual ones hold something else."""
    rows = ["sentence_good,sentence_bad,better,worse,task,phenomenon"]
    for task in "abc":
        pairs = [(f"right {i} {task}", f"wrong {i} {task}") for i in range(30)]
        rows += [f"{bad},{good},{good},{bad},{task},p{task}" for good, bad in pairs]
    (tmp_path / "own.csv").write_text("\n".join(rows))
    task = load_pairs("a", source=str(tmp_path / "own.csv"), columns=("better", "worse"))
    assert task[0].good.startswith("right")
    for found in (other_tasks(task, 5, 0, offline=True, progress=QUIET), load_others(task, ["b", "c"], limit=20)):
        assert [pairs.task for pairs in found] == ["b", "c"]
        assert all(pair.good.startswith("right") for pairs in found for pair in pairs)
        assert {len(pairs) for pairs in found} == {20}


def test_what_was_seen_is_passed_over():
    pairs = made_pairs()
    seen = set(sentence_hashes(pairs.take([0, 2, 3])))
    assert [pair.id for pair in unseen(pairs, seen, 3)] == ["1", "4", "5"]
    assert len(unseen(pairs, set(sentence_hashes(pairs)), 3)) == 0
