"""Results that show themselves in a notebook: the table as HTML, the figure below it."""

from __future__ import annotations

import base64
import io
from typing import Any

from rich.console import Console

from .tables import find_table


def find_html(entry: dict[str, Any]) -> str:
    """The table and the figure of one `find` as a piece of HTML without outside references."""
    from .figures import find_figure, save_figure

    console = Console(record=True, file=io.StringIO(), width=100, force_jupyter=False)
    console.print(find_table(entry))
    table = console.export_html(inline_styles=True, code_format="<pre>{code}</pre>")
    png = io.BytesIO()
    save_figure(find_figure(entry), png, dpi=110)
    picture = base64.b64encode(png.getvalue()).decode()
    return f'{table}<img width="720" alt="accuracy by layer" src="data:image/png;base64,{picture}">'
