"""From rows to pairs: what every source must deliver, each pair once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from neurosteer.errors import InputError

from .blimp import PHENOMENON_OF, normalise
from .duplicates import NOTHING, LeftOut
from .rows import PairRow


@dataclass(frozen=True)
class CheckedPairs:
    """What the rows of a task say."""

    pairs: tuple[tuple[str, str, str], ...]  # good, bad, id
    phenomenon: str | None
    left_out: LeftOut


def check_rows(rows: Iterable[PairRow], *, task: str, place: str) -> CheckedPairs:
    """The pairs among the rows of a task.

    Pairs whose sentences are those of an earlier pair, or one and the same, are left out and counted. A pair's id is
    its `pairID`, or its 0-based row number where that is missing or taken.

    Raises:
        InputError: for fewer than two pairs.
    """
    pairs: list[tuple[str, str, str]] = []
    taken: set[str] = set()
    seen: set[tuple[str, str]] = set()
    terms: set[str] = set()
    repeated = identical = 0
    for number, row in enumerate(rows):
        terms |= {normalise(row.phenomenon)} if row.phenomenon else set()
        if row.good == row.bad:
            identical += 1
            continue
        if (row.good, row.bad) in seen:
            repeated += 1
            continue
        seen.add((row.good, row.bad))
        name = row.id if row.id and row.id not in taken else str(number)
        taken.add(name)
        pairs.append((row.good, row.bad, name))
    left_out = LeftOut(repeated, identical)
    if len(pairs) < 2:
        raise InputError(_too_few(place, len(pairs), left_out))
    return CheckedPairs(tuple(pairs), phenomenon_of(task, terms), left_out)


def phenomenon_of(task: str, terms: Iterable[str]) -> str | None:
    """BLiMP's own for its tasks, else the one that all rows name."""
    found = {normalise(term) for term in terms if term}
    return PHENOMENON_OF.get(task) or (found.pop() if len(found) == 1 else None)


def _too_few(place: str, used: int, left_out: LeftOut) -> str:
    if not used and left_out == NOTHING:
        return f"{place} is empty: it holds no pairs"
    found = "only 1 pair" if used else "no pair"
    if left_out != NOTHING:
        found += f" that counts (repeats: {left_out.repeated:,}, the same sentence twice: {left_out.identical:,})"
    return f"{place} holds {found}; at least 2 are needed"
