"""Loading pairs by task and source."""

from __future__ import annotations

from collections.abc import Sequence

from neurosteer.errors import InputError
from neurosteer.progress import QUIET, Progress

from .records import DEFAULT_COLUMNS, Columns
from .selection import choose_tasks
from .sources import open_source
from .types import Pairs


def load_pairs(
    task: str | None = None,
    *,
    source: str = "auto",
    n: int | None = None,
    seed: int = 0,
    columns: Columns = DEFAULT_COLUMNS,
    offline: bool = False,
    progress: Progress = QUIET,
) -> Pairs:
    """The pairs of one task.

    `source` is `blimp` (the hub's nyu-mll/blimp or its cached copy), `builtin` (made by grammars of our own),
    `builtin:balanced` (the same in a form in which no word tells good from bad), `auto` (BLiMP if it can be had,
    else built-in, with a notice), the path of a file (JSON Lines, CSV, TSV, Parquet; one task, named by the stem)
    or of a folder of such files, or a hub id OWNER/NAME whose configurations are its tasks. Without `task` the
    source must hold just one. `columns` name the good and the bad sentence; `n` keeps the first n pairs, and makes
    that many of the built-in ones (1,000 by default), which `seed` decides; `offline` never reaches for the network.

    Raises InputError for anything unknown, unreachable or malformed, naming the file and line.
    """
    opened = open_source(source, task=task, offline=offline, progress=progress)
    names = choose_tasks([] if task is None else [task], opened.tasks, lambda _: None, hint=opened.hint)
    if len(names) > 1:
        raise InputError(f"'{task}' is {len(names)} tasks ({names[0]}, {names[1]}, ...); name one")
    return opened.pairs(names[0], n=n, columns=columns, seed=seed)


def load_tasks(
    tasks: Sequence[str],
    *,
    source: str = "auto",
    n: int | None = None,
    seed: int = 0,
    columns: Columns = DEFAULT_COLUMNS,
    offline: bool = False,
    progress: Progress = QUIET,
) -> list[Pairs]:
    """The pairs of several tasks, given as names, globs (`*island*`), phenomena (`island_effects`) or `all`.

    In the order asked for, alphabetically within one request, each task once. Otherwise as `load_pairs`.
    """
    opened = open_source(source, offline=offline, progress=progress)
    names = choose_tasks(tasks, opened.tasks, opened.phenomenon_of, hint=opened.hint)
    return [opened.pairs(name, n=n, columns=columns, seed=seed) for name in names]
