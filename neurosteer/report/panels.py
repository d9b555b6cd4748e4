"""A sheet of square panels, two in a row, placed to the point: maps of the same tasks line up with each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from .canvas import FAINT, Look, headline, headline_height, new_figure, panel_title
from .fonts import text_width
from .numbers import percent

COLUMNS = 2
SIDE, ABOVE = 3.9, 0.45  # of a panel, and what stays free above it (inches)
LEFT, BELOW = 0.45, 0.5  # what stays free beside it, but for names,
LEAST_LEFT, LEAST_BELOW = 1.35, 1.15  # and at least, for names of other rows and for legends
LETTER = 0.062  # of a name
BAR, BAR_GAP, BESIDE = 0.14, 0.1, 1.05  # colour bar, its distance, and all that lies to the right of a panel


@dataclass(frozen=True, eq=False)
class SquarePanel:
    """A square, and whether it begins a row: only then do rows have names."""

    axes: Axes
    first: bool

    def colour_bar(self, image: AxesImage, label: str) -> None:
        """Beside the panel; where cells lie beyond its ends these are arrows, and the label says how many do."""
        figure = self.axes.get_figure(root=True)
        assert isinstance(figure, Figure)
        box, width = self.axes.get_position(), figure.get_figwidth()
        beside = figure.add_axes((box.x1 + BAR_GAP / width, box.y0, BAR / width, box.height))
        values = np.asarray(image.get_array()).ravel()
        low, high = image.get_clim()
        below, above = (int((beyond).sum()) for beyond in (values < low, values > high))
        extend = ("both" if below else "max") if above else ("min" if below else "neither")
        share = (below + above) / max(int(np.isfinite(values).sum()), 1)
        beyond = f"; {percent(share)} of the cells lie beyond" if share else ""
        bar = figure.colorbar(image, cax=beside, extend=extend)
        bar.set_label(label + beyond, fontsize=8.5)
        bar.ax.tick_params(labelsize=8)
        bar.outline.set_linewidth(0.6)

    def title(self, name: str, beneath: str = "") -> None:
        """What the panel shows; `beneath` in small letters."""
        panel_title(self.axes, name, pad=18 if beneath else 6)
        if beneath:
            place: Look = {"xycoords": "axes fraction", "textcoords": "offset points", "ha": "center"}
            self.axes.annotate(beneath, (0.5, 1), xytext=(0, 6), fontsize=8.5, color=FAINT, **place)

    def name_rows(self, names: Sequence[str], label: str) -> None:
        """Names of rows from the top down, at the outer edge; values along the foot, with vertical grid lines."""
        self.axes.set_yticks(range(len(names)), names, fontsize=8.5)
        self.axes.set_ylim(len(names) - 0.5, -0.5)
        if not self.first:
            self.axes.yaxis.tick_right()
        self.axes.tick_params(axis="y", length=0, pad=4)
        self.axes.set_xlabel(label, fontsize=9)
        vertical_grid(self.axes)


def vertical_grid(axes: Axes) -> None:
    """Vertical grid lines behind the data, and no frame."""
    axes.grid(axis="x", color="#E6E6E6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def new_sheet(
    count: int, name: str, subtitle: Sequence[str], names: Sequence[str], *, foot: float | None = None
) -> tuple[Figure, list[SquarePanel]]:
    """A figure with its headline and so many panels, row by row.

    Room for `names` is at the left and below; `foot` is what stays free below the last row, if there are none.
    """
    across, down = min(count, COLUMNS), -(-count // COLUMNS)
    reach = LETTER * max(map(text_width, names), default=0)
    left, below = max(LEFT + reach, LEAST_LEFT), max(BELOW + reach, LEAST_BELOW)
    foot = below if foot is None else foot
    width = max(left + across * (SIDE + BESIDE), 7.0)
    height = down * (ABOVE + SIDE + below) - below + foot
    figure = new_figure(width, height + headline_height(width, subtitle))
    figure.set_layout_engine("none")
    headline(figure, name, subtitle)
    panels = []
    for place in range(count):
        row, column = divmod(place, COLUMNS)
        bottom = (down - 1 - row) * (ABOVE + SIDE + below) + foot
        beside = left + column * (SIDE + BESIDE)
        box = (beside / width, bottom / figure.get_figheight(), SIDE / width, SIDE / figure.get_figheight())
        panels.append(SquarePanel(figure.add_axes(box), column == 0))
    return figure, panels
