"""Simple arithmetic in words: sums, differences and products of small numbers, and sums of tens."""

from __future__ import annotations

from collections.abc import Iterator

from neurosteer.grammar.draw import Draw
from neurosteer.grammar.phrases import Item

from .facts import Fact, cross
from .meaning_task import meaning_task

NAMES = dict(
    enumerate(
        """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
        seventeen eighteen nineteen twenty""".split()
    )
) | dict(zip(range(30, 101, 10), "thirty forty fifty sixty seventy eighty ninety hundred".split(), strict=True))
FRAMES = (
    "{subject} is {answer}.",
    "{subject} equals {answer}.",
    "As everyone knows, {subject} is {answer}.",
    "The result of {subject} is {answer}.",
    "The answer to {subject} is {answer}.",
    "If you work out {subject}, you get {answer}.",
    "In arithmetic, {subject} equals {answer}.",
    "Every child learns that {subject} is {answer}.",
)


def _facts() -> Iterator[Fact]:
    digits = range(1, 11)
    for a in digits:
        for b in digits:
            yield _fact(a, "plus", b, a + b)
            if a > b:
                yield _fact(a, "minus", b, a - b)
            if 1 < min(a, b) and a * b <= 20:
                yield _fact(a, "times", b, a * b)
    for a in range(10, 90, 10):
        for b in range(10, 100 - a, 10):
            yield _fact(a, "plus", b, a + b)


def _fact(a: int, done: str, b: int, result: int) -> Fact:
    return Fact(f"{NAMES[a]} {done} {NAMES[b]}", NAMES[result], frozenset({NAMES[result]}))


FACTS = tuple(dict.fromkeys(_facts()))


@meaning_task("facts")
def arithmetic(draw: Draw) -> Item:
    """What comes out: `Two plus three is five`, not `Two plus three is nine`."""
    return cross(draw, FACTS, FRAMES)
