"""Run the units of a plan in order, so that whatever stops a run the next one goes on from there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from neurosteer.progress import QUIET, Progress

from .alone import alone
from .pieces import Pieces
from .shard import Shard
from .survey import Survey, survey, users_of
from .units import Piece, Plan, Read, Unit


@dataclass(frozen=True)
class Ran:
    """What a run has done: units computed just now, units done in all, and those that others have yet to do."""

    computed: tuple[str, ...]
    done: int
    waiting: tuple[str, ...]


class Interrupted(KeyboardInterrupt):
    """Ctrl-C; the finished units are kept."""

    def __init__(self, folder: Path, done: int, total: int) -> None:
        super().__init__(f"interrupted: {done} of {total} units are kept in {folder}")
        self.folder, self.done, self.total = folder, done, total


def run_units(
    plan: Plan, folder: Path, digest: str, *, shard: Shard | None = None, progress: Progress = QUIET
) -> Ran:
    """Compute the missing units of a plan, each into a file of its own below `folder`.

    `digest` stands for recipe, model and data: units of another one are refused with `InputError`. A damaged unit is
    computed again. A shard computes the units of its own groups and leaves those that need more. Raises
    `NeurosteerError` where another process works on the same units, `Interrupted` on Ctrl-C.
    """
    units = {unit.name: unit for unit in plan.units}
    with alone(folder, shard):
        pieces = Pieces(folder, digest)
        found = look(plan, pieces, shard, progress)
        pieces.sweep(found.own)
        for name in found.served:
            pieces.delete(name)
        work = _Work(units, found)
        try:
            while work.todo:
                work.tell(progress)
                unit = units[work.todo[0]]
                pieces.expect(unit.needs, work.after_this())
                pieces.write(unit.name, unit.compute(reading(pieces, unit)))
                for name in work.finish(unit):
                    pieces.delete(name)
        except KeyboardInterrupt as stop:
            raise Interrupted(folder, work.done, work.total) from stop
        except Exception:
            progress.notice(f"stopped: {work.done} of {work.total} units are kept in {folder}")
            raise
        work.tell(progress)
    return Ran(found.todo, work.done, found.waiting)


def look(plan: Plan, pieces: Pieces, shard: Shard | None, progress: Progress) -> Survey:
    """What is done and what is not, by the files that are there. Nothing is changed."""
    mine = shard.groups(plan.units) if shard else set()
    done = set()
    for i, unit in enumerate(plan.units):
        progress.step("looking at what is done, units", i, len(plan.units))
        if (shard is None or unit.group in mine or not unit.scratch) and pieces.has(unit.name, progress):
            done.add(unit.name)
    progress.step("looking at what is done, units", len(plan.units), len(plan.units))
    return survey(plan.units, done, shard)


def reading(pieces: Pieces, unit: Unit) -> Read:
    """How a unit reads what it needs, and nothing else."""

    def read(name: str) -> Piece:
        if name not in unit.needs:
            raise ValueError(f"unit '{unit.name}' reads '{name}' and does not say that it needs it")
        return pieces.read(name)

    return read


class _Work:
    """What is left to do, and how long it will take."""

    def __init__(self, units: dict[str, Unit], found: Survey) -> None:
        self.todo = list(found.todo)
        self.total = len(found.own)
        self._units = units
        self._users = users_of(list(units.values()))
        self._missing = {*found.todo, *found.waiting}
        self._whole = sum((units[name].cost for name in found.own), 0.0)
        self._began = monotonic()
        self._computed = 0.0  # cost of what was computed since

    @property
    def done(self) -> int:
        return self.total - len(self.todo)

    def after_this(self) -> tuple[str, ...]:
        """What the unit after the next one to do needs."""
        return self._units[self.todo[1]].needs if len(self.todo) > 1 else ()

    def finish(self, unit: Unit) -> list[str]:
        """Count a unit as done; gives the scratch that has served with it."""
        self.todo.remove(unit.name)
        self._missing.discard(unit.name)
        self._computed += unit.cost
        return [name for name in unit.needs if self._units[name].scratch and not self._users[name] & self._missing]

    def tell(self, progress: Progress) -> None:
        left = sum((self._units[name].cost for name in self.todo), 0.0)
        pace = (monotonic() - self._began) / self._computed if self._computed else 1.0
        share = 1 - left / self._whole if self._whole else 1.0
        progress.whole(self.done, self.total, share=share, left=left * pace)
