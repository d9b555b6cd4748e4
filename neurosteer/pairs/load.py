"""Loading pairs by task and source."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from neurosteer.arguments import named
from neurosteer.errors import InputError
from neurosteer.progress import AUTO, Progress
from neurosteer.vocabulary import COLUMNS, Columns

from .layouts import AUTO as FOUND
from .layouts import asked_layout
from .selection import choose_tasks, means_several
from .sources import Source, open_source
from .types import Pairs


def load_pairs(
    task: str | None = None,
    *,
    source: str | os.PathLike[str] = "auto",
    limit: int | None = None,
    seed: int = 0,
    columns: Columns = COLUMNS,
    layout: str = FOUND,
    offline: bool = False,
    progress: Progress = AUTO,
) -> Pairs:
    """Load the pairs of one task.

    Args:
        task: its name; None where the source has only one task.
        source: `blimp` (the hub's nyu-mll/blimp or its cached copy), `builtin` (made by grammars of our own),
            `builtin:balanced` (the same in a form in which no word tells good from bad), `builtin:meaning` (facts and
            sense, both sentences grammatical), `builtin:gym` (for the model `gym`), `auto` (BLiMP if it can be had,
            else built-in, with a notice), a file (JSON, CSV, TSV, Parquet, plain lines; a column names its tasks, or
            its stem does), a folder with such files in it and below it, a published set (`rublimp`,
            `multiblimp:deu`), or a hub id OWNER/NAME or OWNER/NAME:CONFIGURATION.
        limit: only the first so many pairs; of the built-in ones so many are made (None: 1,000; 300 about meaning).
        seed: decides which built-in pairs are made.
        columns: the names of the columns with the good and the bad sentences, in files of your own. Without such
            columns, those of published sets are found by default, with a notice.
        layout: `auto`, or what is known and need not be found: `good-bad` or `bad-good` where sentences
            alternate, or columns by the part they play (`"sentence=Satz,label=ok,pair=Nr,task="`).
        offline: never use the network.
        progress: where notices go.

    Returns:
        The pairs, in the order of the source.

    Raises:
        InputError: for anything unknown, unreachable or malformed; the message names the file and the line.

    Source:
        Minimal pairs: Warstadt et al. 2020 (BLiMP).

    Example:
        >>> ns.load_pairs("intransitive", source="builtin", limit=50)
        Pairs('intransitive', 50 pairs of 'builtin')
    """
    named(task, "task", or_none=True)
    named(source, "source")
    asked = asked_layout(layout, columns)
    opened = open_source(os.fspath(source), task=task, asked=asked, offline=offline, progress=progress)
    names = _choose(opened, [] if task is None else [task], phenomena=False)
    if len(names) > 1:
        raise InputError(f"'{task}' is {len(names)} tasks ({names[0]}, {names[1]}, ...); name one")
    [pairs] = _read(opened, names, limit, seed, progress)
    return pairs


def load_tasks(
    tasks: Sequence[str],
    *,
    source: str | os.PathLike[str] = "auto",
    limit: int | None = None,
    seed: int = 0,
    columns: Columns = COLUMNS,
    layout: str = FOUND,
    offline: bool = False,
    progress: Progress = AUTO,
) -> list[Pairs]:
    """The pairs of several tasks, each once.

    Args:
        tasks: names, globs (`*island*`), phenomena (`island_effects`) or `all`. They come in the order asked for,
            alphabetically within one request.
        limit: only the first so many pairs of each task.
        source, seed, columns, layout, offline, progress: as in `load_pairs`.

    Raises:
        InputError: as `load_pairs` does, and for what matches no task.

    Example:
        >>> [pairs.task for pairs in load_tasks(["passive_*", "ellipsis"], source="builtin", limit=10)]
        ['passive_1', 'passive_2', 'ellipsis_n_bar_1', 'ellipsis_n_bar_2']
    """
    asked = asked_layout(layout, columns)
    opened = open_source(os.fspath(source), asked=asked, offline=offline, progress=progress)
    return _read(opened, _choose(opened, tasks), limit, seed, progress)


def load_others(
    pairs: Pairs,
    names: Iterable[str],
    *,
    limit: int | None = None,
    seed: int = 0,
    offline: bool = False,
    progress: Progress = AUTO,
) -> list[Pairs]:
    """Other tasks of the source of some pairs, whose rows are read as theirs were.

    Raises:
        InputError: as `load_pairs` does.
    """
    layout = pairs.layout or FOUND
    return [
        load_pairs(
            name, source=pairs.source, limit=limit, seed=seed, layout=layout, offline=offline, progress=progress
        )
        for name in names
    ]


def _choose(opened: Source, wanted: Sequence[str], *, phenomena: bool = True) -> list[str]:
    """The names of the tasks; those of a folder's other files are read only where a request may mean them."""
    if wanted and all(opened.holds(name) and not (phenomena and means_several(name)) for name in wanted):
        return list(dict.fromkeys(wanted))
    if not phenomena and wanted and set(wanted) <= set(opened.tasks):
        return list(dict.fromkeys(wanted))  # a task's own name, whatever else it means
    return choose_tasks(wanted, opened.tasks, opened.phenomenon_of if phenomena else lambda _: None, hint=opened.hint)


def _read(opened: Source, names: Sequence[str], limit: int | None, seed: int, progress: Progress) -> list[Pairs]:
    found = [opened.pairs(name, limit=limit, seed=seed) for name in names]
    for notice in opened.notices(names):
        progress.notice(notice)
    return found
