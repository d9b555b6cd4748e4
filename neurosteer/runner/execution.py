"""Run units in order, so that whatever stops a run the next one goes on from there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from neurosteer.progress import QUIET, Progress

from .result_store import ResultStore
from .run_lock import run_lock
from .schedule import Schedule, schedule, users_of
from .shard import Shard
from .units import Read, Unit, UnitResult


@dataclass(frozen=True)
class Ran:
    """What a run has done: units computed just now, units done in all, and those that are yet to do.

    Of the latter, `deferred` are a shard's own, which need units of other shards.
    """

    computed: tuple[str, ...]
    done: int
    waiting: tuple[str, ...]
    deferred: tuple[str, ...] = ()


class Interrupted(KeyboardInterrupt):
    """Ctrl-C; the finished units are kept."""

    def __init__(self, folder: Path, done: int, total: int) -> None:
        super().__init__(f"interrupted: {done} of {total} units are kept in {folder}")


def run_units(
    units: Sequence[Unit],
    folder: Path,
    digest: str,
    *,
    shard: Shard | None = None,
    begin: Callable[[], None] = lambda: None,
    progress: Progress = QUIET,
) -> Ran:
    """Compute the missing units, in this order, each into a file of its own below `folder`.

    `digest` stands for recipe, model and data: units of another one are refused with `InputError`. A damaged unit is
    computed again. A shard computes the units of its own groups; when it has none left that it can compute, it looks
    again, goes on with what other shards have made possible meanwhile, and leaves the rest. `begin` is called first,
    and only where no other process works on the same units: else that raises `NeurosteerError`. Raises `Interrupted`
    on Ctrl-C.
    """
    by_name = {unit.name: unit for unit in units}
    with run_lock(folder, shard):
        begin()
        store, computed = ResultStore(folder, digest), list[str]()
        work = _Work(by_name, scheduled(units, store, shard, progress))
        try:
            while True:
                _compute_pending(work, store, progress)
                computed += work.found.pending
                if not work.found.pending or not work.found.waiting:
                    break
                work = _Work(by_name, scheduled(units, store, shard, progress))
        except KeyboardInterrupt as stop:
            raise Interrupted(folder, work.done, work.total) from stop
        except Exception:
            progress.notice(f"stopped: {work.done} of {work.total} units are kept in {folder}")
            raise
    return Ran(tuple(computed), work.done, work.found.waiting, work.found.deferred)


def scheduled(units: Sequence[Unit], store: ResultStore, shard: Shard | None, progress: Progress) -> Schedule:
    """What is done and what is not, by the files that are there. Nothing is changed."""
    mine = shard.groups(units) if shard else set()
    done = set()
    for i, unit in enumerate(units):
        progress.step("looking at what is done, units", i, len(units))
        if (shard is None or unit.group in mine or not unit.scratch) and store.has(unit.name, progress):
            done.add(unit.name)
    progress.step("looking at what is done, units", len(units), len(units))
    return schedule(units, done, shard)


def _compute_pending(work: _Work, store: ResultStore, progress: Progress) -> None:
    """Compute what is pending, and delete what is stale."""
    store.sweep(work.found.own)
    for name in work.found.stale:
        store.delete(name)
    while work.pending:
        work.tell(progress)
        unit = work.next()
        store.expect(unit.needs, work.after_this())
        store.write(unit.name, unit.compute(reader(store, unit)))
        for name in work.finish(unit):
            store.delete(name)
    work.tell(progress)


def reader(store: ResultStore, unit: Unit) -> Read:
    """How a unit reads what it needs, and nothing else."""

    def read(name: str) -> UnitResult:
        if name not in unit.needs:
            raise ValueError(f"unit '{unit.name}' reads '{name}' and does not say that it needs it")
        return store.read(name)

    return read


class _Work:
    """What is left to do, and how long it will take."""

    def __init__(self, units: dict[str, Unit], found: Schedule) -> None:
        self.found = found
        self.pending = list(found.pending)
        self.total = len(found.own)
        self._units = units
        self._users = users_of(list(units.values()))
        self._missing = {*found.pending, *found.waiting}
        self._whole = sum((units[name].cost for name in found.own), 0.0)
        self._began = monotonic()
        self._computed = 0.0  # cost of what was computed since

    @property
    def done(self) -> int:
        return self.total - len(self.pending)

    def next(self) -> Unit:
        return self._units[self.pending[0]]

    def after_this(self) -> tuple[str, ...]:
        """What the unit after the next one to do needs."""
        return self._units[self.pending[1]].needs if len(self.pending) > 1 else ()

    def finish(self, unit: Unit) -> list[str]:
        """Count a unit as done; returns the scratch that is stale now."""
        self.pending.remove(unit.name)
        self._missing.discard(unit.name)
        self._computed += unit.cost
        return [name for name in unit.needs if self._units[name].scratch and not self._users[name] & self._missing]

    def tell(self, progress: Progress) -> None:
        left = sum((self._units[name].cost for name in self.pending), 0.0)
        pace = (monotonic() - self._began) / self._computed if self._computed else 1.0
        share = 1 - left / self._whole if self._whole else 1.0
        progress.whole(self.done, self.total, share=share, left=left * pace)
