"""What `neurosteer score` prints: accuracy and margins by task, by phenomenon and overall."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from rich.console import Group, RenderableType
from rich.text import Text

from neurosteer.results.score import ScoreRun, TaskScore
from neurosteer.vocabulary import FEWEST_PAIRS, counted, counted_pairs

from .grid import add_row, grid
from .numbers import NONE, between, nats, number, percent

MANY = 0.2  # a larger share of pairs that differ in token counts is spoken of
FRAMES = ("first", "second")
FRAME_NOTES = [
    "first, second: accuracy by frame of the balanced pairs; what a second frame is",
    "where it is no instance of the task's construction: neurosteer ls tasks",
]


def score_table(run: ScoreRun) -> RenderableType:
    """The scores of one or more tasks; margins are means over pairs, in nats. It fits a terminal of 80 columns.

    Of many tasks the page and the JSON have the intervals: there is no room beside the longest of BLiMP's names.
    """
    rows = sorted(run.results, key=lambda row: row.task)
    many, ties, by_frame = len(rows) > 1, any(row.ties for row in rows), any(row.frames for row in rows)
    columns = _columns(many=many, ties=ties, by_frame=by_frame)
    table = grid("phenomenon and task" if many else "task", *columns)
    for group in run.phenomena:
        if many:
            name = f"{group.phenomenon or 'no phenomenon'} ({counted(group.tasks, 'task')})"
            add_row(table, name, number(group.accuracy, digits=3), style="bold")
        for row in rows:
            if (row.phenomenon or None) == (group.phenomenon or None):
                label = Text(f"  {row.task}" if many else row.task)
                add_row(table, label, *(cell(row) for cell in columns.values()))
    if many:
        table.add_section()
        overall = run.overall
        add_row(table, f"all {counted(overall.tasks, 'task')}", number(overall.accuracy, digits=3), style="bold")
    notes = _footnotes(rows, ties) + (FRAME_NOTES if by_frame else [])
    return Group(table, Text("\n".join(notes), style="dim"), Text())


def _columns(*, many: bool, ties: bool, by_frame: bool) -> dict[str, Callable[[TaskScore], str]]:
    """Head -> what a task has there."""
    columns: dict[str, Callable[[TaskScore], str]] = {"accuracy": lambda row: number(row.accuracy, digits=3)}
    if not many:
        columns["95 % interval"] = lambda row: (
            NONE if row.accuracy_interval is None else between(row.accuracy_interval)
        )
    columns |= {"margin": lambda row: nats(row.margin), "pairs": lambda row: f"{row.pairs:,}"}
    if ties:
        columns["ties"] = lambda row: f"{row.ties:,}"
    if by_frame:
        columns |= {frame: partial(_in_frame, frame) for frame in FRAMES}
    return columns


def _in_frame(frame: str, row: TaskScore) -> str:
    return number(next((found.accuracy for found in row.frames if found.frame == frame), None), digits=3)


def _footnotes(rows: Sequence[TaskScore], ties: bool) -> list[str]:
    sources = ", ".join(dict.fromkeys(row.data.source for row in rows))
    notes = [f"data: {sources}; convention: {rows[0].convention}"]
    notes.append("margin: log P(good) - log P(bad) in nats, mean over pairs")
    if len(rows) > 1:
        notes.append("accuracy of a phenomenon, and of all: the mean over its tasks")
    few = min(rows, key=lambda row: row.groups or row.pairs)
    if (few.groups or few.pairs) < FEWEST_PAIRS:
        fewest = counted_pairs(few.pairs, few.groups or few.pairs, "pair")
        notes.append(f"only {fewest}{f' of {few.task}' * (len(rows) > 1)}: accuracies are rough")
    if ties:
        notes.append("a tie counts as wrong")
    return [*notes, *_token_counts(rows)]


def _token_counts(rows: Sequence[TaskScore]) -> list[str]:
    """One line on what the number of tokens gives away, where the sentences of many pairs differ in it."""
    found = [row for row in rows if row.token_count.differ > MANY]
    if not found:
        return []
    lowest, highest = (pick(found, key=lambda row: row.token_count.accuracy) for pick in (min, max))
    low, high = (number(row.token_count.accuracy, 3) for row in (lowest, highest))
    rule = "fewer tokens = good, a tie one half, is right in"
    if len(found) == 1:
        of_task = f" of {highest.task}" if len(rows) > 1 else ""
        share = percent(highest.token_count.differ)
        return [f"token counts differ in {share} of the pairs{of_task}: {rule} {high}"]
    where = f"over {percent(MANY)} of the pairs of {counted(len(found), 'task')}"
    return [f"token counts differ in {where}: {rule} {low} ({lowest.task}) to {high} ({highest.task})"]
