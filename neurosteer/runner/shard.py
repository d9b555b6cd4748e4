"""Shards: several machines, each with its own tasks of one run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from neurosteer.errors import InputError

from .units import Unit


@dataclass(frozen=True)
class Shard:
    """The index-th of `of` shards, counted from 1."""

    index: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """From `i/n`."""
        match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
        if not match or not 1 <= int(match[1]) <= int(match[2]):
            raise InputError(f"shard '{text}' is not i/n with i from 1 to n, like 2/4")
        return cls(int(match[1]), int(match[2]))

    def homes(self, units: Sequence[Unit]) -> dict[str, int]:
        """Group -> the index of its shard: every n-th is the same one's, in the order in which they first appear."""
        groups = dict.fromkeys(unit.group for unit in units if unit.group)
        return {group: 1 + i % self.of for i, group in enumerate(groups)}

    def groups(self, units: Sequence[Unit]) -> set[str]:
        """The groups of this shard."""
        return {group for group, home in self.homes(units).items() if home == self.index}

    def __str__(self) -> str:
        return f"{self.index}/{self.of}"
