"""Where pairs come from: the built-in grammars, a file, a folder, a published set or any other of the hub."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from neurosteer.errors import InputError, did_you_mean
from neurosteer.hub import is_reachable
from neurosteer.progress import QUIET, Progress

from . import hub
from .blimp import PHENOMENON_OF, TASKS
from .builtin import NAMES, Builtin
from .files import READERS, read_table
from .folders import files_below
from .layouts import UNKNOWN, Layout
from .published import PUBLISHED, PublishedSet, configuration_of
from .reading import Reading, read_rows
from .records import phenomenon_of
from .rows import Row
from .tables import Table
from .types import Pairs

_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")


@dataclass(frozen=True)
class Part:
    """A file, or a configuration of a hub data set: one task, or the tasks that a column of it names."""

    name: str
    place: str  # where it lies, for messages
    table: Callable[[], Table]
    asked: Layout
    phenomenon: str | None = None  # where its name says so

    @cached_property
    def reading(self) -> Reading:
        """What it holds. Raises InputError where that cannot be read."""
        return read_rows(self.table(), self.asked)

    @property
    def tasks(self) -> list[str]:
        """Their names; its own where it cannot be read, which is said when that task is read."""
        try:
            return [task or self.name for task in self.reading.tasks]
        except InputError:
            return [self.name]


@dataclass(frozen=True)
class Tables:
    """The tasks of some files, or of the configurations of a hub data set."""

    name: str
    parts: Mapping[str, Part]
    several: bool = True  # whether a part may hold several tasks
    told: tuple[str, ...] = ()  # of the folder

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """All names; where parts have to be read for them, they are."""
        return tuple(self._place_of)

    @cached_property
    def _place_of(self) -> dict[str, tuple[Part, str]]:
        """Of each task its part, and its name there. A name that two parts share is said with the part's."""
        if not self.several:
            return {name: (part, "") for name, part in self.parts.items()}
        named = [(task, part) for part in self.parts.values() for task in part.tasks]
        names = [task for task, _ in named]
        found: dict[str, tuple[Part, str]] = {}
        for task, part in named:
            own = "" if task == part.name else task
            found[task if names.count(task) == 1 or not own else f"{part.name}/{task}"] = (part, own)
        return found

    def holds(self, task: str) -> bool:
        """Whether it is a task for certain; no more is read than its own part."""
        part = self.parts.get(task)
        return part is not None and (not self.several or part.tasks == [task])

    @property
    def hint(self) -> str:
        """Where to look for a task's name."""
        if self.name == "blimp":
            return "see: neurosteer ls tasks"
        more = f" and {len(self.tasks) - 4} more" if len(self.tasks) > 5 else ""
        shown = self.tasks[:4] if more else self.tasks
        return f"'{self.name}' holds: {', '.join(shown)}{more}"

    def phenomenon_of(self, task: str) -> str | None:
        """BLiMP's own for its tasks, else what the rows say; None where they cannot be read."""
        if task in PHENOMENON_OF:
            return PHENOMENON_OF[task]
        part, _ = self._found(task)
        try:
            return phenomenon_of(task, [part.phenomenon or "", *(row.phenomenon for row in self._rows(task))])
        except InputError:
            return None

    def _found(self, task: str) -> tuple[Part, str]:
        return (self.parts[task], "") if self.holds(task) else self._place_of[task]

    def _rows(self, task: str) -> list[Row]:
        part, own = self._found(task)
        tasks = part.reading.tasks
        if own in tasks:
            return tasks[own]
        first, second, *_ = tasks  # a configuration that was taken for a task
        more = ", ..." if len(tasks) > 2 else ""
        raise InputError(
            f"{part.place} holds {len(tasks)} tasks by '{part.reading.layout.task}' ({first}, {second}{more}); give "
            f"--data {self.name}:{part.name} and name one, or --layout task= to take them for one"
        )

    def pairs(self, task: str, *, limit: int | None, seed: int) -> Pairs:
        """The first `limit` pairs, all for None; the seed has nothing to decide."""
        rows, (part, own) = self._rows(task), self._found(task)
        place = f"task '{own}' of {part.place}" if own else part.place
        layout, phenomenon = part.reading.layout, part.phenomenon
        found = Pairs.from_rows(rows, task=task, source=self.name, place=place, layout=layout, phenomenon=phenomenon)
        return found.limit(limit)

    def notices(self, tasks: Sequence[str]) -> list[str]:
        """What was taken for what where nobody said it, a line for each kind of part."""
        parts = {part.place: part for part, _ in map(self._found, tasks)}
        places: dict[str, list[str]] = {}
        for place, part in parts.items():
            places.setdefault("; ".join(part.reading.told), []).append(place)
        folder = [f"'{self.name}': {one}" for one in self.told]
        return folder + [
            f"{found[0]}{f' and {len(found) - 1} more' if len(found) > 1 else ''}: {told} (--layout says otherwise)"
            for told, found in places.items()
            if told
        ]


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
    path = Path(source).expanduser()
    try:
        if path.is_dir():
            found = files_below(source, path, asked)
            return _open_files(source, found.files, asked, found.told)
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
            f"no such file or folder: '{source}' (--data takes auto, blimp, builtin, builtin:balanced, "
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


def _open_files(source: str, files: Mapping[str, Path], asked: Layout, told: tuple[str, ...] = ()) -> Tables:
    parts = {name: Part(name, f"'{path}'", partial(read_table, path, asked), asked) for name, path in files.items()}
    return Tables(source, parts, told=told)


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
        parts[config] = Part(
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
        config: Part(config, f"'{repo}' ({config})", partial(hub.hub_table, repo, config, online=online), asked)
        for config in configs
    }
    return Tables(source, parts, several=len(configs) == 1 or bool(asked.task))


def _online(offline: bool) -> bool:
    if offline:
        hub.stay_offline()
    return not offline and is_reachable()
