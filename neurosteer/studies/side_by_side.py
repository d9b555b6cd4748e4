"""`compare_runs`: two finished runs of one kind side by side, with differences and their 95 % intervals.

Scores and effects are compared over the pairs that both runs have, each pair with itself: pairs that share a sentence
are drawn as one. Of the probes of `find` and the answers of `evidence` a run keeps no values by pair, so their
intervals are joined as if the runs were independent, which is too wide where both are about the same pairs.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float

from neurosteer.errors import InputError
from neurosteer.pairs.splitting import groups_of
from neurosteer.results import Estimate, FindResult, read_record
from neurosteer.results.compare import Comparison, Difference, Measure
from neurosteer.results.effect import EffectResult
from neurosteer.results.evidence import EvidenceResult
from neurosteer.results.score import TaskScore
from neurosteer.seeds import seed_of
from neurosteer.vocabulary import Json

from .margins import interval
from .runs import read_run, refuse_unfinished

Rows = Mapping[tuple[str, str], float]  # sentences of a pair -> its value


def compare_runs(first: Path, second: Path) -> Comparison:
    """Raises `InputError` for what is no finished run, and for runs of different kinds or without a common task."""
    one, two = _read(first), _read(second)
    if one["command"] != two["command"]:
        raise InputError(f"{first.name} is a run of {one['command']}, {second.name} one of {two['command']}")
    command = str(one["command"])
    if command not in _COMPARE:
        raise InputError(f"compare takes runs of {', '.join(_COMPARE)}, not of {command}")
    results = [{_name(entry): entry for entry in run["results"]} for run in (one, two)]
    common = [name for name in results[0] if name in results[1]]
    tasks = [list(dict.fromkeys(task for task, _ in found)) for found in results]
    if not common:
        theirs = f"{first.name} has {', '.join(tasks[0])}, {second.name} {', '.join(tasks[1])}"
        raise InputError(f"these runs have no task (and method) in common: {theirs}")
    rows = [row for name in common for row in _COMPARE[command](first, results[0][name], second, results[1][name])]
    return Comparison(
        kind=command,
        first=first.name,
        second=second.name,
        rows=tuple(rows),
        only_first=tuple(task for task in tasks[0] if task not in tasks[1]),
        only_second=tuple(task for task in tasks[1] if task not in tasks[0]),
    )


def _read(folder: Path) -> dict[str, Json]:
    refuse_unfinished(folder)
    return read_run(folder)


def _name(entry: Mapping[str, Json]) -> tuple[str, str]:
    """Task and, of an effect, method."""
    return str(entry["task"]), str(entry.get("method") or "")


def _scores(first: Path, one: Json, second: Path, two: Json) -> Iterator[Difference]:
    rows = [read_record(TaskScore, entry) for entry in (one, two)]
    margins = [_column(folder, row.csv, "margin") for folder, row in zip((first, second), rows, strict=True)]
    right = [{pair: float(margin > 0) for pair, margin in found.items()} for found in margins]
    yield _paired(rows[0].task, "accuracy", right[0], right[1])
    yield _paired(rows[0].task, "margin", margins[0], margins[1])


def _effects(first: Path, one: Json, second: Path, two: Json) -> Iterator[Difference]:
    rows = [read_record(EffectResult, entry) for entry in (one, two)]
    changes = []
    for folder, row in zip((first, second), rows, strict=True):
        files = None if row.files is None else row.files.pairs
        before, after = _column(folder, files, "margin_before"), _column(folder, files, "margin_after")
        changes.append({pair: after[pair] - before[pair] for pair in after})
    yield _paired(rows[0].task, "change", changes[0], changes[1], method=rows[0].method)


def _finds(first: Path, one: Json, second: Path, two: Json) -> Iterator[Difference]:
    left, right = read_record(FindResult, one), read_record(FindResult, two)
    measures: tuple[Literal["dense", "topk"], ...] = ("dense", "topk")
    for mine in left.layers:
        theirs = next((layer for layer in right.layers if layer.layer == mine.layer), None)
        if theirs is None:
            continue
        for measure in measures:
            known = [Estimate(getattr(row, measure), *getattr(row.intervals, measure)) for row in (mine, theirs)]
            yield from _apart(left.task, measure, *known, layer=mine.layer)


def _answers(first: Path, one: Json, second: Path, two: Json) -> Iterator[Difference]:
    left, right = read_record(EvidenceResult, one), read_record(EvidenceResult, two)
    for question in (question for question in left.tests if question in right.tests):
        known = [Estimate(a.value, a.low, a.high) for a in (left.tests[question], right.tests[question])]
        yield from _apart(left.task, question, *known, method=left.method)


def _apart(
    task: str, measure: Measure, one: Estimate, two: Estimate, *, layer: int | None = None, method: str | None = None
) -> Iterator[Difference]:
    """Of two numbers as if they were independent; nothing where one is not known."""
    gap = two.minus(one)
    match (one.value, two.value, gap.value, gap.low, gap.high):
        case (float(first), float(second), float(difference), float(low), float(high)):
            yield Difference(
                task=task,
                measure=measure,
                layer=layer,
                method=method,
                first=first,
                second=second,
                difference=difference,
                low=low,
                high=high,
                paired=False,
            )


_COMPARE: dict[str, Callable[[Path, Json, Path, Json], Iterator[Difference]]] = {
    "find": _finds,
    "score": _scores,
    "ablate": _effects,
    "amplify": _effects,
    "evidence": _answers,
}


def _column(folder: Path, file: str | None, column: str) -> Rows:
    """The values of a column of a run's table of pairs. The folder may have been moved."""
    if file is None:
        raise InputError(f"{folder} keeps no values by pair; make that run again")
    with (folder / Path(file).name).open(encoding="utf-8", newline="") as table:
        return {(row["sentence_good"], row["sentence_bad"]): float(row[column]) for row in csv.DictReader(table)}


def _paired(
    task: str,
    measure: Literal["accuracy", "margin", "change"],
    one: Rows,
    two: Rows,
    *,
    method: str | None = None,
) -> Difference:
    """Over the pairs that both have."""
    common = [pair for pair in one if pair in two]
    if not common:
        raise InputError(f"{task}: the two runs have no pair in common")
    first, second = (np.array([rows[pair] for pair in common]) for rows in (one, two))
    low, high = _interval_of_mean(second - first, common, task)
    return Difference(
        task=task,
        measure=measure,
        method=method,
        first=float(first.mean()),
        second=float(second.mean()),
        difference=float((second - first).mean()),
        low=low,
        high=high,
        paired=True,
        pairs=len(common),
    )


def _interval_of_mean(
    values: Float[np.ndarray, "pair"], sentences: list[tuple[str, str]], task: str
) -> tuple[float, float]:
    """Of the mean, by resampling the groups of pairs that share a sentence."""
    groups = np.empty(len(values), dtype=int)
    for number, members in enumerate(groups_of(sentences, [""] * len(values))):
        groups[members] = number
    return interval(values, seed_of(0, task, "comparison"), groups)
