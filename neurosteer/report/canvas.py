"""What all figures share: canvas, title, file.

Colours are Okabe and Ito's, which colour-blind readers can tell apart; every series also has its own marker, so
that a figure survives a grey print. Nothing here touches pyplot or matplotlib's global settings.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

BLUE, VERMILION, GREEN, GREY, INK = "#0072B2", "#D55E00", "#009E73", "#8C8C8C", "#333333"


def new_figure(width: float = 8.4, height: float = 5.0) -> Figure:
    """An empty figure, in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def title(axes: Axes, task: str, about: Sequence[str]) -> None:
    """The task in bold, and beneath it what else must be known."""
    axes.set_title(task, loc="left", fontsize=13, fontweight="bold", color=INK, pad=22)
    subtitle = axes.annotate(
        "  ·  ".join(about),
        (0, 1),
        xycoords="axes fraction",
        xytext=(0, 8),
        textcoords="offset points",
        fontsize=9,
        color="#595959",
    )
    subtitle.set_in_layout(False)  # a long path as the source must not squeeze the axes


def finish(figure: Figure) -> Figure:
    """The figure with its texts taken as they are: a dollar sign in a name is a dollar sign."""
    for text in figure.findobj(Text):
        text.set_parse_math(False)
    return figure


def save_figure(figure: Figure, path: Path | IO[bytes], *, dpi: int = 200) -> None:
    """Write a PNG (`dpi` dots per inch) whose bytes depend on the figure alone: no date, no version inside."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a name in a script that the font lacks
        figure.savefig(path, format="png", dpi=dpi, facecolor="white", metadata={"Software": None})
