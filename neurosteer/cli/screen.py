"""What is printed on stdout: tables wide enough to be read, and nothing that a terminal would obey."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

_OBEYED = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # all but line ends
READABLE = 80  # columns: tables are made for them; squeezed into fewer, words and numbers would break


def visible(text: str) -> str:
    r"""A text with its control characters spelled out: names come from files, and a terminal obeys them.

    Example:
        >>> visible("a\x1b[31mred")
        'a\\x1b[31mred'
    """
    return _OBEYED.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def say(text: str) -> None:
    """Print plain text."""
    print(visible(text))


def show(renderable: RenderableType, *, least: int = READABLE) -> None:
    """Print tables and texts on stdout, as wide as the terminal, and at least `least` columns wide."""
    terminal = shutil.get_terminal_size().columns  # 80 where there is none, or where COLUMNS is 0
    Console(width=max(terminal, least)).print(_Visible(renderable))


class _Visible:
    def __init__(self, renderable: RenderableType) -> None:
        self.renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for segment in console.render(self.renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)
