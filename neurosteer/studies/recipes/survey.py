"""What is left to do: which units are missing, which of them this run computes, which scratch has served."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from neurosteer.store import file_stem

from .shard import Shard
from .units import Unit


@dataclass(frozen=True)
class Survey:
    """The units of a run, by name, in the order of the plan."""

    own: tuple[str, ...]  # what is this run's to do, done or not
    todo: tuple[str, ...]  # and what of it is missing
    waiting: tuple[str, ...]  # missing, and left to other shards and to the run that is no shard
    served: tuple[str, ...]  # own scratch that is there and that nobody needs any more


def survey(units: Sequence[Unit], done: Collection[str], shard: Shard | None = None) -> Survey:
    """`done` are the units whose pieces are there to stay: of a shard, no scratch of others."""
    users = users_of(units)
    missing: set[str] = set()
    for unit in reversed(units):
        if unit.name not in done and (not unit.scratch or users[unit.name] & missing):
            missing.add(unit.name)
    own = _own(units, missing, shard)
    todo = _reachable(units, missing, own, done)
    for unit in reversed(units):
        if unit.scratch and not users[unit.name] & todo:
            todo.discard(unit.name)
    names = [unit.name for unit in units]
    return Survey(
        own=tuple(name for name in names if name in own and (name in todo or name not in missing)),
        todo=tuple(name for name in names if name in todo),
        waiting=tuple(name for name in names if name in missing - todo),
        served=tuple(
            unit.name
            for unit in units
            if unit.scratch and unit.name in own and unit.name in done and not users[unit.name] & missing
        ),
    )


def users_of(units: Sequence[Unit]) -> dict[str, set[str]]:
    """Unit -> the units that need it. Raises ValueError for a plan that cannot be run."""
    users: dict[str, set[str]] = {}
    for unit in units:
        if unit.name in users or not unit.name or file_stem(unit.name) != unit.name:
            raise ValueError(f"unit '{unit.name}' is there twice, or its name is no stem of a file")
        for need in unit.needs:
            if need not in users:
                raise ValueError(f"unit '{unit.name}' needs '{need}', which does not stand before it")
            users[need].add(unit.name)
        users[unit.name] = set()
    return users


def _own(units: Sequence[Unit], missing: Collection[str], shard: Shard | None) -> set[str]:
    groups = {unit.group for unit in units} if shard is None else shard.groups(units)
    return {unit.name for unit in units if unit.group in groups}


def _reachable(units: Sequence[Unit], missing: set[str], own: set[str], done: Collection[str]) -> set[str]:
    """Own missing units whose needs are done or will be."""
    todo: set[str] = set()
    for unit in units:
        if unit.name in missing & own and todo.union(done).issuperset(unit.needs):
            todo.add(unit.name)
    return todo
