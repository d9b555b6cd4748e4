"""`neurosteer check`: are these files still what was written?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import options, parse
from .listing import print_listing
from .screen import say


def check(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH...", parser=parse.expanded, help="Rankings, neuron sets, or folders of runs."),
    ],
    format_: options.Format = "table",
) -> None:
    """Verify that artefacts are complete, unchanged and valid; exits with 1 if one is not.

    neurosteer check runs/
    """
    from neurosteer.artefacts import check_path

    rows = [row for path in paths for row in check_path(path)]
    if format_ == "json":
        print_listing("check", rows)
    else:
        for row in rows:
            message = f": {row['message']}" if row["message"] else ""
            say(f"{'ok ' if row['ok'] else 'BAD'}  {row['path']}  {row['kind']}{message}")
    if not all(row["ok"] for row in rows):
        raise typer.Exit(1)
