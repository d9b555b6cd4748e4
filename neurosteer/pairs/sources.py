"""Where pairs come from: BLiMP, the built-in grammars, a folder, a file or a hub dataset, all opened the same way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from neurosteer.errors import InputError
from neurosteer.hub import is_reachable
from neurosteer.progress import QUIET, Progress
from neurosteer.store import expanded
from neurosteer.vocabulary import Columns

from . import hub
from .blimp import HUB_ID, PHENOMENON_OF, TASKS, normalise
from .builtin import NAMES, Builtin
from .files import READERS, Record, read_records
from .types import Pairs

_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")


@dataclass(frozen=True)
class Records:
    """Tasks, and how to read the records of one."""

    name: str
    tasks: tuple[str, ...]
    records: Callable[[str], Iterator[Record]]
    place: Callable[[str], str]  # where a task's pairs lie, for messages

    @property
    def hint(self) -> str:
        """Where to look for a task's name."""
        if self.name == "blimp":
            return "see: neurosteer ls tasks"
        more = f" and {len(self.tasks) - 4} more" if len(self.tasks) > 5 else ""
        shown = self.tasks[:4] if more else self.tasks
        return f"'{self.name}' holds: {', '.join(shown)}{more}"

    def phenomenon_of(self, task: str) -> str | None:
        """BLiMP's own for its tasks, else what the first record says; None where that cannot be read."""
        if task in PHENOMENON_OF:
            return PHENOMENON_OF[task]
        try:
            _, record = next(self.records(task), ("", None))
        except InputError:
            return None
        term = record.get("linguistics_term") if isinstance(record, dict) else None
        return normalise(term) if isinstance(term, str) else None

    def pairs(self, task: str, *, limit: int | None, columns: Columns, seed: int) -> Pairs:
        """The first `limit` pairs, all for None; the seed has nothing to decide."""
        place = self.place(task)
        found = Pairs.from_records(self.records(task), task=task, source=self.name, place=place, columns=columns)
        return found.limit(limit)


Source = Records | Builtin


def open_source(source: str, *, task: str | None = None, offline: bool = False, progress: Progress = QUIET) -> Source:
    """The source of that name. `task` spares asking a hub dataset for its configurations.

    Raises InputError for a missing path, a folder without pairs, or what is neither path nor hub id.
    """
    if source in ("auto", "blimp"):
        blimp = _open_hub("blimp", HUB_ID, tuple(known.uid for known in TASKS), offline=offline)
        if source == "auto" and not _is_there(blimp, task):
            progress.notice(
                f"built-in pairs: {HUB_ID} is neither cached nor reachable (--data PATH takes a folder of it)"
            )
            return Builtin("builtin")
        return blimp
    if source in NAMES:
        return Builtin(source)
    path = expanded(source)
    if path.is_dir():
        return _open_folder(source, path)
    if path.exists():
        return _open_files(source, {path.stem: path})
    if source.startswith((".", "/", "~")) or path.suffix.lower() in READERS or not _HUB_ID.fullmatch(source):
        raise InputError(
            f"no such file or folder: '{source}' "
            "(--data takes auto, blimp, builtin, builtin:balanced, a path or a hub id OWNER/NAME)"
        )
    return _open_hub(source, source, (task,) if task else None, offline=offline)


def _is_there(blimp: Records, task: str | None) -> bool:
    """Whether the task can be read, or any where none of BLiMP's is named."""
    try:
        return next(blimp.records(task if task in blimp.tasks else blimp.tasks[0]), None) is not None
    except InputError:
        return False


def _open_folder(source: str, folder: Path) -> Records:
    files: dict[str, Path] = {}
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"cannot read '{source}': {error.strerror}") from error
    for path in entries:
        if path.suffix.lower() not in READERS or path.name.startswith(".") or not path.is_file():
            continue
        if path.stem in files:
            raise InputError(f"'{source}' holds task '{path.stem}' twice: {files[path.stem].name} and {path.name}")
        files[path.stem] = path
    if not files:
        raise InputError(f"'{source}' holds no files of pairs ({', '.join(READERS)})")
    return _open_files(source, files)


def _open_files(source: str, files: dict[str, Path]) -> Records:
    return Records(source, tuple(files), lambda task: read_records(files[task]), lambda task: f"'{files[task]}'")


def _open_hub(name: str, repo: str, tasks: Sequence[str] | None, *, offline: bool) -> Records:
    if offline:
        hub.stay_offline()
    online = not offline and is_reachable()
    configs = tuple(tasks) if tasks else hub.config_names(repo, online=online)
    return Records(
        name,
        configs,
        lambda task: hub.hub_records(repo, task, online=online),
        lambda task: f"'{repo}' ({task})",
    )
