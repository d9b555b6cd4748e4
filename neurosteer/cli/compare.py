"""`neurosteer compare`: two runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import options, parse
from .screen import show

_Run = Annotated[Path, typer.Argument(metavar="RUN", parser=parse.folder, help="A run's folder (see ls runs).")]


def compare(first: _Run, second: _Run, format_: options.Format = "table") -> None:
    """Compare two runs of find, score, ablate, amplify or evidence: differences, with their 95 % intervals.

    neurosteer compare runs/score-intransitive-a-1f2e3d4c runs/score-intransitive-b-5a6b7c8d
    """
    from neurosteer import __version__
    from neurosteer.report import comparison_table, to_json
    from neurosteer.results import record
    from neurosteer.studies import compare_runs

    found = compare_runs(first, second)
    if format_ == "json":
        print(to_json({"command": "compare", "version": __version__, **record(found)}), end="")
    else:
        show(comparison_table(found))
