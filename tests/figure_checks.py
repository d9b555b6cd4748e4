"""What every figure must keep to: texts on the canvas, and none upon another."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

SLACK = 1.0  # dots; the box of a text is a little larger than its letters


def texts_in(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]


def check_texts(figure: Figure) -> None:
    """Every text that is drawn lies on the canvas, and none on another."""
    figure.draw_without_rendering()
    unseen = {label for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for label in _beyond(axis)}
    shown = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    boxes = [(text.get_text(), text.get_window_extent()) for text in shown if text not in unseen]
    canvas = figure.bbox
    for text, box in boxes:
        assert canvas.x0 <= box.x0 and box.x1 <= canvas.x1, f"'{text}' leaves the canvas sideways"  # noqa: PT018
        assert canvas.y0 <= box.y0 and box.y1 <= canvas.y1, f"'{text}' leaves the canvas"  # noqa: PT018
    for (a, box), (b, other) in combinations(boxes, 2):
        assert not _overlap(box, other), f"'{a}' and '{b}' overlap"


def series_of(axes: Any) -> dict[str, tuple[list[float], list[float]]]:
    """The points of every line by its label."""
    return {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in axes.lines}


def _beyond(axis: Axis) -> set[Text]:
    """Labels of ticks outside of the axes: they are there, but not drawn."""
    low, high = sorted(axis.get_view_interval())
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    beyond = [tick for tick in ticks if not low <= tick.get_loc() <= high]
    return {label for tick in beyond for label in (tick.label1, tick.label2)}


def _overlap(a: Bbox, b: Bbox) -> bool:
    return a.x0 + SLACK < b.x1 and b.x0 + SLACK < a.x1 and a.y0 + SLACK < b.y1 and b.y0 + SLACK < a.y1
