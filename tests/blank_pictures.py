"""Pictures that are blank: to render a figure takes longer than all else that a command on a tiny model does.

Figures are still made, of whatever is to be shown, and files written; tests of the figures themselves render them.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

from matplotlib.figure import Figure
from PIL import Image

RENDER = Figure.savefig


def blank(figure: Figure, file: BytesIO, *, format: str, dpi: int, **_: Any) -> None:
    """A white picture of the figure's size."""
    width, height = (int(inches * dpi) for inches in figure.get_size_inches())
    if format == "svg":
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"/>'.encode())
    else:
        Image.new("1", (width, height), 1).save(file, format, dpi=(dpi, dpi))


def blank_from_now_on() -> None:
    """In a process of its own."""
    Figure.savefig = blank
