"""Simple arithmetic in words: sums, differences and products of small numbers, and sums of tens."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from neurosteer.grammar.draw import Draw
from neurosteer.grammar.phrases import Item

from .facts import Fact, cross
from .meaning_task import meaning_task

UNITS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen twenty
"""
TENS = "ten twenty thirty forty fifty sixty seventy eighty ninety"
NAMES = dict(enumerate(UNITS.split())) | {10 * (i + 1): name for i, name in enumerate(TENS.split())}
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
    for a, b in product(range(1, 11), repeat=2):
        yield _fact(a, "plus", b, a + b)
        if a > b:
            yield _fact(a, "minus", b, a - b)
        if min(a, b) > 1 and a * b <= 20:
            yield _fact(a, "times", b, a * b)
    for a, b in product(range(10, 90, 10), repeat=2):
        if 20 < a + b < 100:
            yield _fact(a, "plus", b, a + b)


def _fact(a: int, done: str, b: int, result: int) -> Fact:
    return Fact(f"{NAMES[a]} {done} {NAMES[b]}", NAMES[result], frozenset({NAMES[result]}))


FACTS = tuple(_facts())


@meaning_task("facts")
def arithmetic(draw: Draw) -> Item:
    """What comes out: `Two plus three is five`, not `Two plus three is nine`."""
    return cross(draw, FACTS, FRAMES)
