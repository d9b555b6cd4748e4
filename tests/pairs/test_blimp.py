"""The table of tasks, the splits and the baselines against the real data."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from sizes import quick_and_slow

from neurosteer.pairs import TASKS, LexicalSplitError, load_pairs, load_tasks


def test_table_holds_the_papers_tasks():
    counts = Counter(task.phenomenon for task in TASKS)
    assert len({task.uid for task in TASKS}) == 67
    assert sorted(counts.values()) == [2, 2, 2, 4, 5, 6, 7, 7, 7, 8, 8, 9]
    assert {task.field for task in TASKS} == {"morphology", "syntax", "semantics", "syntax_semantics"}


def test_table_agrees_with_the_sample(blimp_sample: Path):
    """The layout is that of BLiMP's files: one for each task, with phenomena in its records."""
    loaded = load_tasks(["all"], source=str(blimp_sample))
    assert [(pairs.task, pairs.phenomenon) for pairs in loaded] == [(task.uid, task.phenomenon) for task in TASKS]
    first = json.loads((blimp_sample / "wh_island.jsonl").read_text("utf-8").splitlines()[0])
    assert {"sentence_good", "sentence_bad", "field", "linguistics_term", "UID", "pairID"} == set(first)


def test_table_agrees_with_the_data(blimp: Path):
    loaded = load_tasks(["all"], source=str(blimp))
    assert [(pairs.task, pairs.phenomenon) for pairs in loaded] == [(task.uid, task.phenomenon) for task in TASKS]
    short = {pairs.task: len(pairs) for pairs in loaded if len(pairs) != 1000}
    assert short == {"passive_1": 998, "principle_A_case_2": 995}  # seven published pairs have no contrast


@pytest.mark.parametrize("source", ["blimp", "blimp_sample"])
def test_phenomenon_in_the_records_is_the_one_in_the_table(
    source: str, request: pytest.FixtureRequest, tmp_path: Path
):
    folder = request.getfixturevalue(source)
    for task in TASKS[::8]:
        head = (folder / f"{task.uid}.jsonl").read_text("utf-8").splitlines(keepends=True)[:2]
        (tmp_path / f"my_{task.uid}.jsonl").write_text("".join(head), "utf-8")
        assert load_pairs(source=str(tmp_path / f"my_{task.uid}.jsonl")).phenomenon == task.phenomenon


def test_intransitive_is_told_by_its_last_word(blimp: Path):
    baselines = load_pairs("intransitive", source=str(blimp)).baselines()
    assert baselines.last_word >= 0.97
    assert baselines.unigram >= 0.9
    assert baselines.majority == 0.5


@pytest.mark.parametrize("task", ["intransitive", "transitive", "causative"])
@pytest.mark.parametrize("seed", quick_and_slow([1], [0]))
def test_lexical_split_leaves_enough_and_leaks_no_words(blimp: Path, task: str, seed: int):
    pairs = load_pairs(task, source=str(blimp))
    split = pairs.split("lexical", seed)
    assert len(split.train) >= 250
    assert len(split.test) >= 100
    baselines = pairs.baselines(split)
    assert abs(baselines.unigram - 0.5) <= 0.05
    assert abs(baselines.stem - 0.5) <= 0.05


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (
            "wh_vs_that_no_gap",
            "1000 train, 0 validation and 0 test pairs remain (at least 100, 20 and 50 are needed)",
        ),
        ("adjunct_island", "its sentences hold the same words in another order"),
        (
            "determiner_noun_agreement_2",
            "511 train, 0 validation and 489 test pairs remain (at least 100, 20 and 50 are needed)",
        ),
    ],
)
def test_few_words_allow_no_lexical_split(blimp: Path, task: str, message: str):
    with pytest.raises(LexicalSplitError) as caught:
        load_pairs(task, source=str(blimp)).split("lexical")
    assert str(caught.value) == f"'{task}' allows no lexical split: {message}"
