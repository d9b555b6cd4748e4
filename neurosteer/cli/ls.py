"""List what there is to work with: tasks, models, recipes, runs.

neurosteer ls tasks
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from rich.table import Table
from rich.text import Text

from neurosteer.vocabulary import Json

from . import options
from .listing import print_listing
from .screen import READABLE, say, show

Row = Mapping[str, Json]
MOST_NAMED = 3  # tasks of one run
TASK_STATES = ("running", "waiting", "failed")


def tasks(
    data: options.Data = "auto",
    columns: options.Columns = options.DEFAULT_COLUMNS,
    layout: options.Layout = "auto",
    offline: options.Offline = False,
    format_: options.Format = "table",
) -> None:
    """List the tasks by phenomenon with an example and what a bag of words knows, or those of your own data.

    neurosteer ls tasks --data pairs.jsonl
    """
    options.prepare(offline=offline, quiet=False)
    from neurosteer.pairs import NAMED, PUBLISHED

    known = data in NAMED
    rows = _known_tasks(data) if known else _tasks_of(data, columns, layout, offline)
    if format_ == "json":
        print_listing("ls tasks", rows)
        return
    if known:
        print("what tells good from bad without a model: the last word, any word (.50 is chance)")
        if any(row["second"] for row in rows):
            print("second frame: of builtin:balanced, where it is no instance of the task's construction")
    published = PUBLISHED.get(data.partition(":")[0])
    if published is not None and not known:
        print(f"{data}: {published.hub_id} on the hub, {published.languages}, licence: {published.licence}")
    width = max(len(row["task"]) for row in rows)
    for phenomenon, group in groupby(rows, key=lambda row: row["phenomenon"]):
        say(phenomenon or "(no phenomenon)")
        for row in group:
            say(f"  {row['task']:<{width}}  {_baselines(row) if known else '{:,} pairs'.format(row['pairs'])}")
            if known:
                say(f"    + {row['example'][0]}\n    - {row['example'][1]}")
                if row["second"]:
                    say(f"    second frame: {row['second']}")


def _known_tasks(source: str) -> list[Row]:
    from dataclasses import asdict

    from neurosteer.pairs import known_tasks

    rows = [asdict(task) for task in known_tasks(source)]
    return [{"task": row.pop("uid"), **row} for row in rows]


def _baselines(row: Row) -> str:
    """`blimp .99 .92   builtin .50 .98   builtin:balanced .50 .50`."""
    numbers = {name: f"{found['last_word']:.2f} {found['unigram']:.2f}" for name, found in row["baselines"].items()}
    return "   ".join(f"{name} {both.replace('0.', '.')}" for name, both in numbers.items())


def _tasks_of(source: str, columns: tuple[str, str], layout: str, offline: bool) -> list[Row]:
    from neurosteer.pairs import load_tasks

    found = load_tasks(["all"], source=source, columns=columns, layout=layout, offline=offline)
    rows = [{"task": pairs.task, "phenomenon": pairs.phenomenon, "pairs": len(pairs)} for pairs in found]
    return sorted(rows, key=lambda row: (row["phenomenon"] or "", row["task"]))


def models(format_: options.Format = "table") -> None:
    """List the models that have a name here, and which of them are on this machine.

    neurosteer ls models
    """
    from neurosteer.model import known_models

    note = "Any local Hugging Face folder or hub id works too: --model PATH, --model OWNER/NAME"
    _list("ls models", known_models(), ("name", "source", "cached", "note"), note, format_)


def recipes(format_: options.Format = "table") -> None:
    """List the recipes that come with neurosteer.

    neurosteer ls recipes
    """
    from neurosteer.experiments.recipe import recipe_rows

    note = "A TOML file of your own works too: neurosteer run PATH"
    _list("ls recipes", recipe_rows(), ("name", "title"), note, format_)


def runs(out: options.Out = Path("runs"), format_: options.Format = "table") -> None:
    """List the runs in a folder, and what is running, waiting, failed or missing of those that are not finished.

    neurosteer ls runs --out runs/
    """
    from neurosteer.report.edit_labels import layer_range
    from neurosteer.results import record
    from neurosteer.runner import unfinished_runs
    from neurosteer.studies.runs import runs as kept_in
    from neurosteer.vocabulary import counted

    listed, unfinished = kept_in(out), [record(row) for row in unfinished_runs(out)]
    rows = [record(row) for row in listed]
    if format_ == "json":
        print_listing("ls runs", rows, unfinished=unfinished)
        return
    for text, row in zip(rows, listed, strict=True):
        text["tasks"] = row.tasks if len(row.tasks) <= MOST_NAMED else counted(len(row.tasks), "task")
        text["layers"] = layer_range(row.layers) if row.layers else None
    if rows:
        _print_table(rows, ("run", "command", "model", "tasks", "data", "site", "layers", "topk", "when"))
    if unfinished:
        print("not finished:")
        for one in unfinished:
            one |= {"missing": f"{one['missing']} of {one['units']} units", "tasks": _tasks(one)}
        _print_table(unfinished, ("run", "model", "state", "missing", "running", "tasks"))
    if not rows and not unfinished:
        say(f"no runs in '{out}'")


def _tasks(row: Row) -> str:
    """Slurm's tasks: `2 running, 1 waiting`."""
    return ", ".join(f"{row[f'tasks_{state}']} {state}" for state in TASK_STATES if row[f"tasks_{state}"])


def _list(command: str, rows: Sequence[Row], columns: Sequence[str], note: str, format_: str) -> None:
    if format_ == "json":
        print_listing(command, rows)
    else:
        _print_table(rows, columns)
        print(note)


def _print_table(rows: Sequence[Row], columns: Sequence[str]) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(row[column])) for column in columns))
    show(table, least=READABLE if sys.stdout and sys.stdout.isatty() else 200)  # a pipe has no width to fit


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
