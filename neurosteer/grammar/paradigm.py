"""`Paradigm`: a small grammar of minimal pairs, and as many pairs of it as wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import cleandoc
from random import Random
from typing import Literal, NamedTuple

from .draw import Draw
from .lexicon import SHARES
from .phrases import Item

VERSION = 2  # of all pairs: another one where a seed gives other pairs
ROUND = ("train", "validation", "train", "test", "train")  # parts of consecutive items
TRIES = 400
Make = Callable[[Draw], Item]
Form = Literal["plain", "balanced"]
Frame = Literal["first", "second", ""]
FRAMES: tuple[Frame, Frame] = ("first", "second")


class Made(NamedTuple):
    good: str
    bad: str
    id: str
    item: str  # what must not be parted by a split
    part: str  # of the lexicon, which holds all its words
    frame: Frame = ""  # of a balanced item


@dataclass(frozen=True)
class Paradigm:
    """One of BLiMP's 67, under its UID.

    `make` draws an item: a pair in its own frame, and the crossed pair in another one. The balanced form holds both;
    the plain one is the first of what `plain` draws (the same, unless BLiMP's are wider), or any where `either`.
    `second` says what the second frame is where it is no instance of the paradigm's own construction, else "".
    """

    uid: str
    phenomenon: str
    about: str
    make: Make
    plain: Make
    either: bool
    second: str = ""

    def pairs(self, n: int, *, seed: int = 0, form: Form = "plain") -> Iterator[Made]:
        """The first n pairs of this seed, no sentence twice. Raises `LookupError` where there are not so many."""
        seen: set[str] = set()
        made = 0
        for i in range(n):
            part = ROUND[i % len(ROUND)]
            item = self._item(i, part, seed, form, seen)
            for cell, frame, (good, bad) in zip("ab", FRAMES, item, strict=False):
                if made == n:
                    return
                made += 1
                if form == "balanced":
                    yield Made(good, bad, f"{i}{cell}", f"{i}", part, frame)
                else:
                    yield Made(good, bad, f"{i}", f"{i}", part)

    def _item(self, i: int, part: str, seed: int, form: Form, seen: set[str]) -> Item:
        rng = Random(f"{VERSION} {self.uid} {form} {seed} {i}")
        for _ in range(TRIES):
            try:
                item = self.make(Draw(rng, part)) if form == "balanced" else self._plain(Draw(rng, part))
            except LookupError:  # a verb without an object of its kind in this part: another verb, then
                continue
            sentences = {sentence for pair in item for sentence in pair}
            if len(sentences) == 2 * len(item) and not sentences & seen:
                seen |= sentences
                return item
        raise LookupError(f"{self.uid}: no new pair after {len(seen) // 2}")

    def _plain(self, draw: Draw) -> Item:
        item = self.plain(draw)
        return (draw.choice(item) if self.either else item[0],)


def paradigm(*, either: bool = False, plain: Make | None = None, second: str = "") -> Callable[[Make], Paradigm]:
    """The function below draws an item of the paradigm that it is named after; its docstring says what it is about.

    `plain` draws those of the plain form where that is more than one frame of the balanced one; `second` as in
    `Paradigm`.
    """

    def wrap(make: Make) -> Paradigm:
        phenomenon = make.__module__.rpartition(".")[2]
        return Paradigm(make.__name__, phenomenon, cleandoc(make.__doc__ or ""), make, plain or make, either, second)

    return wrap


assert set(ROUND) == set(SHARES)
