"""Loading pairs by task and source."""

from __future__ import annotations

from collections.abc import Sequence

from neurosteer.errors import InputError
from neurosteer.progress import AUTO, Progress
from neurosteer.vocabulary import COLUMNS, Columns

from .selection import choose_tasks
from .sources import open_source
from .types import Pairs


def load_pairs(
    task: str | None = None,
    *,
    source: str = "auto",
    limit: int | None = None,
    seed: int = 0,
    columns: Columns = COLUMNS,
    offline: bool = False,
    progress: Progress = AUTO,
) -> Pairs:
    """The pairs of one task.

    Args:
        task: its name; without one the source must hold just one task.
        source: `blimp` (the hub's nyu-mll/blimp or its cached copy), `builtin` (made by grammars of our own),
            `builtin:balanced` (the same in a form in which no word tells good from bad), `auto` (BLiMP if it can be
            had, else built-in, with a notice), the path of a file (JSON Lines, CSV, TSV, Parquet; one task, named by
            the stem) or of a folder of such files, or a hub id OWNER/NAME whose configurations are its tasks.
        limit: only the first so many pairs; of the built-in ones so many are made (1,000 by default).
        seed: decides which built-in pairs are made.
        columns: the names of the columns with the good and the bad sentences, in files of your own.
        offline: never reach for the network.
        progress: what notices are said to.

    Raises:
        InputError: for anything unknown, unreachable or malformed; the message names the file and the line.

    >>> load_pairs("intransitive", source="builtin", limit=50)
    Pairs('intransitive', 50 pairs of 'builtin')
    """
    opened = open_source(source, task=task, offline=offline, progress=progress)
    names = choose_tasks([] if task is None else [task], opened.tasks, lambda _: None, hint=opened.hint)
    if len(names) > 1:
        raise InputError(f"'{task}' is {len(names)} tasks ({names[0]}, {names[1]}, ...); name one")
    return opened.pairs(names[0], limit=limit, columns=columns, seed=seed)


def load_tasks(
    tasks: Sequence[str],
    *,
    source: str = "auto",
    limit: int | None = None,
    seed: int = 0,
    columns: Columns = COLUMNS,
    offline: bool = False,
    progress: Progress = AUTO,
) -> list[Pairs]:
    """The pairs of several tasks, each once.

    Args:
        tasks: names, globs (`*island*`), phenomena (`island_effects`) or `all`. They come in the order asked for,
            alphabetically within one request.
        limit: only the first so many pairs of each task.
        source, seed, columns, offline, progress: as in `load_pairs`.

    Raises:
        InputError: as `load_pairs` does, and for what matches no task.

    >>> [pairs.task for pairs in load_tasks(["passive_*", "ellipsis"], source="builtin", limit=10)]
    ['passive_1', 'passive_2', 'ellipsis_n_bar_1', 'ellipsis_n_bar_2']
    """
    opened = open_source(source, offline=offline, progress=progress)
    names = choose_tasks(tasks, opened.tasks, opened.phenomenon_of, hint=opened.hint)
    return [opened.pairs(name, limit=limit, columns=columns, seed=seed) for name in names]
