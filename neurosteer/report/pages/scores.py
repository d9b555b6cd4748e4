"""The page of `score`: accuracy by task, margins, and the pairs in text coloured by log-probability."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from neurosteer.report.numbers import NONE, between, in_words, nats, number
from neurosteer.report.table import Table
from neurosteer.results.score import ScoreRun, TaskScore
from neurosteer.store import SUFFIX, file_stem
from neurosteer.vocabulary import counted

from .charts import (
    Chart,
    Row,
    Series,
    axis,
    by_series,
    chart_of,
    hover,
    in_rows,
    level,
    names,
    placed,
    shape_by_series,
)
from .document import Part, View
from .origin import read_results
from .tokens import MOST_NUMBERS, csv_rows, token_data

RIGHT, WRONG = Series("right", 0), Series("wrong", 1)


def scores_of(folder: Path) -> ScoreRun:
    """The scores of a run."""
    return read_results(ScoreRun, folder)


def score_reading(run: ScoreRun) -> list[tuple[str, str]]:
    """What the accuracies say, in a sentence."""
    overall = run.overall
    said = f"The unedited model prefers the good sentence in {number(overall.accuracy)} of the pairs"
    if overall.tasks == 1:
        row = run.results[0]
        return [(row.task, f"{said} ({row.pairs:,}); the mean margin is {nats(row.margin)} nats.")]
    return [("all", f"{said}, as a mean over {counted(overall.tasks, 'task')} of which each counts as much.")]


def score_settings(run: ScoreRun) -> list[tuple[str, str]]:
    first = run.results[0]
    pairs = sum(row.pairs for row in run.results)
    return [("data", f"{first.data.source}, {pairs:,} pairs"), ("sentences scored by", first.convention)]


def score_overview(run: ScoreRun) -> list[Part]:
    """All tasks beside each other."""
    rows = sorted(run.results, key=lambda row: -row.accuracy)
    table = Table(
        "Accuracy: share of pairs whose good sentence is the more probable one",
        ("task", "phenomenon", "accuracy", "95 % interval", "mean margin (nats)", "pairs", "ties"),
        tuple(
            (
                row.task,
                in_words(row.phenomenon or ""),
                number(row.accuracy, 3),
                NONE if row.accuracy_interval is None else between(row.accuracy_interval),
                nats(row.margin),
                f"{row.pairs:,}",
                f"{row.ties:,}",
            )
            for row in rows
        ),
        left=2,
    )
    charts = [_tasks_chart(rows)] if len(rows) > 1 else []
    return [Part("tasks", "Task by task", charts=charts, tables=[table])]


def _tasks_chart(tasks: Sequence[TaskScore]) -> Chart:
    phenomena = sorted({row.phenomenon or "other" for row in tasks})
    series = [Series(in_words(name), i) for i, name in enumerate(phenomena)]
    rows: list[Row] = [
        {
            "task": row.task,
            "series": in_words(row.phenomenon or "other"),
            "value": row.accuracy,
            "interval": NONE if row.accuracy_interval is None else between(row.accuracy_interval),
            "margin": nats(row.margin),
            "pairs": row.pairs,
        }
        for row in tasks
    ]
    rows, y = placed(rows, "task"), names("task", labelLimit=300, grid=True)
    tooltip = hover(
        ("task", "task"),
        ("series", "phenomenon"),
        ("value", "accuracy"),
        ("interval", "95 % interval"),
        ("margin", "mean margin"),
        ("pairs", "pairs"),
    )
    mark = {
        "transform": [{"filter": "indexof(off, datum.series) < 0"}],
        "mark": {"type": "point", "filled": True, "size": 80, "opacity": 1},
        "encoding": {
            "x": axis("value", "accuracy"),
            "y": y,
            "color": by_series(series),
            "shape": shape_by_series(series),
            "tooltip": tooltip,
        },
    }
    layers = [*level(0.5, "chance", at="x"), mark]
    read = "Tasks from the easiest to the hardest; the dashed line is chance."
    return chart_of("tasks", "Accuracy by task", read, layers, rows, series=series, height=18 * len(rows))


def score_views(folder: Path, run: ScoreRun) -> list[View]:
    """A view for each task."""
    room = max(MOST_NUMBERS // len(run.results), 400)
    return [View(row.task, list(_parts(folder, row, room))) for row in run.results]


def _parts(folder: Path, row: TaskScore, room: int) -> Iterator[Part]:
    if row.csv is None:
        return
    rows = csv_rows(folder / Path(row.csv).name)
    margins = {one["pair"]: float(one["margin"]) for one in rows}
    yield Part("margins", "Margins", charts=[_margins_chart(margins)])
    tokens = folder / f"{file_stem(row.task)}.tokens{SUFFIX}"
    if tokens.is_file():
        known = {pair: (margin,) for pair, margin in margins.items()}
        data = token_data(tokens, known, ["unedited"], convention=row.convention, most=room)
        yield Part("pairs", "The pairs", tool="pairs", data=data)


def _margins_chart(margins: dict[str, float]) -> Chart:
    rows: list[Row] = [
        {"pair": pair, "value": margin, "series": RIGHT.name if margin > 0 else WRONG.name}
        for pair, margin in margins.items()
    ]
    series = in_rows((RIGHT, WRONG), rows)
    bars = {
        "transform": [{"filter": "indexof(off, datum.series) < 0"}],
        "mark": {"type": "bar", "opacity": 0.85},
        "encoding": {
            "x": {"field": "value", "type": "quantitative", "bin": {"maxbins": 40}, "title": "margin (nats)"},
            "y": {"aggregate": "count", "type": "quantitative", "title": "pairs"},
            "color": by_series(series),
            "tooltip": [
                {"field": "value", "bin": {"maxbins": 40}, "type": "quantitative", "title": "margin (nats)"},
                {"aggregate": "count", "type": "quantitative", "title": "pairs"},
            ],
        },
    }
    read = "How many pairs have which margin; above zero the good sentence is the more probable one."
    layers = [bars, *level(0, "", at="x")]
    return chart_of("margins", "Margins of the pairs", read, layers, rows, series=series, height=240)
