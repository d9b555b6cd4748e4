"""What is left to do: which units are missing, which of them this run computes, which scratch is stale."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass

from .shard import Shard
from .units import Unit

LONGEST = 200  # bytes of a name: file systems take 255, and half-written files have more in theirs


@dataclass(frozen=True)
class Schedule:
    """The units of a run, by name, in the order of the plan."""

    own: tuple[str, ...]  # what is this run's to do, done or not
    pending: tuple[str, ...]  # what of it is missing
    waiting: tuple[str, ...]  # missing, and not to be computed as things stand
    deferred: tuple[str, ...]  # of these, this shard's to do when other shards have done what they need
    stale: tuple[str, ...]  # own scratch units on disk that no unit needs any more


def schedule(units: Sequence[Unit], done: Collection[str], shard: Shard | None = None) -> Schedule:
    """`done` are the units whose results are there to stay: of a shard, no scratch of others."""
    users = users_of(units)
    missing: set[str] = set()
    for unit in reversed(units):
        if unit.name not in done and (not unit.scratch or users[unit.name] & missing):
            missing.add(unit.name)
    own = _own(units, shard)
    pending = _of_use(units, users, _reachable(units, missing & own, done))
    deferred = _of_use(units, users, (missing & own & _by_shards(units, done, shard)) - pending) if shard else set()
    return Schedule(
        own=tuple(
            unit.name for unit in units if unit.name in own and (unit.name in pending or unit.name not in missing)
        ),
        pending=tuple(unit.name for unit in units if unit.name in pending),
        waiting=tuple(unit.name for unit in units if unit.name in missing - pending),
        deferred=tuple(unit.name for unit in units if unit.name in deferred),
        stale=tuple(
            unit.name
            for unit in units
            if unit.scratch and unit.name in own and unit.name in done and not users[unit.name] & missing
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


def _own(units: Sequence[Unit], shard: Shard | None) -> set[str]:
    groups = {unit.group for unit in units} if shard is None else shard.groups(units)
    return {unit.name for unit in units if unit.group in groups}


def _reachable(units: Sequence[Unit], missing: set[str], done: Collection[str]) -> set[str]:
    """Missing units whose needs are done or will be."""
    there = set(done)
    for unit in units:
        if unit.name in missing and there.issuperset(unit.needs):
            there.add(unit.name)
    return there & missing


def _by_shards(units: Sequence[Unit], done: Collection[str], shard: Shard) -> set[str]:
    """What is done when all shards are: none computes what joins them, or relies on scratch of another."""
    homes, there, homes_of_scratch = shard.homes(units), set(done), {}
    for unit in units:
        home = homes.get(unit.group)
        if unit.scratch:
            homes_of_scratch[unit.name] = home
        if home and all(need in there and homes_of_scratch.get(need, home) == home for need in unit.needs):
            there.add(unit.name)
    return there


def _of_use(units: Sequence[Unit], users: Mapping[str, Set[str]], chosen: set[str]) -> set[str]:
    """The chosen units without scratch that none of them needs."""
    kept = set(chosen)
    for unit in reversed(units):
        if unit.scratch and not users[unit.name] & kept:
            kept.discard(unit.name)
    return kept
