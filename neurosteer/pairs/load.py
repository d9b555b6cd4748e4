"""Loading pairs by task and source."""

from __future__ import annotations

from collections.abc import Sequence

from neurosteer.errors import InputError

from .records import Columns, to_pairs
from .selection import choose_tasks
from .sources import Source, open_source
from .types import Pairs

DEFAULT_COLUMNS = ("sentence_good", "sentence_bad")


def load_pairs(
    task: str | None = None,
    *,
    source: str = "auto",
    n: int | None = None,
    columns: Columns = DEFAULT_COLUMNS,
    offline: bool = False,
) -> Pairs:
    """The pairs of one task.

    `source` is `blimp` (the hub's nyu-mll/blimp or its cached copy) or `auto` (the same), the path of a file
    (JSON Lines, CSV, TSV, Parquet; one task, named by the stem) or of a folder of such files, or a hub id
    OWNER/NAME whose configurations are its tasks. Without `task` the source must hold just one. `columns`
    name the good and the bad sentence; `n` keeps the first n pairs; `offline` never reaches for the network.

    Raises InputError for anything unknown, unreachable or malformed, naming the file and line.
    """
    opened = open_source(source, task=task, offline=offline)
    names = choose_tasks([] if task is None else [task], opened.tasks, lambda _: None, hint=opened.hint)
    if len(names) > 1:
        raise InputError(f"'{task}' is {len(names)} tasks ({names[0]}, {names[1]}, ...); name one")
    return _load(opened, names[0], n, columns)


def load_tasks(
    tasks: Sequence[str],
    *,
    source: str = "auto",
    n: int | None = None,
    columns: Columns = DEFAULT_COLUMNS,
    offline: bool = False,
) -> list[Pairs]:
    """The pairs of several tasks, given as names, globs (`*island*`), phenomena (`island_effects`) or `all`.

    In the order asked for, alphabetically within one request, each task once. Otherwise as `load_pairs`.
    """
    opened = open_source(source, offline=offline)
    names = choose_tasks(tasks, opened.tasks, opened.phenomenon_of, hint=opened.hint)
    return [_load(opened, name, n, columns) for name in names]


def _load(source: Source, task: str, n: int | None, columns: Columns) -> Pairs:
    records = source.records(task)
    return to_pairs(records, task=task, source=source.name, place=source.place(task), columns=columns).limit(n)
