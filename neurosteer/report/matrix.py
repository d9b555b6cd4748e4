"""Heat maps over tasks: phenomena apart by lines and named on both axes, tasks where there are few."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize
from matplotlib.image import AxesImage

from .canvas import INK, Look
from .fonts import text_width
from .numbers import in_words

Matrix = Sequence[Sequence[float | None]]
FEW = 25  # tasks that are named one by one
ROOM = 0.026  # of a map's side, from the middle of a name to that of the next
LONGEST = 26  # letters of a task's name
NAME_SIZE = 7.5
GROUPS: Look = {"color": INK, "linewidth": 0.6, "alpha": 0.55}
QUANTILE, MANY = 0.99, 400  # of the absolute values, where a colour scale ends if there are so many cells


def draw_matrix(
    axes: Axes,
    matrix: Matrix,
    tasks: Sequence[str],
    phenomena: Sequence[str | None],
    colours: tuple[Colormap, Normalize],
    *,
    rows: str = "",
    columns: str = "",
) -> AxesImage:
    """Cells in colour, white where there is no value.

    `rows` and `columns` say what the axes are; rows that are not said are not named either.
    """
    cmap, norm = colours
    values = as_array(matrix)
    image = axes.imshow(values, cmap=cmap, norm=norm, interpolation="nearest")
    axes.spines[:].set_linewidth(0.6)
    name_rows(axes, tasks, phenomena, named=bool(rows))
    places, names = _names(tasks, phenomena)
    for start, _, _ in spans(phenomena)[1:]:
        axes.axvline(start - 0.5, **GROUPS)
    axes.set_xticks(places, names, rotation=90, fontsize=NAME_SIZE)
    axes.tick_params(length=0, pad=3)
    axes.set_xlabel(columns, fontsize=9)
    axes.set_ylabel(rows, fontsize=9)
    return image


def name_rows(axes: Axes, tasks: Sequence[str], phenomena: Sequence[str | None], *, named: bool = True) -> None:
    """Lines between phenomena, and names at the left."""
    for start, _, _ in spans(phenomena)[1:]:
        axes.axhline(start - 0.5, **GROUPS)
    places, names = _names(tasks, phenomena)
    axes.set_yticks(places, names if named else [""] * len(names), fontsize=NAME_SIZE)
    axes.tick_params(axis="y", length=0, pad=3)


def as_array(matrix: Matrix) -> np.ndarray:
    """NaN where a value is unknown; at least one cell."""
    values = np.array([[np.nan if cell is None else cell for cell in row] for row in matrix], dtype=float)
    return values if values.size else np.full((1, 1), np.nan)


def spans(phenomena: Sequence[str | None]) -> list[tuple[int, int, str]]:
    """First, one after last, and name of each run of tasks of one phenomenon."""
    found, start = [], 0
    for name, run in groupby(phenomena):
        end = start + len(list(run))
        found.append((start, end, name or "no phenomenon"))
        start = end
    return found


def reach_of(values: np.ndarray, least: float) -> float:
    """How far a symmetric scale goes: to the largest absolute value, of many cells to their 99 % quantile."""
    known = np.abs(values[np.isfinite(values)])
    if not known.size:
        return least
    return max(float(np.quantile(known, QUANTILE) if known.size >= MANY else known.max()), least)


def short(name: str) -> str:
    """A name without its middle where it is long: tasks differ at both ends."""
    most = LONGEST * len(name) // max(text_width(name), 1)  # fewer where letters are wide
    if text_width(name) <= LONGEST:
        return name
    head = most // 2
    return f"{name[:head]}…{name[head + 1 - most :]}"


def names_of(tasks: Sequence[str], phenomena: Sequence[str | None]) -> list[str]:
    """The names on the axes of a heat map."""
    return _names(tasks, phenomena)[1]


def _names(tasks: Sequence[str], phenomena: Sequence[str | None]) -> tuple[list[float], list[str]]:
    """Where names stand, and which: of tasks if they are few, else of the phenomena."""
    if len(tasks) < FEW:
        return [float(place) for place in range(len(tasks))], [short(task) for task in tasks]
    found: dict[float, str] = {}
    for start, end, name in spans(phenomena):
        middle = (start + end - 1) / 2
        if not found or middle - max(found) >= ROOM * len(tasks):
            found[middle] = short(in_words(name))
    return list(found), list(found.values())
