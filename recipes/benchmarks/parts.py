"""A long job of a peer, a part of it in each turn."""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Iterable
from itertools import cycle
from typing import Generic, TypeVar

Job = TypeVar("Job", bound=Hashable)
Found = TypeVar("Found")


class InParts(Generic[Job, Found]):
    """Does a part at each call: jobs are shuffled, so that each part is like the whole."""

    def __init__(
        self,
        jobs: Iterable[Job],
        do: Callable[[Job], Found],
        parts: int,
        *,
        weight: Callable[[Job], float] = lambda _: 1.0,  # of a job, beside the others
    ) -> None:
        self.jobs, self.do, self.weight = list(jobs), do, weight
        self.found: dict[Job, Found] = {}  # at all calls
        self.done = 0.0  # how often the whole job has been done, at all calls
        random.Random(0).shuffle(self.jobs)
        parts = min(parts, len(self.jobs))
        self.parts = cycle([self.jobs[i::parts] for i in range(parts)])

    def __call__(self) -> dict[Job, Found]:
        now = {job: self.do(job) for job in next(self.parts)}
        self.found |= now
        self.done += self.share(now)
        return now

    def share(self, found: Iterable[Job]) -> float:
        """Of the whole job, that one call has done."""
        return sum(map(self.weight, found)) / sum(map(self.weight, self.jobs))
