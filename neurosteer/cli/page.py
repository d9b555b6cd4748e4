"""`neurosteer page`: the page of a run, made again from its folder and opened."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import options, parse
from .progress import progress_on_stderr
from .screen import say


def page(
    run: Annotated[Path, typer.Argument(metavar="RUN", parser=parse.given_folder, help="The folder of a run.")],
    open_: Annotated[bool, typer.Option("--open/--no-open", help="Open it in a browser.")] = True,
    pdf: Annotated[bool, typer.Option("--pdf", help="Also write the run's figures as PDF.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No notices.")] = False,
) -> None:
    """Make the page of a run again, from the files of its folder, and open it.

    neurosteer page runs/find-intransitive-smollm2-135m-e6b85c03
    """
    from neurosteer.studies.runs import make_page

    with progress_on_stderr(quiet=quiet):
        if pdf:
            from neurosteer.experiments import write_pdfs

            for figure in write_pdfs(run):
                say(f"figure  {figure}")
        made = make_page(run)
    say(f"page    {made}")
    if open_:
        options.open_page(made)
