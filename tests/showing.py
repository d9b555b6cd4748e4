"""What a terminal shows."""

from __future__ import annotations

import io

from rich.console import Console, RenderableType


def printed(renderable: RenderableType, width: int = 80) -> str:
    """The text on a terminal without colours, `width` columns wide; spaces at the ends of lines are left out."""
    text = io.StringIO()
    Console(file=text, width=width).print(renderable)
    lines = text.getvalue().splitlines()
    assert max(map(len, lines), default=0) <= width
    return "".join(f"{line.rstrip()}\n" for line in lines)


def coloured(renderable: RenderableType, width: int = 80) -> str:
    """The same with its ANSI codes."""
    text = io.StringIO()
    Console(file=text, width=width, force_terminal=True, color_system="standard", no_color=False).print(renderable)
    return text.getvalue()
