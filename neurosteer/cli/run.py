"""`neurosteer run`: a whole experiment from its recipe, which goes on where it was stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurosteer.errors import InputError
from neurosteer.progress import duration
from neurosteer.vocabulary import Dtype, SplitKind, Workers, counted

from . import options, parse
from .option_groups import with_groups
from .progress import TerminalProgress
from .screen import say

if TYPE_CHECKING:
    from neurosteer.experiments.recipe import Recipe
    from neurosteer.runner import SlurmRequest

_option = partial(typer.Option, rich_help_panel="The recipe")


class Resumable(KeyboardInterrupt):
    """Ctrl-C in a command that goes on when it is given again."""


@dataclass(frozen=True)
class Instead:
    """Keys of a recipe that have an option of their own; None leaves what the recipe says."""

    task: options.Task = None
    data: Annotated[str | None, options.DATA] = None
    columns: Annotated[parse.Columns | None, options.COLUMNS] = None
    layout: Annotated[str | None, options.LAYOUT] = None
    limit: options.Limit = None
    split: Annotated[SplitKind | None, options.SPLIT] = None
    seed: Annotated[int | None, options.SEED] = None
    topk: Annotated[
        str | None,
        _option(
            "--topk", "-k", metavar="K", parser=parse.topk, help="How many neurons: a count (40) or a share (1%)."
        ),
    ] = None
    model: Annotated[str | None, options.MODEL] = None
    revision: options.Revision = None
    device: Annotated[str | None, options.DEVICE] = None
    dtype: Annotated[Dtype | None, options.DTYPE] = None
    device_map: options.DeviceMap = None
    bos: options.Bos = None
    eos: options.Eos = None

    def given(self) -> dict[str, object]:
        """Those that were given, by the names of their keys."""
        keys = {key: value for key, value in vars(self).items() if value is not None}
        return keys | {"tasks": list(dict.fromkeys(keys.pop("task")))} if "task" in keys else keys


def known_recipes() -> list[str]:
    """The recipes whose names a shell completes."""
    from neurosteer.experiments.recipe.bundled import bundled_recipes

    return list(bundled_recipes())


@with_groups
def run(
    recipe: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE",
            autocompletion=known_recipes,
            help="A TOML file, or the name of one that comes with neurosteer (ls recipes).",
        ),
    ],
    *,
    set_: Annotated[
        list[str] | None,
        _option(
            "--set",
            metavar="KEY=VALUE",
            help="Replace a key of the recipe: --set layers=0-5 --set lambdas=0.1,0.2. Repeats.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, _option("--dry-run", help="Say what there is to do and what it takes; do nothing.")
    ] = False,
    workers: Annotated[
        Any,  # a number or "auto"
        _option(
            metavar="N|auto",
            parser=parse.workers,
            help="So many processes share the units out; auto is one a GPU, else one a core.",
        ),
    ] = 1,
    slurm: Annotated[
        str | None,
        _option(
            metavar="N[%MAX]",
            help="Submit it to Slurm: N tasks, at most MAX at a time, and one that joins and draws.",
            show_default=False,
        ),
    ] = None,
    slurm_opt: Annotated[
        list[str] | None,
        _option(
            metavar="KEY=VALUE",
            help="An option of sbatch for the tasks: --slurm-opt partition=gpu --slurm-opt gpus_per_node=1. Repeats.",
            show_default=False,
        ),
    ] = None,
    instead: Instead,
    output: options.Output,
    progress: TerminalProgress,
) -> None:
    """Run a recipe: every unit of work, then figures, tables and one page; what is done already is not done again.

    neurosteer run fig5 --task intransitive --limit 200
    """
    overrides = _overrides(set_ or (), instead.given())
    from neurosteer.experiments.recipe import read_recipe
    from neurosteer.runner import Interrupted, SlurmRequest

    if slurm_opt and slurm is None:
        raise InputError(f"--slurm-opt {slurm_opt[0]}: give --slurm N too, the number of tasks")
    cluster = None if slurm is None else SlurmRequest.parse(slurm, slurm_opt or ())
    asked = read_recipe(recipe, overrides)
    try:
        if dry_run:
            _estimate(asked, cluster, output, progress)
        elif cluster is not None:
            _submit(asked, cluster, workers, output, progress)
        else:
            _run(asked, workers, output, progress)
    except KeyboardInterrupt as stop:
        raise Resumable(str(stop) if isinstance(stop, Interrupted) else "interrupted") from stop


def _overrides(settings: Sequence[str], given: Mapping[str, object]) -> dict[str, object]:
    """The keys of `--set` and of the options, each once."""
    overrides: dict[str, object] = {}
    for text in settings:
        key, sign, value = text.partition("=")
        if not sign:
            raise InputError(f"--set '{text}' is not KEY=VALUE")
        if key.strip() in overrides:
            raise InputError(f"--set gives '{key.strip()}' twice")
        overrides[key.strip()] = value.strip()
    for key in given:
        if key in overrides:
            raise InputError(f"'{key}' is given twice: by --set and by an option of its own")
    return overrides | dict(given)


def _run(asked: Recipe, workers: Workers, output: options.Output, progress: TerminalProgress) -> None:
    from neurosteer.experiments import run_recipe

    made = run_recipe(asked, out=output.out, workers=workers, offline=output.offline, progress=progress)
    for notice in made.outcome.notices:
        progress.notice(notice)
    progress.clear()
    if output.as_json:
        print(made.results.read_text("utf-8"), end="")
        return
    for verdict in made.outcome.verdicts:
        say(f"({verdict.claim}) {verdict.statement.rstrip('.')}: {verdict.text}")
    if made.page.is_file():
        say(f"page    {made.page}")
    say(f"run     {made.folder}")
    for figure in made.figures:
        say(f"figure  {figure}")


def _submit(
    asked: Recipe,
    cluster: SlurmRequest,
    workers: Workers,
    output: options.Output,
    progress: TerminalProgress,
) -> None:
    from neurosteer import __version__
    from neurosteer.experiments import submit_recipe
    from neurosteer.report import to_json

    folder, sent = submit_recipe(
        asked, cluster, out=output.out, workers=workers, offline=output.offline, progress=progress
    )
    progress.clear()
    if output.as_json:
        jobs = {"array": sent.array, "tasks": sent.tasks, "join": sent.join, "logs": str(sent.logs)}
        print(to_json({"command": "run", "version": __version__, "folder": str(folder), "slurm": jobs}), end="")
        return
    say(f"array   {sent.array} ({counted(sent.tasks, 'task')}, at most {cluster.at_most} at a time)")
    say(f"then    {sent.join}, which joins and draws")
    say(f"run     {folder}")
    say(f"logs    {sent.logs}")


def _estimate(
    asked: Recipe, cluster: SlurmRequest | None, output: options.Output, progress: TerminalProgress
) -> None:
    from neurosteer import __version__
    from neurosteer.experiments import estimate_recipe
    from neurosteer.report import to_json
    from neurosteer.results import record

    found = estimate_recipe(asked, out=output.out, offline=output.offline, progress=progress)
    progress.clear()
    if output.as_json:
        print(to_json({"command": "run", "version": __version__, "dry_run": record(found)}), end="")
        return
    say(f"units   {found.units - found.done} to do, {found.done} done")
    left_out = f" ({found.skipped} more allow no such split)" if found.skipped else ""
    say(f"data    {found.tasks} tasks{left_out}, {found.sentences:,} sentences")
    faster = "; a GPU takes a small part of it" if found.device == "cuda" else ""
    say(f"time    about {duration(found.seconds)}, as reckoned for 2 CPU cores{faster}")
    say(f"disk    about {size(found.kept)} to keep, and at most {size(found.scratch)} in passing")
    say(f"memory  at least {size(found.memory)}: the weights and the largest results at once")
    for line in cluster.in_words() if cluster else ():
        say(line)
    say(f"run     {found.folder}")


def size(count: int) -> str:
    """`340 MB`, `1.2 GB`."""
    left = float(count)
    for unit in ("B", "kB", "MB"):
        if left < 999.5:
            return f"{left:.0f} {unit}"
        left /= 1000
    return f"{left:.1f} GB"
