"""Pictures that are blank: to render a figure takes longer than all else that a command on a tiny model does.

Figures are still made, of whatever is to be shown, and files written; tests of the figures themselves render them.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any
from weakref import WeakSet

from matplotlib.figure import Figure
from PIL import Image

RENDER = Figure.savefig
_LAID_OUT: WeakSet[Figure] = WeakSet()


def blank(figure: Figure, file: BytesIO, *, format: str, dpi: int, **_: Any) -> None:
    """A white picture of the figure's size."""
    width, height = (int(inches * dpi) for inches in figure.get_size_inches())
    if format == "svg":
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"></svg>'.encode())
    else:
        Image.new("1", (width, height), 1).save(file, format, dpi=(dpi, dpi))


def laid_out(figure: Figure, file: BytesIO, **how: Any) -> None:
    """The same, but all of the figure is laid out once, as a renderer would: what cannot be drawn is noticed."""
    if figure not in _LAID_OUT:
        figure.draw_without_rendering()
        _LAID_OUT.add(figure)
    blank(figure, file, **how)


def blank_from_now_on() -> None:
    """In a process of its own."""
    Figure.savefig = blank
