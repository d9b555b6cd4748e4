"""`MeaningTask`: pairs of grammatical sentences, one of them true or sensible, and up to 300 of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import cleandoc
from typing import Literal

from neurosteer.grammar import Made
from neurosteer.grammar.items import Make, draw_items

VERSION = 1  # of all pairs: another one where a seed gives other pairs
MOST = 300  # pairs of a task
Phenomenon = Literal["facts", "sense"]


@dataclass(frozen=True)
class MeaningTask:
    """A set of crossed pairs: `make` draws an item of two pairs in which the same words change sides.

    What is good in one of them is bad in the other, so that no word tells good from bad.
    `parted` says that the words of train, validation and test are apart, as those of the grammar pairs are.
    """

    name: str
    phenomenon: Phenomenon
    about: str
    make: Make
    parted: bool

    def pairs(self, n: int = MOST, *, seed: int = 0) -> Iterator[Made]:
        """The first n pairs of this seed, no sentence twice.

        Raises:
            LookupError: where there are not so many; there are 300 with every seed.
        """
        made, key = 0, f"{VERSION} {self.name} {seed}"
        for i, (part, item) in enumerate(draw_items(self.name, self.make, n, key=key)):
            for cell, (good, bad) in zip("ab", item, strict=True):
                if made == n:
                    return
                made += 1
                yield Made(good, bad, f"{i}{cell}", f"{i}", part if self.parted else "")


def meaning_task(phenomenon: Phenomenon, *, parted: bool = False) -> Callable[[Make], MeaningTask]:
    """The function below draws an item of the task that it is named after; its docstring says what it is about."""

    def wrap(make: Make) -> MeaningTask:
        return MeaningTask(make.__name__, phenomenon, cleandoc(make.__doc__ or ""), make, parted)

    return wrap
