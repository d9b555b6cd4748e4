"""The one look of all printed tables; what stands in a cell is never taken for markup."""

from __future__ import annotations

from rich import box
from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text


def grid(*headers: str, left: int = 1) -> Table:
    """A table with these column heads over a rule; the first `left` columns are texts, the others numbers.

    What is too wide folds; nothing is cut.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for place, header in enumerate(headers):
        justify: JustifyMethod = "left" if place < left else "right"
        table.add_column(Text(header, justify=justify), justify=justify, vertical="bottom", overflow="fold")
    return table


def add_row(table: Table, *cells: str | Text, style: str = "") -> None:
    """Add a row of texts that are shown as they are, brackets and colons included."""
    table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in cells), style=style)
