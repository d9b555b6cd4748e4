"""A source of several tables: which tasks they hold, and the pairs of one. Nothing is read before it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from neurosteer.errors import InputError

from .blimp import PHENOMENON_OF
from .layout_detection import DetectedLayout, read
from .layouts import Layout
from .records import phenomenon_of
from .rows import PairRow
from .tables import PairTable
from .types import Pairs


@dataclass(frozen=True)
class SourcePart:
    """A file, or a configuration of a hub data set: one task, or the tasks that a column of it names."""

    name: str
    place: str  # where it lies, for messages
    table: Callable[[], PairTable]
    asked: Layout
    phenomenon: str | None = None  # where its name says so

    @cached_property
    def reading(self) -> DetectedLayout:
        """What it holds. Raises InputError where that cannot be read or has no known layout."""
        return read(self.table(), self.asked)

    @property
    def tasks(self) -> list[str]:
        """Their names; its own where it cannot be read, which is said when that task is read."""
        try:
            return [task or self.name for task in self.reading.names]
        except InputError:
            return [self.name]


@dataclass(frozen=True)
class Tables:
    """The tasks of some files, or of the configurations of a hub data set."""

    name: str
    parts: Mapping[str, SourcePart]
    several: bool = True  # whether a part may hold several tasks
    remarks: tuple[str, ...] = ()  # of the folder

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """All names; where parts have to be read for them, they are."""
        return tuple(self._place_of)

    @cached_property
    def _place_of(self) -> dict[str, tuple[SourcePart, str]]:
        """Of each task its part, and its name there. A name that two parts share is said with the part's."""
        if not self.several:
            return {name: (part, "") for name, part in self.parts.items()}
        named = [(task, part) for part in self.parts.values() for task in part.tasks]
        names = [task for task, _ in named]
        found: dict[str, tuple[SourcePart, str]] = {}
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

    def _found(self, task: str) -> tuple[SourcePart, str]:
        return (self.parts[task], "") if self.holds(task) else self._place_of[task]

    def _rows(self, task: str) -> list[PairRow]:
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
        """One line on what was taken for what where nobody said it; none where nothing was."""
        parts = {part.place: part for part, _ in map(self._found, tasks)}
        places: dict[str, list[str]] = {}
        for place, part in parts.items():
            places.setdefault("; ".join(part.reading.remarks), []).append(place)
        said = [f"'{self.name}': {one}" for one in self.remarks]
        for remarks, found in places.items():
            more = f" and {len(found) - 1} more" if len(found) > 1 else ""
            said += [f"{found[0]}{more}: {remarks}"] if remarks else []
        return [f"{' | '.join(said)} (--layout says otherwise)"] if said else []
