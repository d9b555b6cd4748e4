"""Train, validation and test, 60/20/20: pairs that share a sentence or an item are never parted."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from random import Random

from neurosteer.errors import InputError

PARTS = ("train", "validation", "test")
Sentences = tuple[str, str]  # good, bad
Indices = dict[str, tuple[int, ...]]  # part -> positions of its pairs


def generator(seed: int, task: str, kind: str) -> Random:
    """A generator of its own for each (seed, task, kind), so that no split depends on what else is split."""
    digest = hashlib.sha256(f"{kind}\n{seed}\n{task}".encode()).digest()
    return Random(int.from_bytes(digest[:8], "big"))


def groups_of(pairs: Sequence[Sentences], items: Sequence[str]) -> list[list[int]]:
    """Positions of the pairs, grouped so that pairs of different groups share no sentence and no item.

    An empty item is none.
    """
    from scipy.cluster.hierarchy import DisjointSet

    groups: DisjointSet = DisjointSet(range(len(pairs)))
    owner: dict[tuple[str, str], int] = {}
    for index, (sentences, item) in enumerate(zip(pairs, items, strict=True)):
        shared = [("sentence", sentence) for sentence in sentences] + ([("item", item)] if item else [])
        for key in shared:
            groups.merge(owner.setdefault(key, index), index)
    return [sorted(group) for group in groups.subsets()]


def deal_groups(groups: Sequence[list[int]], rng: Random) -> Indices:
    """Deal shuffled groups: test, then validation, up to a fifth of the pairs each; the rest is train."""
    room = sum(map(len, groups)) // 5
    parts: dict[str, list[int]] = {part: [] for part in PARTS}
    for group in rng.sample(list(groups), len(groups)):
        fits = (part for part in ("test", "validation") if len(parts[part]) + len(group) <= room)
        parts[next(fits, "train")] += group
    return {part: tuple(sorted(parts[part])) for part in PARTS}


def split_by_pair(pairs: Sequence[Sentences], items: Sequence[str], *, task: str, seed: int) -> Indices:
    """Positions of each part. Raises InputError when a part would stay empty."""
    groups = groups_of(pairs, items)
    parts = deal_groups(groups, generator(seed, task, "pair"))
    for part in PARTS:
        if not parts[part]:
            raise InputError(
                f"'{task}' is too small to split: {len(pairs)} pairs in {len(groups)} groups that share no "
                f"sentence leave the {part} part empty (10 pairs or more are wanted)"
            )
    return parts
