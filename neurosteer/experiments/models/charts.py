"""The figures of several models on the page: a line for each thing that is measured, over all tasks or of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from neurosteer.experiments.scope import Scope
from neurosteer.report.canvas import short_name
from neurosteer.report.numbers import NONE, between
from neurosteer.report.pages.charts import (
    Chart,
    Choice,
    Row,
    Series,
    Spec,
    axis,
    chart_of,
    hover,
    in_rows,
    level,
    lines,
)
from neurosteer.results import Estimate

from .compute import position
from .result import ENCODED, USED, ModelMean, Models, TaskInModel

MEAN = "mean over tasks"
SHOWN = "datum.task == task && indexof(off, datum.series) < 0"
Of = Callable[[TaskInModel | ModelMean], Estimate]


def charts(result: Models, scope: Scope) -> list[Chart]:
    """When is the contrast encoded?"""
    dense, topk = Series("dense probe", 1), Series(f"top k by {ENCODED}", 0)
    known = Series("best baseline of words or tokens", 7, dashed=True)
    rows = [
        *_rows(result, dense, lambda row: row.dense),
        *_rows(result, topk, lambda row: row.topk),
        *_rows(result, known, lambda row: row.known),
    ]
    return [
        _chart("encoded", "Test accuracy", "test accuracy", result, [dense, topk, known], rows, *level(0.5, "chance"))
    ]


def used_charts(result: Models, scope: Scope) -> list[Chart]:
    """When are the neurons used? What there is to lose, and what is lost of it."""
    margin, lost = Series("unedited margin", 6), Series("share of the margin lost", 1)
    control = Series("lost under matched controls", 7, dashed=True)
    rows = [*_rows(result, lost, lambda row: row.lost), *_rows(result, control, _control)]
    of_margin = list(_rows(result, margin, lambda row: row.margin))
    nothing = level(0, "nothing")
    return [
        _chart("margin", "What there is to lose", "mean margin (nats)", result, [margin], of_margin, *nothing),
        _chart("lost", "What is lost of it", "share of the margin", result, [lost, control], rows, *nothing),
    ]


def kept_charts(result: Models, scope: Scope) -> list[Chart]:
    """Do the same neurons stay? At the later of two models."""
    series, rows = [], []
    for method, place in ((ENCODED, 0), (USED, 1)):
        own, chance = Series(f"top k by {method}", place), Series(f"by chance, {method}", 7 - place, dashed=True)
        series += [own, chance]
        for kept in result.kept:
            if kept.method == method:
                about = _place(result, kept.later) | {"task": kept.task}
                rows.append(_row(about, own, Estimate(kept.overlap)))
                rows.append(_row(about, chance, Estimate(kept.chance)))
        for mean in result.kept_means:
            if mean.method == method:
                about = _place(result, mean.later) | {"task": MEAN}
                rows.append(_row(about, own, mean.overlap))
                rows.append(_row(about, chance, Estimate(mean.chance)))
    return [_chart("kept", "Overlap with the model before", "share of the units in either set", result, series, rows)]


def _chart(
    name: str,
    title: str,
    measured: str,
    result: Models,
    series: Sequence[Series],
    rows: Sequence[Row],
    *beneath: Spec,
) -> Chart:
    shown = in_rows(series, rows)
    menu = [Choice("task", "Task", [(one, one) for one in (MEAN, *result.tasks)])] if len(result.tasks) > 1 else []
    filtered = SHOWN if menu else "indexof(off, datum.series) < 0"
    if not menu:
        rows = [row for row in rows if row["task"] == MEAN]
    tooltip = hover(
        ("model", "model"), ("series", "of"), ("value", measured), ("interval", "95 % interval"), ("task", "task")
    )
    ends = [row[end] for row in rows for end in ("value", "low", "high") if row[end] is not None]
    scale = {"domain": [min(ends), max(ends)], "nice": True} if ends else {}  # the same for every task
    y = axis("value", measured, scale=scale)
    drawn = lines(shown, _below(result), y, tooltip, filtered=filtered, bars=True)
    read = "A mark for each model, with its 95 % interval." + (" The menu shows a single task." if menu else "")
    return chart_of(name, title, read, [*beneath, *drawn], rows, series=shown, choices=menu)


def _below(result: Models) -> Spec:
    """The axis of models: their steps or sizes, or their order."""
    if result.axis == "order":
        names = [short_name(row.model) for row in result.models]
        return {"field": "name", "type": "ordinal", "sort": names, "title": None, "axis": {"labelAngle": 0}}
    scale, title = {"step": ("symlog", "training step"), "size": ("log", "parameters")}[result.axis]
    return axis("x", title, scale={"type": scale, "nice": False})


def _place(result: Models, model: str) -> Row:
    """Where a model stands."""
    [row] = [one for one in result.models if one.model == model]
    x = None if result.axis == "order" else float(position(row, result.axis))
    return {"model": model, "name": short_name(model), "x": x}


def _rows(result: Models, series: Series, of: Of) -> Iterator[Row]:
    """Of every task in every model, and of the means."""
    for row in result.rows:
        yield from _known(_place(result, row.model) | {"task": row.task}, series, of(row))
    for mean in result.means:
        yield from _known(_place(result, mean.model) | {"task": MEAN}, series, of(mean))


def _known(about: Row, series: Series, value: Estimate) -> Iterator[Row]:
    if value.value is not None:
        yield _row(about, series, value)


def _row(about: Row, series: Series, value: Estimate) -> Row:
    ends = NONE if value.low is None or value.high is None else between((value.low, value.high))
    return about | {
        "series": series.name,
        "value": value.value,
        "low": value.low,
        "high": value.high,
        "interval": ends,
    }


def _control(row: TaskInModel | ModelMean) -> Estimate:
    return Estimate(row.control)
