"""What all figures share: canvas, colours, title, footnotes, file.

Colours are Okabe and Ito's, which colour-blind readers can tell apart; every series also has its own marker, so
that a figure survives a grey print. Nothing here touches pyplot or matplotlib's global settings, and none of the
user's settings (style, LaTeX, backend) touches a figure.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, TypeAlias

from matplotlib import rc_context, style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.text import Text

from neurosteer.rankings import Colour, ranking_method
from neurosteer.store import write_bytes

from .fonts import draw_any_script, text_width

BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
SKY, ORANGE, WINE, INDIGO = "#56B4E9", "#E69F00", "#882255", "#332288"
GREY, INK, FAINT = "#8C8C8C", "#333333", "#595959"
COLOUR_CODES: Mapping[Colour, str] = {
    "blue": BLUE,
    "vermilion": VERMILION,
    "green": GREEN,
    "purple": PURPLE,
    "sky": SKY,
    "orange": ORANGE,
    "wine": WINE,
    "grey": GREY,
}
Look: TypeAlias = dict[str, Any]  # keyword arguments of matplotlib: colour, marker, place and so on
ON_WHITE: Look = {"facecolor": "white", "edgecolor": "none", "pad": 1}  # behind a text that crosses lines
SMALL: Look = {"textcoords": "offset points", "fontsize": 8.5, "color": INK}
LEGEND: Look = {
    "loc": "outside lower center",
    "frameon": False,
    "fontsize": 9,
    "handlelength": 3.2,
    "columnspacing": 2.5,
}
BELOW: Look = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.13)}  # where a legend of one axes lies
DASHED, DOTTED = (0, (5, 3)), (0, (1, 2))
LAYER = "layer (block, counted from 0)"
ACCURACY = "test accuracy (share of sentences)"
SEPARATOR = "  ·  "
LETTER = 0.54  # mean width of a letter, in font sizes
BOLD = 1.25  # times as wide is a bold one


@contextmanager
def own_style() -> Iterator[None]:
    """Draw by matplotlib's defaults, whatever the user's matplotlibrc or style sheets ask for."""
    with style.context("default"):
        yield


def new_figure(width: float = 8.4, height: float = 5.0) -> Figure:
    """An empty figure, in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def plain(axes: Axes) -> None:
    """Horizontal grid lines behind the data, and no frame."""
    axes.grid(axis="y", color="#E6E6E6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def draw_known(axes: Axes, x: Iterable[float | int | None], y: Iterable[float | int | None], **look: Any) -> Line2D:
    """Plot the points of which both coordinates are known; a line passes over the others."""
    known = [(across, up) for across, up in zip(x, y, strict=True) if across is not None and up is not None]
    (line,) = axes.plot([across for across, _ in known], [up for _, up in known], **look)
    return line


def panel_title(axes: Axes, name: str, **look: Any) -> None:
    """What one of several panels shows."""
    axes.set_title(name, **{"fontsize": 10.5, "fontweight": "bold", "color": INK, **look})


def method_look(method: str) -> Look:
    """Colour and marker of what a method chose, or of given neurons, the same in every figure that compares them."""
    known = ranking_method(method)
    colour, marker = (COLOUR_CODES[known.colour], known.marker) if known else (INDIGO, "X")
    return {"color": colour, "marker": marker}


def title(axes: Axes, task: str, subtitle: Sequence[str], *, room: float = 0.0) -> None:
    """The task in bold, and beneath it what else must be known; `room` points above the axes stay free."""
    lines = _filled(subtitle, _letters(axes, 9.0))
    size = max(7.0, min(13.0, 13.0 * _letters(axes, 13 * BOLD) / max(text_width(task), 1)))
    name = _short(task, _letters(axes, size * BOLD))
    height = room + 8 + 10.8 * (len(lines) - 1)
    axes.set_title(name, loc="left", fontsize=size, fontweight="bold", color=INK, pad=height + 14)
    beneath = axes.annotate(
        "\n".join(lines),
        (0, 1),
        xycoords="axes fraction",
        xytext=(0, room + 8),
        textcoords="offset points",
        fontsize=9,
        color=FAINT,
        linespacing=1.2,
    )
    beneath.set_in_layout(False)  # a long path as the source must not squeeze the axes


def headline(figure: Figure, name: str, subtitle: Sequence[str]) -> None:
    """A title over the whole figure, and beneath it what else must be known; the layout keeps below them."""
    width, height = (72 * inches for inches in figure.get_size_inches())
    strip = headline_height(figure.get_figwidth(), subtitle)
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.set(rect=(0, 0, 1, 1 - 72 * strip / height))
    across: Look = {"x": 9 / width, "ha": "left", "va": "top"}
    size = max(7.0, min(13.0, (width - 24) / (LETTER * BOLD * max(text_width(name), 1))))
    figure.text(y=1 - 8 / height, s=name, fontsize=size, fontweight="bold", color=INK, **across)
    lines = "\n".join(_beneath(width / 72, subtitle))
    figure.text(y=1 - 28 / height, s=lines, fontsize=9, color=FAINT, linespacing=1.2, **across)


def headline_height(width: float, subtitle: Sequence[str]) -> float:
    """What a headline takes of a figure, in inches."""
    return (34 + 13 * len(_beneath(width, subtitle))) / 72


def footnotes(axes: Axes, notes: Sequence[str]) -> None:
    """Small print below the axes, folded at their width."""
    lines = [line for note in notes for line in textwrap.wrap(note, _letters(axes, 8.0), break_long_words=False)]
    axes.set_xlabel("\n".join(lines), loc="left", fontsize=8, color=FAINT, labelpad=8, linespacing=1.25)
    axes.xaxis.label.set_horizontalalignment("left")


def finish(figure: Figure) -> Figure:
    """The figure with its texts taken as they are."""
    as_written(figure)
    return figure


def as_written(drawn: Figure | Axes) -> None:
    """Take all texts as they are: a dollar sign in a name is a dollar sign, and letters are those of any script."""
    for text in drawn.findobj(Text):
        text.set_parse_math(False)
    draw_any_script(drawn)


@own_style()
def save_figure(figure: Figure, path: Path | BytesIO, *, dpi: int = 200) -> None:
    """Write a PNG (`dpi` dots per inch) whose bytes depend on the figure alone: no date, no version inside."""
    figure.savefig(path, format="png", dpi=dpi, facecolor="white", metadata={"Software": None})


@own_style()
def save_svg(figure: Figure, path: Path | BytesIO, *, dpi: int = 200) -> None:
    """Write an SVG, letters as outlines and images (`dpi`) inside, whose bytes depend on the figure alone."""
    with rc_context({"svg.hashsalt": "neurosteer", "svg.fonttype": "path"}):
        figure.savefig(path, format="svg", dpi=dpi, facecolor="white", metadata={"Date": None, "Creator": None})


@own_style()
def save_pdf(figure: Figure, path: Path) -> None:
    """Write a PDF whose bytes depend on the figure alone, whole or not at all."""
    content = BytesIO()
    with rc_context({"pdf.fonttype": 42}):  # letters stay letters: they can be searched and edited
        figure.savefig(content, format="pdf", facecolor="white", metadata={"CreationDate": None, "Producer": None})
    write_bytes(path, content.getvalue())


def save_pictures(figure: Figure, stem: Path) -> None:
    """Write `<stem>.png` and `<stem>.svg`, each whole or not at all."""
    for suffix, save in (("png", save_figure), ("svg", save_svg)):
        content = BytesIO()
        save(figure, content)
        write_bytes(stem.with_name(f"{stem.name}.{suffix}"), content.getvalue())


def short_name(name: str) -> str:
    """The last part of a path or hub id: `blimp` for `/home/me/blimp` and for `nyu-mll/blimp`."""
    return re.split(r"[/\\]", name.rstrip("/\\"))[-1] or name


def layer_axis(axes: Axes, layers: Sequence[int], *, named: bool = True, most: int = 16) -> None:
    """The layers that were measured below, numbered where there is room for about so many; horizontal grid lines."""
    axes.set_xlim(min(layers, default=0) - 0.6, max(layers, default=0) + 0.6)
    _layer_ticks(axes, layers, most)
    if named:
        axes.set_xlabel(LAYER)
    plain(axes)


def _layer_ticks(axes: Axes, layers: Sequence[int], most: int) -> None:
    """A tick at every layer that was measured, with its number where there is room (for about as many as `most`)."""
    room = (max(layers, default=0) - min(layers, default=0)) / most
    named: list[int] = []
    for layer in sorted(layers):
        if not named or layer - named[-1] >= room:
            named.append(layer)
    axes.set_xticks(named, [str(layer) for layer in named])
    axes.set_xticks(sorted(set(layers) - set(named)), minor=True)


def _beneath(width: float, subtitle: Sequence[str]) -> list[str]:
    return _filled(subtitle, int((72 * width - 24) / (LETTER * 9)))


def _letters(axes: Axes, size: float) -> int:
    """How many letters of a font size (points) find room from the left edge of the axes to that of the figure."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    return int((72 * figure.get_figwidth() - 70) / (LETTER * size))


def _filled(parts: Sequence[str], letters: int) -> list[str]:
    """The parts in as few lines as hold them."""
    lines: list[str] = []
    for part in parts:
        short = _short(part, int(0.85 * letters))  # a long part is a path, with many wide letters
        if lines and text_width(lines[-1] + SEPARATOR + short) <= letters:
            lines[-1] += SEPARATOR + short
        else:
            lines.append(short)
    return lines


def _short(text: str, letters: int) -> str:
    """A text without its beginning where it is too long: paths and names differ at their ends."""
    if text_width(text) <= letters:
        return text
    while text_width(text) >= letters and text:
        text = text[1:]
    return f"…{text}"
