"""Pairs that are no evidence of their own: counted, said in one line, and each pair used once.

A pair that stands there again and one whose two sentences are the same are left out when they are read. Pairs that
stand in both directions contradict each other, and which of the two is right nobody can tell: both are kept and said.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from .splitting import Sentences


@dataclass(frozen=True)
class LeftOut:
    """How many pairs of a whole source, whatever the limit, were read and are not used."""

    repeated: int = 0  # both sentences are those of an earlier pair
    identical: int = 0  # good and bad are the same sentence


NOTHING = LeftOut()


def both_ways(sentences: Iterable[Sentences]) -> int:
    """How many pairs (A, B) stand there as (B, A) too; both count."""
    known = set(sentences)
    return sum(good != bad and (bad, good) in known for good, bad in known)


def remarks(task: str, used: Collection[Sentences], left_out: LeftOut, same_tokens: int = 0) -> list[str]:
    """What is to be said of the pairs of a task: one line, or none.

    `same_tokens` is how many of those used are the same tokens to the model.
    """
    contrary = both_ways(used)
    said = [
        f"repeating an earlier one: {left_out.repeated:,} (left out)" if left_out.repeated else "",
        f"the same sentence twice: {left_out.identical:,} (left out)" if left_out.identical else "",
        f"in both directions: {contrary:,} of {len(used):,} (kept; they contradict each other)" if contrary else "",
        f"the same tokens to the model: {same_tokens:,} of {len(used):,} (kept; it cannot tell good from bad)"
        if same_tokens
        else "",
    ]
    found = [remark for remark in said if remark]
    return [f"pairs of {task}: {'; '.join(found)}"] if found else []
