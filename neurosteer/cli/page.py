"""`neurosteer page`: the page of a run, made again from its folder and opened."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from neurosteer.errors import InputError

from . import options, parse
from .progress import progress_on_stderr
from .screen import say


def page(
    run: Annotated[
        Path | None,
        typer.Argument(
            metavar="RUN", parser=parse.given_folder, help="The folder of a run.", show_default="the newest"
        ),
    ] = None,
    *,
    open_: Annotated[bool, typer.Option("--open/--no-open", help="Open it in a browser.")] = True,
    pdf: Annotated[bool, typer.Option("--pdf", help="Also write the run's figures as PDF.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            parser=parse.folder,
            help="The folder of runs, for the newest of them.",
            show_default="runs",
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No notices.")] = False,
) -> None:
    """Make the page of a run (the newest, if none is named) again, from the files of its folder, and open it.

    neurosteer page runs/find-intransitive-smollm2-135m-e6b85c03
    """
    from neurosteer.studies.runs import make_page, runs

    with progress_on_stderr(quiet=quiet) as progress:
        if run is not None and out is not None:
            raise InputError(f"--out {out} is where the newest run is looked for; leave it out beside '{run}'")
        if run is None:
            out = out or Path("runs")
            newest = next(iter(runs(out, progress)), None)
            if newest is None:
                raise InputError(f"there is no finished run in '{out}'; name the folder of one")
            run = Path(newest.path)
        if pdf:
            from neurosteer.experiments import write_pdfs

            for figure in write_pdfs(run):
                say(f"figure  {figure}")
        made = make_page(run)
    say(f"page    {made}")
    if open_:
        options.open_page(made)
