"""Run units, beside whatever other processes run the same ones; whatever stops a run, the next goes on from there.

Each process claims the next unit that is free, computes it, and looks again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from neurosteer.progress import QUIET, Progress
from neurosteer.store import refuse_link

from .claims import Claims
from .result_store import ResultStore
from .schedule import Schedule, schedule, users_of
from .units import Read, Unit, UnitResult

PAUSE, LONGEST_PAUSE = 0.02, 1.0  # seconds between two looks of one who waits for others


@dataclass(frozen=True)
class Ran:
    """What a run has done: units that this process computed just now, and units done in all."""

    computed: tuple[str, ...]
    done: int


class Interrupted(KeyboardInterrupt):
    """Ctrl-C; the finished units are kept."""

    def __init__(self, folder: Path, done: int, total: int) -> None:
        super().__init__(f"interrupted: {done} of {total} units are kept in {folder}")


def run_units(
    units: Sequence[Unit],
    folder: Path,
    digest: str,
    *,
    begin: Callable[[], None] = lambda: None,
    progress: Progress = QUIET,
) -> Ran:
    """Compute the missing units, each into a file of its own below `folder`; gives back when all of them are done.

    Other processes may do the same at the same time: each unit is computed by one of them, and those of one that dies
    by the others. Where all that can be computed is being computed elsewhere, this process waits.

    `digest` stands for recipe, model and data: units of another one are refused with `InputError`. A damaged unit is
    computed again. `begin` is called before the first. Raises `Interrupted` on Ctrl-C.
    """
    refuse_link(folder)
    folder.mkdir(parents=True, exist_ok=True)
    store, claims = ResultStore(folder, digest), Claims(folder)
    work, computed, pause = _Work(units, store, progress), list[str](), PAUSE
    begin()
    try:
        _delete_damaged(units, store, claims, progress)
        while (found := work.look()).pending:
            name = _compute_one(work, found, store, claims)
            computed += [name] if name else []
            pause = PAUSE if name else min(2 * pause, LONGEST_PAUSE)
            if not name:
                sleep(pause)
        _sweep(store, claims)
        claims.clear()
    except KeyboardInterrupt as stop:
        raise Interrupted(folder, work.done(), len(units)) from stop
    except Exception:
        progress.notice(f"stopped: {work.done()} of {len(units)} units are kept in {folder}")
        raise
    return Ran(tuple(computed), work.done())


def scheduled(units: Sequence[Unit], store: ResultStore, progress: Progress) -> Schedule:
    """What is done and what is not, by the files that are there. Nothing is changed."""
    unsound = _unsound(units, store, progress)
    return schedule(units, users_of(units), {unit.name for unit in units} - unsound)


def _unsound(units: Sequence[Unit], store: ResultStore, progress: Progress) -> set[str]:
    """The units that are missing or damaged; each file is verified."""
    unsound = set()
    for i, unit in enumerate(units):
        progress.step("looking at what is done, units", i, len(units))
        if not store.has(unit.name, progress):
            unsound.add(unit.name)
    progress.step("looking at what is done, units", len(units), len(units))
    return unsound


def _delete_damaged(units: Sequence[Unit], store: ResultStore, claims: Claims, progress: Progress) -> None:
    """So that from now on every file that is there is sound."""
    for name in sorted(_unsound(units, store, progress) & store.names()):
        with claims.of(name) as mine:
            if mine and not store.has(name, QUIET):
                store.delete(name)


def _compute_one(work: _Work, found: Schedule, store: ResultStore, claims: Claims) -> str | None:
    """Claim a unit and compute it; None where others have claimed all that can be computed."""
    with claims.first_of([work.units[name] for name in found.ready], work.group) as unit:
        if unit is None or unit.name not in work.found().ready:  # another process has done it since
            return None
        store.sweep(unit.name)
        store.expect(unit.needs, work.needed_after(unit, found.pending))
        store.write(unit.name, unit.compute(reader(store, unit)))
        work.group = unit.group
    return unit.name


def _sweep(store: ResultStore, claims: Claims) -> None:
    """Delete what killed processes have left half-written."""
    for name in store.half_written():
        with claims.of(name) as mine:
            if mine:
                store.sweep(name)


def reader(store: ResultStore, unit: Unit) -> Read:
    """How a unit reads what it needs, and nothing else."""

    def read(name: str) -> UnitResult:
        if name not in unit.needs:
            raise ValueError(f"unit '{unit.name}' reads '{name}' and does not say that it needs it")
        return store.read(name)

    return read


class _Work:
    """What is left to do, and how long it will take."""

    def __init__(self, units: Sequence[Unit], store: ResultStore, progress: Progress) -> None:
        self.units = {unit.name: unit for unit in units}
        self.group = ""  # of the unit that was computed last
        self._users = users_of(units)
        self._store = store
        self._progress = progress
        self._kept: set[str] = set()  # units that were there at the last look, but for scratch
        self._whole = sum((unit.cost for unit in units), 0.0)
        self._began: tuple[float, float] | None = None  # when, and the cost that was left then

    def found(self) -> Schedule:
        """By the files that are there now."""
        return schedule(list(self.units.values()), self._users, self._store.names())

    def done(self) -> int:
        """How many units are done, or need not be."""
        return len(self.units) - len(self.found().pending)

    def look(self) -> Schedule:
        """What there is to do; scratch that has served is deleted."""
        found = self.found()
        for name in found.stale:
            self._store.delete(name)
        pending = set(found.pending)
        self._store.refuse_deleted(self._kept & pending)
        self._kept = {name for name, unit in self.units.items() if not unit.scratch and name not in pending}
        self._tell(found.pending)
        return found

    def needed_after(self, unit: Unit, pending: Sequence[str]) -> tuple[str, ...]:
        """What the unit needs that is probably next: the next one of the group."""
        after = (self.units[name] for name in pending[pending.index(unit.name) + 1 :])
        following = next((one for one in after if one.group == unit.group), None)
        return following.needs if following else ()

    def _tell(self, pending: Sequence[str]) -> None:
        left, now = sum((self.units[name].cost for name in pending), 0.0), monotonic()
        since, first = self._began = self._began or (now, left)
        pace = (now - since) / (first - left) if first > left else 1.0
        share = 1 - left / self._whole if self._whole else 1.0
        self._progress.whole(len(self.units) - len(pending), len(self.units), share=share, left=left * pace)
