"""Who computes which unit: a process claims it by its lock, and whatever ends the process frees the unit.

Any number of processes may work on one run, on one machine or on several that share its folder; the folder has to
support locks (`flock`), as NFS 4 does.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from .units import Unit

_FOLDER, _SUFFIX = ".claims", ".lock"


class Claims:
    """The locks of a run's units. They stay until the run is finished: a lock that is deleted early is held twice."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / _FOLDER

    @contextmanager
    def first_of(self, ready: Sequence[Unit], group: str) -> Iterator[Unit | None]:
        """Claim one of the units that are ready; None where others have claimed them all.

        The worker's own `group` comes first, then groups in which nobody works, then the rest: what units of a group
        read, the worker has in memory.
        """
        own = [unit for unit in ready if group and unit.group == group]
        later, busy = [], set[str]()
        taken = self._first(own, busy.add)
        for unit in () if taken else ready:
            if unit.group and unit.group in busy:
                later.append(unit)
                continue
            taken = self._first([unit], busy.add)
            if taken:
                break
        taken = taken or self._first(later, busy.add)
        try:
            yield taken and taken[0]
        finally:
            if taken:
                taken[1].release()

    def _first(self, units: Sequence[Unit], tell_busy: Callable[[str], None]) -> tuple[Unit, BaseFileLock] | None:
        for unit in units:
            lock = self._take(unit.name)
            if lock is not None:
                return unit, lock
            tell_busy(unit.group)
        return None

    @contextmanager
    def of(self, name: str) -> Iterator[bool]:
        """Claim a unit; False where another process has."""
        lock = self._take(name)
        try:
            yield lock is not None
        finally:
            if lock is not None:
                lock.release()

    def held(self) -> list[str]:
        """The units that processes are computing now."""
        names = sorted(path.name.removesuffix(_SUFFIX) for path in self._folder.glob(f"*{_SUFFIX}"))
        return [name for name in names if not self._is_free(name)]

    def clear(self) -> None:
        """Delete the locks of a run whose units are all done: whoever claims one then finds it done."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _is_free(self, name: str) -> bool:
        with self.of(name) as free:
            return free

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{_SUFFIX}"

    def _take(self, name: str) -> BaseFileLock | None:
        lock = FileLock(self._path(name))
        with suppress(Timeout, FileNotFoundError):  # the latter where another process has just finished the run
            self._folder.mkdir(exist_ok=True)
            lock.acquire(timeout=0)
            return lock
        return None
