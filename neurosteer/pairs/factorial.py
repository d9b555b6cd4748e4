"""Factorial items: two causes x two outcomes in four sentences, and where they part as tokens.

The two pairs of a balanced built-in item are such four sentences: what is good in one frame is bad in the other.
Which of the two factors, frame or word, is the cause is not written down anywhere. It is the one that parts the
sentences first; the other is the outcome that follows. What a model prefers is read at the last token before the
outcomes part: log P(first differing token of outcome 1) - log P(that of outcome 2), of which cause 1 makes the first
grammatical.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from neurosteer.grammar import PARADIGMS
from neurosteer.gym import GYM_TASKS
from neurosteer.vocabulary import Region

from .pair import Pair, sentence_hashes

Tokens = tuple[int, ...]
Factor = Literal["frame", "word"]
Unfit = Literal["no cause before the outcome", "outcomes begin otherwise under the other cause"]
NO_CAUSE: Unfit = "no cause before the outcome"
OTHER_TOKENS: Unfit = "outcomes begin otherwise under the other cause"
MOST_DRAWN = 2500  # items of all parts that are made in search of some
HELD_OUT = "test"  # part of the lexicon


@dataclass(frozen=True)
class Item:
    """Four sentences: good and bad in the first frame, good and bad in the second.

    Example:
        >>> Item("0", "She is.", "She are.", "They are.", "They is.").by("frame")
        (('She is.', 'She are.'), ('They is.', 'They are.'))
    """

    id: str
    good: str
    bad: str
    second_good: str
    second_bad: str

    @property
    def sentences(self) -> tuple[str, str, str, str]:
        return self.good, self.bad, self.second_good, self.second_bad

    def by(self, cause: Factor) -> tuple[tuple[str, str], tuple[str, str]]:
        """`[cause][outcome]`; the first good sentence has cause 1 and outcome 1, the second good one both others."""
        crossed = (self.bad, self.second_bad) if cause == "frame" else (self.second_bad, self.bad)
        return (self.good, crossed[0]), (crossed[1], self.second_good)


@dataclass(frozen=True)
class Contexts:
    """What stands before the outcomes of one item: one context for each cause, as tokens.

    `outcomes` are the first differing tokens of outcomes 1 and 2, the same under both causes. The contexts are alike
    before the position `start`; both differ there.
    """

    id: str
    cause: Factor
    tokens: tuple[Tokens, Tokens]  # of causes 1 and 2, up to the last token before the outcomes part
    outcomes: tuple[int, int]
    start: int
    same_continuation: bool  # whether all tokens after the contexts are the same under both causes

    @property
    def aligned(self) -> bool:
        """Whether the contexts are of one length, so that each token answers the one at its position."""
        return len(self.tokens[0]) == len(self.tokens[1])

    def region(self, name: Region) -> tuple[int, ...]:
        """The positions of a region of aligned contexts; none where it is empty.

        `last` is the last token, `cause` all before it from the first to the last at which the contexts differ, and
        `between` what is left.
        """
        first, second = self.tokens
        last = len(first) - 1
        differing = [i for i in range(self.start, last) if first[i] != second[i]]
        end = differing[-1] + 1 if differing else self.start
        spans = {"cause": range(self.start, end), "between": range(end, last), "last": range(last, last + 1)}
        return tuple(spans[name])


def contexts_of(item: Item, tokens: Sequence[Tokens]) -> Contexts | Unfit:
    """The contexts of an item, whose sentences have these `tokens` (in the order of `item.sentences`), or why not.

    Example:
        >>> item = Item("0", "She is.", "She are.", "They are.", "They is.")
        >>> contexts_of(item, [(1, 2, 9), (1, 3, 9), (4, 3, 9), (4, 2, 9)]).tokens
        ((1,), (4,))
    """
    good, bad, second_good, second_bad = tokens
    alike = min(common_prefix(good, other) for other in (bad, second_good, second_bad))
    cells: tuple[tuple[Factor, tuple[Tokens, Tokens, Tokens, Tokens]], ...] = (
        ("frame", (good, bad, second_bad, second_good)),
        ("word", (good, second_bad, bad, second_good)),
    )
    for cause, (first, second, other_first, other_second) in cells:
        ends = common_prefix(first, second), common_prefix(other_first, other_second)
        if min(ends) <= alike or ends[0] == min(len(first), len(second)):
            continue
        if ends[1] == min(len(other_first), len(other_second)):
            continue
        outcomes = first[ends[0]], second[ends[0]]
        if outcomes != (other_first[ends[1]], other_second[ends[1]]):
            return OTHER_TOKENS
        return Contexts(
            id=item.id,
            cause=cause,
            tokens=(first[: ends[0]], other_first[: ends[1]]),
            outcomes=outcomes,
            start=alike,
            same_continuation=(first[ends[0] :], second[ends[0] :])
            == (other_first[ends[1] :], other_second[ends[1] :]),
        )
    return NO_CAUSE


def common_prefix(one: Tokens, other: Tokens) -> int:
    """How many tokens two sequences begin with in common."""
    return next(
        (i for i, both in enumerate(zip(one, other, strict=False)) if both[0] != both[1]), min(len(one), len(other))
    )


def has_items(task: str) -> bool:
    """Whether there are built-in factorial items of a task."""
    return task in PARADIGMS or task in GYM_TASKS


def items_of(task: str, *, seed: int = 0, but: Sequence[str] = ()) -> Iterator[Item]:
    """The built-in factorial items of a task, from the words that are held out for tests.

    `but` are the hashes of sentences (`sentence_hashes`) that no item may hold. There are 500 items at most, fewer
    where the words do not give so many.
    """
    barred = set(but)
    made = (GYM_TASKS.get(task) or PARADIGMS[task]).pairs(2 * MOST_DRAWN, seed=seed, form="balanced")
    try:
        for _, both in groupby(made, key=lambda one: one.item):
            first, second = both
            if first.part != HELD_OUT:
                continue
            pairs = Pair(first.good, first.bad, id=first.id), Pair(second.good, second.bad, id=second.id)
            if not barred & set(sentence_hashes(pairs)):
                yield Item(first.item, first.good, first.bad, second.good, second.bad)
    except LookupError:  # all words are used up
        return
