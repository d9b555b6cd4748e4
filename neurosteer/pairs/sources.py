"""Where pairs come from: the built-in grammars, a file, a folder, a published set or any other of the hub."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from neurosteer.errors import InputError, did_you_mean
from neurosteer.hub import is_reachable
from neurosteer.progress import QUIET, Progress
from neurosteer.store import expanded

from . import hub
from .blimp import TASKS
from .builtin import NAMES, Builtin
from .files import READERS, read_table
from .folders import files_below
from .layouts import UNKNOWN, Layout
from .parts import SourcePart, Tables
from .published import PUBLISHED, PublishedSet, configuration_of

_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")


Source = Tables | Builtin


def open_source(
    source: str,
    *,
    task: str | None = None,
    asked: Layout = UNKNOWN,
    offline: bool = False,
    progress: Progress = QUIET,
) -> Source:
    """The source of that name. `task` is asked for where a hub dataset cannot be asked for its configurations.

    Raises InputError for a missing path, a folder without pairs, or what is neither path nor name nor hub id.
    """
    if source in ("auto", "blimp"):
        blimp = _of_hub("blimp", PUBLISHED["blimp"], [task.uid for task in TASKS], asked, online=_online(offline))
        if source == "blimp" or _is_there(blimp, task):
            return blimp
        progress.notice(
            f"built-in pairs: {PUBLISHED['blimp'].hub_id} is neither cached nor reachable "
            "(--data PATH takes a folder of it)"
        )
        return Builtin("builtin", asked)
    if source in NAMES:
        return Builtin(source, asked)
    return _open_path(source, asked) or _open_set(source, task, asked, offline)


def _open_path(source: str, asked: Layout) -> Tables | None:
    """A folder or a file; None where there is none of that name."""
    path = expanded(source)
    try:
        if path.is_dir():
            found = files_below(source, path, asked)
            return _open_files(source, found.files, asked, found.remarks)
        return _open_files(source, {path.stem: path}, asked) if path.exists() else None
    except OSError as error:  # a name that is too long for a path
        raise InputError(f"cannot read '{source}': {error.strerror}") from error


def _open_set(source: str, task: str | None, asked: Layout, offline: bool) -> Tables:
    """A published set, or another one of the hub."""
    name, _, configuration = source.partition(":")
    if name in PUBLISHED:
        return _open_published(source, PUBLISHED[name], asked, offline)
    if source.startswith((".", "/", "~")) or Path(source).suffix.lower() in READERS or not _HUB_ID.fullmatch(name):
        close = did_you_mean(name, PUBLISHED) if "/" not in name else ""
        raise InputError(
            f"no such file or folder: '{source}' (--data takes auto, blimp, {', '.join(NAMES)}, "
            f"{', '.join(row for row in PUBLISHED if row != 'blimp')}, a path or a hub id OWNER/NAME){close}"
        )
    return _open_hub(source, name, configuration, task, asked, offline)


def _is_there(blimp: Tables, task: str | None) -> bool:
    """Whether the task can be read, or any where none of BLiMP's is named."""
    part = blimp.parts.get(task or "") or next(iter(blimp.parts.values()))
    try:
        return bool(part.table().records)
    except InputError:
        return False


def _open_files(source: str, files: Mapping[str, Path], asked: Layout, remarks: tuple[str, ...] = ()) -> Tables:
    parts = {
        name: SourcePart(name, f"'{path}'", partial(read_table, path, asked), asked) for name, path in files.items()
    }
    return Tables(source, parts, remarks=remarks)


def _open_published(source: str, published: PublishedSet, asked: Layout, offline: bool) -> Tables:
    configuration = configuration_of(published, source)
    online = _online(offline)
    configs = (configuration,) if configuration else hub.config_names(published.hub_id, online=online)
    return _of_hub(source, published, configs, asked, online=online)


def _of_hub(source: str, published: PublishedSet, configs: Sequence[str], asked: Layout, *, online: bool) -> Tables:
    layout = asked.over(published.layout)
    parts = {}
    for config in configs:
        table = partial(hub.hub_table, published.hub_id, config, online=online, split=published.split)
        phenomenon, parted, _ = config.partition(published.phenomenon_before or "\0")
        parts[config] = SourcePart(
            config, f"'{published.hub_id}' ({config})", table, layout, phenomenon if parted else None
        )
    return Tables(source, parts, several=published.each != "task" or ":" in source or bool(asked.task))


def _open_hub(source: str, repo: str, configuration: str, task: str | None, asked: Layout, offline: bool) -> Tables:
    online = _online(offline)
    try:
        configs = (configuration,) if configuration else hub.config_names(repo, online=online)
    except InputError:
        if task is None:
            raise
        configs = (task,)
    parts = {
        config: SourcePart(config, f"'{repo}' ({config})", partial(hub.hub_table, repo, config, online=online), asked)
        for config in configs
    }
    return Tables(source, parts, several=len(configs) == 1 or bool(asked.task))


def _online(offline: bool) -> bool:
    if offline:
        hub.stay_offline()
    return not offline and is_reachable()
