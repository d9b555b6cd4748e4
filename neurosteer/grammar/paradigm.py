"""`Paradigm`: a small grammar of minimal pairs, and as many pairs of it as wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import cleandoc
from typing import Literal, NamedTuple

from .draw import Draw
from .items import Make, draw_items
from .phrases import Item

VERSION = 2  # of all pairs: another one where a seed gives other pairs
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
        made, key = 0, f"{VERSION} {self.uid} {form} {seed}"
        make = self.make if form == "balanced" else self._plain
        for i, (part, item) in enumerate(draw_items(self.uid, make, n, key=key)):
            for cell, frame, (good, bad) in zip("ab", FRAMES, item, strict=False):
                if made == n:
                    return
                made += 1
                if form == "balanced":
                    yield Made(good, bad, f"{i}{cell}", f"{i}", part, frame)
                else:
                    yield Made(good, bad, f"{i}", f"{i}", part)

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
