"""What is left to do: which units are missing, which of them can be computed now, which scratch is stale."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass

from .units import Unit

LONGEST = 200  # bytes of a name: file systems take 255, and half-written files have more in theirs


@dataclass(frozen=True)
class Schedule:
    """The units of a run, by name, in the order of the plan."""

    pending: tuple[str, ...]  # missing
    ready: tuple[str, ...]  # of these, the units whose needs are done
    stale: tuple[str, ...]  # scratch units on disk that no unit needs any more


def schedule(units: Sequence[Unit], users: Mapping[str, Set[str]], done: Collection[str]) -> Schedule:
    """`users` are those of `users_of`, `done` the units whose results are there."""
    missing: set[str] = set()
    for unit in reversed(units):
        if unit.name not in done and (not unit.scratch or users[unit.name] & missing):
            missing.add(unit.name)
    there = set(done)
    return Schedule(
        pending=tuple(unit.name for unit in units if unit.name in missing),
        ready=tuple(unit.name for unit in units if unit.name in missing and there.issuperset(unit.needs)),
        stale=tuple(
            unit.name for unit in units if unit.scratch and unit.name in there and not users[unit.name] & missing
        ),
    )


def users_of(units: Sequence[Unit]) -> dict[str, set[str]]:
    """Unit -> the units that need it. Raises ValueError for a plan that cannot be run."""
    users: dict[str, set[str]] = {}
    for unit in units:
        if unit.name in users or not _is_stem(unit.name):
            raise ValueError(f"unit '{unit.name}' is there twice, or its name is no stem of a file")
        for need in unit.needs:
            if need not in users:
                raise ValueError(f"unit '{unit.name}' needs '{need}', which does not stand before it")
            users[need].add(unit.name)
        users[unit.name] = set()
    return users


def _is_stem(name: str) -> bool:
    """Whether it is safe as the stem of a file; task names take up to 89 bytes of it."""
    return re.fullmatch(r"[\w+][\w.+-]*", name) is not None and len(name.encode()) <= LONGEST
