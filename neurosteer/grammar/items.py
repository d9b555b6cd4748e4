"""Items of pairs, one after another: each of one part, none with a sentence that was there before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from .draw import Draw
from .lexicon import SHARES
from .phrases import Item

ROUND = ("train", "validation", "train", "test", "train")  # parts of consecutive items
TRIES = 400
Make = Callable[[Draw], Item]


def draw_items(name: str, make: Make, n: int, *, key: str) -> Iterator[tuple[str, Item]]:
    """The first n items of this key, each with its part.

    Raises:
        LookupError: where there are not so many; it begins with `name`.
    """
    seen: set[str] = set()
    for i in range(n):
        part = ROUND[i % len(ROUND)]
        item = _new_item(make, Random(f"{key} {i}"), part, seen)
        if item is None:
            raise LookupError(f"{name}: no new pair after {len(seen) // 2}")
        seen |= {sentence for pair in item for sentence in pair}
        yield part, item


def _new_item(make: Make, rng: Random, part: str, seen: set[str]) -> Item | None:
    for _ in range(TRIES):
        try:
            item = make(Draw(rng, part))
        except LookupError:  # words that do not go together, such as a verb without an object in this part
            continue
        sentences = {sentence for pair in item for sentence in pair}
        if len(sentences) == 2 * len(item) and not sentences & seen:
            return item
    return None


assert set(ROUND) == set(SHARES)
