"""Tables of the experiments that hold tasks against tasks, and of the tasks themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from neurosteer.pairs import Baselines
from neurosteer.report.baselines import NAMES, UNSPACED, lacks_words, named
from neurosteer.report.numbers import NONE, number, p_value
from neurosteer.results import read_record

from .about import readable, span
from .table import Table, mean

Row = Mapping[str, Any]
MEANS = ("sparse_own", "sparse_same", "sparse_other", "dense_own", "dense_same", "dense_other")


def transfer_tables(result: Row) -> list[Table]:
    """Figure 6: mean accuracy by phenomenon of the training task, at threshold 0 and pairwise."""
    return [
        _by_phenomenon(result, "accuracy", "", "Test accuracy at threshold 0"),
        _by_phenomenon(result, "pairwise", "_pairwise", "Pairwise test accuracy"),
    ]


def overlap_tables(result: Row) -> list[Table]:
    """One row per method."""
    rows = []
    for method in result["methods"]:
        stable = [row for row in result["stability"] if row["method"] == method]
        p = result["p"][method]
        rows.append(
            (
                method,
                *(number(result[group][method], 3) for group in ("within", "across")),
                NONE if p is None else p_value(p),
                *(number(mean([row[kind] for row in stable]), 3) for kind in ("folds", "seeds")),
                number(result["chance"][method], 3),
            )
        )
    headers = ("method", "one phenomenon", "two phenomena", "p", "other pairs", "other splits", "chance")
    return [Table("Mean shared part of two sets", headers, tuple(rows))]


def baseline_tables(outcome: Row) -> tuple[Table, Table]:
    """What words and tokens alone give away: the mean over tasks that have the baseline, and task by task."""
    tasks = outcome["tasks"]
    baselines = [read_record(Baselines, task["baselines"]) for task in tasks]
    values = list(map(named, baselines))
    means = tuple(number(mean([of_task[name] for of_task in values]), 3) for name in NAMES)
    whole = Table("Mean over tasks", ("test accuracy without a model", *NAMES), (("all tasks", *means),))
    sizes = ("train", "validation", "test", "dropped")
    rows = tuple(
        (
            task["task"],
            readable(task["phenomenon"] or ""),
            *(f"{task[size]:,}" for size in sizes),
            *(number(of_task[name], 3) for name in NAMES),
        )
        for task, of_task in zip(tasks, values, strict=True)
    )
    caption = "Pairs of each part, those the split dropped, and test accuracy"
    if any(map(lacks_words, baselines)):
        caption += f" ({UNSPACED})"
    return whole, Table(caption, ("task", "phenomenon", *sizes, *NAMES), rows, left=2)


def _by_phenomenon(result: Row, kind: str, suffix: str, what: str) -> Table:
    names = list(dict.fromkeys(result["phenomena"]))
    groups = {name: [row for row in result["means"] if row["phenomenon"] == name] for name in names}
    general = {name: [row for row in result["general"] if row["phenomenon"] == name] for name in names}
    pairs = {name: _pairs_of(result, name) for name in names}
    rows = [
        (readable(name or "no phenomenon"), *_means(groups[name], general[name], kind, suffix), span(pairs[name]))
        for name in names
    ]
    rows.append(("all", *_means(result["means"], result["general"], kind, suffix), span(chain(*pairs.values()))))
    headers = ("phenomenon", "tasks", "sparse: itself", "same phenomenon", "others", "dense: itself")
    seen = f" ({result['left_out']:,} are left out in all: the training task has seen a sentence of theirs)"
    caption = (
        f"{what}, mean over the tasks of a phenomenon as training tasks; general: a dense probe trained on the other "
        f"phenomena, tested on these tasks; pairs: on which a cell rests{seen if result['left_out'] else ''}; "
        f"probes of flipped labels on other tasks: {_null(result['null'], kind)}"
    )
    return Table(caption, (*headers, "same phenomenon", "others", "general", "pairs a cell"), tuple(rows))


def _pairs_of(result: Row, name: str | None) -> list[int]:
    """The pairs of every cell whose training task is of this phenomenon."""
    of_rows = zip(result["phenomena"], result["pairs"], strict=True)
    return [count for phenomenon, row in of_rows if phenomenon == name for count in row]


def _means(rows: Sequence[Row], general: Sequence[Row], kind: str, suffix: str) -> tuple[str, ...]:
    values = (number(mean([row[f"{name}{suffix}"] for row in rows])) for name in MEANS)
    return (str(len(rows)), *values, number(mean([row[kind] for row in general])))


def _null(null: Row, kind: str) -> str:
    told = []
    for probe in ("sparse", "dense"):
        found = null[f"{kind}_{probe}"]
        told.append(f"{probe} {number(found['mean'], 3)} (sd of rows {number(found['row_sd'], 3)})")
    return ", ".join(told)
