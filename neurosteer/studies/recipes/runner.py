"""Run the units of a plan in order, so that whatever stops a run the next one goes on from there."""

from __future__ import annotations

from collections.abc import Callable
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
    """What a run has done: units computed just now, units done in all, and those that are yet to do.

    Of the latter, `later` are a shard's own, which need units of other shards.
    """

    computed: tuple[str, ...]
    done: int
    waiting: tuple[str, ...]
    later: tuple[str, ...] = ()


class Interrupted(KeyboardInterrupt):
    """Ctrl-C; the finished units are kept."""

    def __init__(self, folder: Path, done: int, total: int) -> None:
        super().__init__(f"interrupted: {done} of {total} units are kept in {folder}")


def run_units(
    plan: Plan,
    folder: Path,
    digest: str,
    *,
    shard: Shard | None = None,
    begin: Callable[[], None] = lambda: None,
    progress: Progress = QUIET,
) -> Ran:
    """Compute the missing units of a plan, each into a file of its own below `folder`.

    `digest` stands for recipe, model and data: units of another one are refused with `InputError`. A damaged unit is
    computed again. A shard computes the units of its own groups; when it has none left that it can compute, it looks
    again, goes on with what other shards have made possible meanwhile, and leaves the rest. `begin` is called first,
    and only where no other process works on the same units: else that raises `NeurosteerError`. Raises `Interrupted`
    on Ctrl-C.
    """
    units = {unit.name: unit for unit in plan.units}
    with alone(folder, shard):
        begin()
        pieces, computed = Pieces(folder, digest), list[str]()
        work = _Work(units, look(plan, pieces, shard, progress))
        try:
            while True:
                _work_off(work, pieces, progress)
                computed += work.found.todo
                if not work.found.todo or not work.found.waiting:
                    break
                work = _Work(units, look(plan, pieces, shard, progress))
        except KeyboardInterrupt as stop:
            raise Interrupted(folder, work.done, work.total) from stop
        except Exception:
            progress.notice(f"stopped: {work.done} of {work.total} units are kept in {folder}")
            raise
    return Ran(tuple(computed), work.done, work.found.waiting, work.found.later)


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


def _work_off(work: _Work, pieces: Pieces, progress: Progress) -> None:
    """Compute what a survey has found to do, and delete what has served."""
    pieces.sweep(work.found.own)
    for name in work.found.served:
        pieces.delete(name)
    while work.todo:
        work.tell(progress)
        unit = work.next()
        pieces.expect(unit.needs, work.after_this())
        pieces.write(unit.name, unit.compute(reading(pieces, unit)))
        for name in work.finish(unit):
            pieces.delete(name)
    work.tell(progress)


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
        self.found = found
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

    def next(self) -> Unit:
        return self._units[self.todo[0]]

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
