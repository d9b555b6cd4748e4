"""Charts of matrices: a coloured cell for each two tasks, one of several matrices at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from neurosteer.report.palette import FALLING, PLACES, RISING

from .charts import CONFIG, SCHEMA, Chart, Choice, Row, Spec, hover

ROW = 12  # pixels of a row, at least
_MIDDLED = tuple(2 * place - 1 for place in PLACES)


@dataclass(frozen=True)
class Colours:
    """Where depths, from -1 to 1 about the middle of a scale, have which colour."""

    places: Sequence[float]
    colours: Sequence[str]


RISES = Colours(_MIDDLED, RISING)
FALLS = Colours([-place for place in reversed(_MIDDLED)], FALLING[::-1])
SHARES = Colours((0.0, 0.5, 1.0), ("#f3f6fa", "#6baed6", "#08306b"))


def matrix_chart(
    name: str,
    title: str,
    read: str,
    tasks: Sequence[str],
    rows: Sequence[Row],
    ends: tuple[str, str],
    choice: Choice,
    scales: Mapping[str, tuple[float, float]],
    on_hover: Mapping[str, str],
    colours: Colours = RISES,
) -> Chart:
    """`rows` have the tasks at their `ends` (of row, of column) under these names, and a number for each option of
    `choice` under its value; `scales` give for each the middle of its colours, and how far they reach. `on_hover`
    names what hover tells of a cell besides the tasks. Cells have numbers of tasks; page.js puts their names."""
    order = {task: place for place, task in enumerate(tasks)}
    first, second = ends
    cells = [
        {"row": order[str(row[first])], "column": order[str(row[second])]}
        | {name: value for name, value in row.items() if name not in ends}
        for row in rows
    ]
    options = [value for value, _ in choice.options]
    middles = {value: scales[value][0] for value in options}
    reaches = {value: scales[value][1] or 1 for value in options}
    size = 11 if len(tasks) <= 24 else 9

    def side(field: str, place: str, angle: int) -> Spec:
        sort = {"field": place, "op": "min", "order": "ascending"}
        font = {"labelLimit": 150, "labelFontSize": size, "labelAngle": angle}
        look = {**font, "labelOverlap": "greedy", "labelSeparation": -3, "ticks": False}
        return {"field": field, "type": "nominal", "sort": sort, "title": field, "axis": look}

    spec: Spec = {
        "$schema": SCHEMA,
        "description": f"{title}. {read}",
        "width": "container",
        "height": max(200, max(ROW, 22 if len(tasks) <= 24 else 0) * len(tasks)),
        "autosize": {"type": "fit-x", "contains": "padding"},
        "config": CONFIG,
        "usermeta": {"renderer": "canvas", "tasks": list(tasks), "ends": list(ends)},
        "params": [
            choice.param,
            {"name": "middles", "value": middles},
            {"name": "reaches", "value": reaches},
        ],
        "data": {"values": cells},
        "transform": [
            {"calculate": f"datum[{choice.name}]", "as": "number"},
            {"filter": "isValid(datum.number)"},
            {"calculate": f"(datum.number - middles[{choice.name}]) / reaches[{choice.name}]", "as": "depth"},
        ],
        "mark": {"type": "rect"},
        "encoding": {
            "y": side(first, "row", 0),
            "x": side(second, "column", -90),
            "color": {
                "field": "depth",
                "type": "quantitative",
                "legend": None,
                "scale": {
                    "domain": list(colours.places),
                    "range": list(colours.colours),
                    "interpolate": "rgb",
                    "clamp": True,
                },
            },
            "tooltip": hover((first, first), (second, second), *on_hover.items()),
        },
    }
    return Chart(name, title, read, spec, choices=[choice])
