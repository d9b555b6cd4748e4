"""The page of `evidence`: six questions, each with its answer beside controls; the curve; what happens elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from neurosteer.references import REFERENCE_POINTS
from neurosteer.report.edit_labels import in_layers
from neurosteer.report.evidence import HOLDS
from neurosteer.report.numbers import NONE, nats, number, p_value
from neurosteer.report.table import Table
from neurosteer.results import read_record
from neurosteer.results.evidence import Answer, EvidenceResult
from neurosteer.vocabulary import Json, counted

from .changes import CONTROL, own_series
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
    lines,
    names,
    placed,
    shape_by_series,
)
from .document import Listed, Listing, Part, View

CURVE = (Series("by the ranking", 1), Series("reversed", 3, dashed=True), Series("shuffled controls", 7))


def evidence_of(entries: Sequence[Json]) -> list[EvidenceResult]:
    """What was found about each neuron set."""
    return [read_record(EvidenceResult, entry) for entry in entries]


def name_of(found: EvidenceResult) -> str:
    """What a set is called."""
    return found.asked_about if found.by == "direction" else found.method or "given"


def evidence_reading(found: Sequence[EvidenceResult]) -> list[tuple[str, str]]:
    return [(name_of(one), f"{one.verdict.capitalize()}. {one.reading}".strip()) for one in found]


def evidence_settings(found: Sequence[EvidenceResult]) -> list[tuple[str, str]]:
    first = found[0]
    return [
        ("task", first.task),
        ("data", f"{first.data.source}, {counted(first.data.tested, 'test pair')} of {first.data.pairs:,}"),
        _asked_about(first),
        (f"{first.noun}s from", first.neurons_from or "given"),
        ("moved to", REFERENCE_POINTS[first.to].words),
        ("clean margin", f"{nats(first.margin)} nats [{nats(first.margin_low)}, {nats(first.margin_high)}]"),
        ("family", f"q is adjusted for {counted(first.family, 'question')}"),
    ]


def _asked_about(found: EvidenceResult) -> tuple[str, str]:
    place = f"{in_layers(found.layers)} ({found.site})"
    if found.by == "direction":
        return "direction", f"{found.asked_about} of {place}"
    return f"{found.noun}s", f"{found.k:,} of {found.width:,} at {place}"


def evidence_views(found: Sequence[EvidenceResult]) -> list[View]:
    """A view for each neuron set."""
    return [View(name_of(one), list(_parts(one))) for one in found]


def evidence_overview(found: Sequence[EvidenceResult]) -> list[Part]:
    """Which questions hold, set by set."""
    questions = list(dict.fromkeys(question for one in found for question in one.tests))
    rows = tuple((question, *(_short(one.tests.get(question)) for one in found)) for question in questions)
    heads = ("question", *map(name_of, found))
    caption = "Does it hold, the value with its 95 % interval, p among controls; ? cannot be told"
    return [Part("answers", "Six questions", tables=[Table(caption, heads, rows, left=1 + len(found))])]


def _short(answer: Answer | None) -> str:
    if answer is None:
        return NONE
    ends = "" if answer.low is None or answer.high is None else f" [{number(answer.low)}, {number(answer.high)}]"
    return f"{HOLDS[answer.holds]}: {number(answer.value)}{ends}, p {p_value(answer.p)}"


def _parts(found: EvidenceResult) -> Iterator[Part]:
    for question, answer in found.tests.items():
        text = [f"Holds: {HOLDS[answer.holds]}. {answer.sentence}", *([answer.why] if answer.why else [])]
        charts = [] if answer.value is None else [_answer_chart(found, answer)]
        yield Part(question, question.capitalize(), text, charts, [_beside(answer)] if answer.beside else [])
    if found.curve:
        text = [f"CPR {number(found.cpr, 3)} (area below f), CMD {number(found.cmd, 3)} (area between f and 1)."]
        yield Part("curve", "How few are enough?", text, [_curve_chart(found)])
    if found.elsewhere:
        yield Part("elsewhere", "Elsewhere", charts=[_elsewhere_chart(found)])
    if not found.neurons:
        return
    neurons = [Listed(row.name, f"{row.score:.4g}") for row in found.neurons]
    caption = f"{counted(len(neurons), found.noun)}, highest score first"
    yield Part("set", f"The {found.noun}s", listings=[Listing(caption, neurons)])


def _own(found: EvidenceResult) -> Series:
    """What is asked about, as a legend names it."""
    return own_series("direction", 1) if found.by == "direction" else own_series(found.noun, found.k)


def _beside(answer: Answer) -> Table:
    rows = tuple(
        (one.what, number(one.value), f"{number(one.low)} to {number(one.high)}" if one.low is not None else NONE)
        for one in answer.beside
    )
    return Table("Beside it", ("what", "value", "95 % interval"), rows)


def _answer_chart(found: EvidenceResult, answer: Answer) -> Chart:
    """One strip: the value with its interval, the controls below it."""
    asked = _own(found)
    own: Row = {"series": asked.name, "value": answer.value, "low": answer.low, "high": answer.high}
    ends = NONE if answer.low is None or answer.high is None else f"{number(answer.low)} to {number(answer.high)}"
    own |= {"interval": ends, "p": p_value(answer.p), "beside": _range(answer.controls), "set": "own"}
    rows = [own]
    for i, value in enumerate(answer.controls, start=1):
        row: Row = {"series": CONTROL.name, "value": value, "low": None, "high": None}
        rows.append({**row, "interval": f"control {i}", "p": NONE, "beside": NONE, "set": "controls"})
    series = [asked, CONTROL] if answer.controls else [asked]
    x = axis("value", answer.measures or answer.question, scale={"zero": True})
    rows, y = placed(rows, "set"), names("set", grid=False)
    tooltip = hover(
        ("series", "of"), ("value", "value"), ("interval", "95 % interval"), ("p", "p"), ("beside", "controls")
    )
    shown = {"filter": "indexof(off, datum.series) < 0"}
    look = {"color": by_series(series), "shape": shape_by_series(series), "tooltip": tooltip}
    layers = [
        *level(answer.null, "nothing", at="x"),
        {
            "transform": [shown, {"filter": "isValid(datum.low)"}],
            "mark": {"type": "rule", "strokeWidth": 2.5},
            "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y, "color": by_series(series)},
        },
        {
            "transform": [shown],
            "mark": {"type": "point", "filled": True, "size": 70, "opacity": 0.85},
            "encoding": {"x": x, "y": y, **look},
        },
    ]
    read = "The bar is the 95 % interval; the dashed line is where there is nothing."
    return chart_of(
        "answer", answer.measures or answer.question, read, layers, rows, series=series, height=36 * len(series)
    )


def _range(controls: Sequence[float]) -> str:
    """`19: -0.10 to 0.08`."""
    return f"{len(controls):,}: {number(min(controls))} to {number(max(controls))}" if controls else NONE


def _curve_chart(found: EvidenceResult) -> Chart:
    rows: list[Row] = []
    for point in found.curve:
        place: Row = {"share": 100 * point.share, "units": point.units}
        interval = f"{number(point.low)} to {number(point.high)}"
        rows.append(
            {
                **place,
                "series": CURVE[0].name,
                "value": point.f,
                "low": point.low,
                "high": point.high,
                "interval": interval,
            }
        )
        rows.append(
            {**place, "series": CURVE[1].name, "value": point.reverse, "low": None, "high": None, "interval": NONE}
        )
        if point.controls:
            low, high = min(point.controls), max(point.controls)
            mean = sum(point.controls) / len(point.controls)
            rows.append(
                {
                    **place,
                    "series": CURVE[2].name,
                    "value": mean,
                    "low": low,
                    "high": high,
                    "interval": f"range {number(low)} to {number(high)}",
                }
            )
    series = in_rows(CURVE, rows)
    x = axis("share", "share of the units that is kept (%, log scale)", scale={"type": "log", "nice": False})
    y = axis("value", "share of the preference that is kept")
    tooltip = hover(
        ("series", "order"), ("share", "kept (%)"), ("units", "units"), ("value", "f"), ("interval", "95 % interval")
    )
    drawn = lines(series, x, y, tooltip, filtered="indexof(off, datum.series) < 0")
    read = "At 1 the whole preference is kept, at 0 none. The band about the controls is their range."
    layers = [*level(1, "all of it"), *level(0, "none"), *drawn]
    return chart_of("curve", "Preference kept", read, layers, rows, series=series)


def _elsewhere_chart(found: EvidenceResult) -> Chart:
    rows: list[Row] = []
    asked = _own(found)
    for row in found.elsewhere:
        if row.effect is None:
            continue
        about: Row = {"task": row.task, "kind": row.kind, "beside": _range(row.controls)}
        rows.append({**about, "series": asked.name, "value": row.effect})
        rows += [{**about, "series": CONTROL.name, "value": value} for value in row.controls]
    series = in_rows((asked, CONTROL), rows)
    x = axis("value", "fall of the mean margin (standard deviations of the clean margins)", scale={"zero": True})
    rows, y = placed(rows, "task"), names("task", labelLimit=260, grid=False)
    tooltip = hover(("task", "task"), ("kind", "kind"), ("series", "of"), ("value", "effect"), ("beside", "controls"))
    mark = {
        "transform": [{"filter": "indexof(off, datum.series) < 0"}],
        "mark": {"type": "point", "filled": True, "size": 60, "opacity": 0.8},
        "encoding": {
            "x": x,
            "y": y,
            "color": by_series(series),
            "shape": shape_by_series(series),
            "tooltip": tooltip,
        },
    }
    read = "A set that does one thing alone stays near zero on every other task."
    layers = [*level(0, "no effect", at="x"), mark]
    return chart_of(
        "elsewhere",
        "The same edit on other tasks",
        read,
        layers,
        rows,
        series=series,
        height=24 * max(len(found.elsewhere), 2),
    )
