"""Which pairs a result was made from, and how they were split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from neurosteer.pairs import LeftOut, Pairs, Split
from neurosteer.shown import short_repr
from neurosteer.vocabulary import SplitKind

from .record import WHERE_KNOWN, read_record


@dataclass(frozen=True, kw_only=True)
class PairsUsed:
    """The pairs of one task. What a run of an earlier version did not count is None."""

    source: str
    pairs: int
    digest: str  # SHA-256 of their sentences and ids
    left_out: LeftOut | None = None
    both_ways: int | None = None  # pairs that are there in both directions
    layout: Annotated[str | None, WHERE_KNOWN] = None  # of rows that are not as BLiMP's are

    __repr__ = short_repr

    @classmethod
    def of(cls, pairs: Pairs) -> PairsUsed:
        return read_record(cls, pairs.describe())


@dataclass(frozen=True, kw_only=True)
class SplitSizes:
    """How a task's pairs were split: the numbers of pairs in each part, and of those that straddle parts."""

    kind: SplitKind
    seed: int
    train: int
    validation: int
    test: int
    dropped: int

    @classmethod
    def of(cls, parts: Split) -> SplitSizes:
        sizes = {name: len(part) for name, part in zip(("train", "validation", "test"), parts, strict=True)}
        return read_record(cls, {"kind": parts.kind, "seed": parts.seed, **sizes, "dropped": parts.dropped})


@dataclass(frozen=True, kw_only=True)
class SplitPairs(PairsUsed):
    """Pairs and their split; None where pairs were given that nobody split."""

    split: SplitSizes | None = None
    split_new_words: SplitSizes | None = None  # the lexical split beside it


@dataclass(frozen=True, kw_only=True)
class MeasuredPairs(SplitPairs):
    """Pairs of which some, mostly the test pairs, were measured."""

    tested: int

    __repr__ = short_repr
