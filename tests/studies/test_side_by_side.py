"""`compare_runs` and `neurosteer compare`: against means by hand and the interval of a t test of the differences."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from made_effects import make_effect
from made_evidence import make_evidence
from scipy import stats

from neurosteer.errors import CorruptFileError, InputError
from neurosteer.report import rows_csv
from neurosteer.results import record
from neurosteer.results.effect import EffectFiles
from neurosteer.results.evidence import Answer
from neurosteer.results.pairs_used import PairsUsed
from neurosteer.results.score import TaskScore, TokenCount
from neurosteer.store import write_bytes
from neurosteer.studies import compare_runs
from neurosteer.studies.runs import write_folder

N = 400
RNG = np.random.default_rng(3)
BEFORE = RNG.normal(0.5, 2.0, N)
AFTER = BEFORE + RNG.normal(0.3, 0.5, N)  # of the same pairs: the difference is known far better than either


def write_scores(folder: Path, task: str, margins: np.ndarray, first_pair: int = 0) -> Path:
    """A run of `score` of one task."""
    names = range(first_pair, first_pair + len(margins))
    rows = [
        {"sentence_good": f"good {i}", "sentence_bad": f"bad {i}", "margin": margin}
        for i, margin in zip(names, margins.tolist(), strict=True)
    ]
    score = TaskScore(
        task=task,
        phenomenon=None,
        data=PairsUsed(source="made", pairs=len(rows), digest="d"),
        convention="sum",
        accuracy=0.5,
        margin=0.0,
        pairs=len(rows),
        ties=0,
        same_tokens=0,
        token_count=TokenCount(differ=0.0, accuracy=0.5),
        csv=f"elsewhere/{task}.csv",
    )
    result = {"command": "score", "version": "0", "model": {"name": "m"}, "results": [record(score)]}
    write_folder(folder, result, lambda draft: write_bytes(draft / f"{task}.csv", rows_csv(rows).encode()))
    return folder


def write_effects(folder: Path, methods: dict[str, np.ndarray]) -> Path:
    """A run of `ablate`: by method the change of each pair's margin."""

    def fill(draft: Path) -> None:
        for method, changes in methods.items():
            rows = [
                {
                    "sentence_good": f"good {i}",
                    "sentence_bad": f"bad {i}",
                    "margin_before": 1.0,
                    "margin_after": 1 + c,
                }
                for i, c in enumerate(changes.tolist())
            ]
            write_bytes(draft / f"{method}.csv", rows_csv(rows).encode())

    effects = [
        replace(make_effect(method), files=EffectFiles(neurons="n", pairs=f"x/{method}.csv")) for method in methods
    ]
    result = {"command": "ablate", "version": "0", "model": {"name": "m"}, "results": list(map(record, effects))}
    write_folder(folder, result, fill)
    return folder


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    return write_scores(tmp_path / "one", "t", BEFORE), write_scores(tmp_path / "two", "t", AFTER)


def test_scores_pair_by_pair(two):
    accuracy, margin = compare_runs(*two).rows
    assert (accuracy.measure, margin.measure, margin.paired, margin.pairs) == ("accuracy", "margin", True, N)
    assert (accuracy.first, accuracy.second) == (np.mean(BEFORE > 0), np.mean(AFTER > 0))
    assert margin.first == pytest.approx(BEFORE.mean())
    assert margin.difference == pytest.approx((AFTER - BEFORE).mean())
    low, high = stats.ttest_rel(AFTER, BEFORE).confidence_interval(0.95)
    np.testing.assert_allclose([margin.low, margin.high], [low, high], atol=0.01)
    right = (AFTER > 0).astype(float) - (BEFORE > 0)
    low, high = stats.ttest_1samp(right, 0).confidence_interval(0.95)
    np.testing.assert_allclose([accuracy.low, accuracy.high], [low, high], atol=0.005)


def test_only_pairs_that_both_have_count(tmp_path):
    one = write_scores(tmp_path / "one", "t", BEFORE)
    half = write_scores(tmp_path / "two", "t", AFTER[N // 2 :], first_pair=N // 2)
    row = compare_runs(one, half).rows[1]
    assert row.pairs == N // 2
    assert row.difference == pytest.approx((AFTER - BEFORE)[N // 2 :].mean())


def test_effects_method_by_method(tmp_path):
    changes = {"welch": AFTER - 2, "l0": BEFORE}
    one = write_effects(tmp_path / "one", changes)
    two = write_effects(tmp_path / "two", {"l0": AFTER, "attribution": BEFORE})
    [row] = compare_runs(one, two).rows
    assert (row.method, row.measure) == ("l0", "change")
    assert (row.first, row.second) == (pytest.approx(BEFORE.mean()), pytest.approx(AFTER.mean()))


WRONG: dict[str, tuple[Callable[[Path], Path], str]] = {
    "no run": (lambda place: place / "nowhere", "no finished run in"),
    "another kind": (lambda place: write_effects(place / "x", {"l0": BEFORE}), "is a run of score"),
    "another task": (lambda place: write_scores(place / "x", "u", BEFORE), "no task (and method) in common"),
    "other pairs": (partial(lambda place: write_scores(place / "x", "t", AFTER, N)), "no pair in common"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_compared(two, tmp_path, what):
    make, told = WRONG[what]
    with pytest.raises(InputError) as caught:
        compare_runs(two[0], make(tmp_path))
    assert told in str(caught.value)


def test_answers_of_evidence(tmp_path):
    """Newcombe's interval by hand, of each question that both could answer."""
    folders = []
    for name, shift in (("one", 0.0), ("two", 0.2)):
        found = make_evidence()
        tests = {question: moved(answer, shift) for question, answer in found.tests.items()}
        results = [record(replace(found, tests=tests))]
        about = {"command": "evidence", "version": "0", "model": {"name": "m"}, "results": results}
        write_folder(tmp_path / name, about, lambda draft: None)
        folders.append(tmp_path / name)
    found = compare_runs(*folders)
    first = make_evidence().tests
    known = [question for question, answer in first.items() if answer.value is not None]
    assert [row.measure for row in found.rows] == known != list(first)
    for row in found.rows:
        answer = first[row.measure]
        down, up = answer.value - answer.low, answer.high - answer.value
        assert (row.first, row.second) == (answer.value, answer.value + 0.2)
        assert (row.method, row.paired, row.layer) == ("attribution", False, None)
        ends = [0.2 - np.hypot(down, up), 0.2 + np.hypot(up, down)]
        assert [row.difference, row.low, row.high] == pytest.approx([0.2, *ends])


def moved(answer: Answer, shift: float) -> Answer:
    if answer.value is None:
        return answer
    return replace(answer, value=answer.value + shift, low=answer.low + shift, high=answer.high + shift)


def test_a_damaged_run(two):
    (two[1] / "t.csv").write_text("margin\n1\n")
    with pytest.raises(CorruptFileError):
        compare_runs(*two)


def test_the_command(two, run):
    outcome = run("compare", *map(str, two))
    assert outcome.code == 0
    row = next(line for line in outcome.out.splitlines() if " margin " in line)
    gap = f"{(AFTER - BEFORE).mean():.2f}"
    assert row.split()[:5] == ["t", "margin", f"{BEFORE.mean():.2f}", f"{AFTER.mean():.2f}", gap]
    assert "first   one" in outcome.out
    found = json.loads(run("compare", *map(str, two), "--format", "json").out)
    assert (found["command"], found["kind"], found["first"]) == ("compare", "score", "one")
    assert found["rows"][1]["pairs"] == N
    wrong = run("compare", str(two[0]), "nowhere")
    assert (wrong.code, wrong.out) == (2, "")
    assert wrong.err == "neurosteer: no finished run in 'nowhere' (neurosteer ls runs)\n"
