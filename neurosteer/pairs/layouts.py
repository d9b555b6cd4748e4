"""A layout: which columns play which part, in which order sentences come, and how `--layout` spells it.

Three kinds of rows become pairs: a row that holds both sentences (`good`, `bad`), a row that holds two and says which
of them is good (`first`, `second`, `label`), and a row that holds one (`sentence`), with its `label` or in a known
order.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from neurosteer.errors import InputError, did_you_mean
from neurosteer.vocabulary import COLUMNS, Columns

AUTO = "auto"
Order = Literal["good-bad", "bad-good"]
Delimiter = Literal["comma", "semicolon", "tab", "bar"]
ORDERS: tuple[Order, ...] = get_args(Order)
DELIMITERS: dict[Delimiter, str] = {"comma": ",", "tab": "\t", "semicolon": ";", "bar": "|"}
JOIN = "+"  # of columns that make one sentence


@dataclass(frozen=True)
class Layout:
    """What is known of a table; None is still to be found.

    Attributes:
        good, bad: the columns of a row's two sentences; `A+B` joins two columns by a space.
        first, second: the same where `label` says which is the good one: 0 the first, 1 the second.
        sentence: the column of a row's only sentence.
        label: the column that says whether it is good.
        pair: the column that the two sentences of a pair have in common; "" where they are neighbours.
        task: the column whose values are the tasks; "" where the table is one task.
        phenomenon: the column of the tasks' phenomena; "" for none.
        order: how sentences follow each other where nothing labels them.
        delimiter: what parts the fields of a line.
    """

    good: str | None = None
    bad: str | None = None
    first: str | None = None
    second: str | None = None
    sentence: str | None = None
    label: str | None = None
    pair: str | None = None
    task: str | None = None
    phenomenon: str | None = None
    order: Order | None = None
    delimiter: Delimiter | None = None

    def __str__(self) -> str:
        """As `--layout` takes it: `read_layout` reads it back."""
        numbered = self.order is not None  # then good and bad are the numbers of a line's fields: no need to say so
        passed = ("order", "good", "bad") if numbered else ()
        said = [f"{name}={value}" for name, value in self.named().items() if name not in passed]
        return ",".join([*([self.order] if self.order else []), *said]) or AUTO

    def __repr__(self) -> str:
        return f"Layout({', '.join(f'{name}={value!r}' for name, value in self.named().items())})"

    def named(self) -> dict[str, Any]:
        """The parts that are known."""
        return {name: value for name, value in vars(self).items() if value is not None}

    def over(self, other: Layout) -> Layout:
        """This one where it says something, else the other; where it names sentences, none of the other's."""
        if self.good or self.first or self.one_a_row:
            other = Layout(task=other.task, phenomenon=other.phenomenon)
        return replace(other, **self.named())

    @property
    def is_plain(self) -> bool:
        """Whether it says no more than that a row holds `sentence_good` and `sentence_bad`, as BLiMP's files do."""
        bare = replace(self, task=self.task or None, phenomenon=None)
        return bare in (PLAIN, UNKNOWN) and self.phenomenon in _OF_BLIMP

    @property
    def one_a_row(self) -> bool:
        """Whether a row holds one sentence, as far as is known."""
        return any(value is not None for value in (self.sentence, self.pair, self.order)) or (
            self.label is not None and self.first is None
        )


PARTS = tuple(one.name for one in fields(Layout) if one.name != "order")
COLUMN_PARTS = tuple(name for name in PARTS if name != "delimiter")
UNKNOWN = Layout()
PLAIN = Layout(*COLUMNS)
_OF_BLIMP = (None, "", "linguistics_term")  # where its files have the phenomenon
_CAN_BE_NONE = ("pair", "task", "phenomenon")
TAKES = f"auto, {', '.join(ORDERS)}, or PART=COLUMN with commas between; parts are {', '.join(PARTS)}"


def read_layout(text: str) -> Layout:
    """The layout that a text spells.

    Raises:
        ValueError: says what is wrong with it.

    Example:
        >>> read_layout("sentence=Satz,label=ok,task=")
        Layout(sentence='Satz', label='ok', task='')
    """
    found: dict[str, Any] = {}
    for part in [] if text.strip() == AUTO else text.split(","):
        name, sign, value = (piece.strip() for piece in part.partition("="))
        if not sign and name in ORDERS:
            name, value = "order", name
        elif not sign or name not in PARTS:
            close = did_you_mean(name, (*PARTS, *ORDERS, AUTO))
            what = "is no layout" if part == text else f"has '{part.strip()}', which is no part of a layout"
            raise ValueError(f"{what}{close} (it is {TAKES})")
        if name in found:
            raise ValueError(f"gives {name} twice")
        if not value and name not in _CAN_BE_NONE:
            raise ValueError(f"names no column for {name}")
        if name == "delimiter" and value not in DELIMITERS:
            raise ValueError(f"delimiter '{value}' is not one of {', '.join(DELIMITERS)}")
        found[name] = value
    _check(found)
    return Layout(**found)


def _check(found: dict[str, str]) -> None:
    """Raise ValueError for parts that do not go together."""
    for one, other in (("good", "bad"), ("first", "second")):
        if (one in found) != (other in found):
            raise ValueError(f"names {one if one in found else other} alone: {one} and {other} come together")
        if one in found and found[one] == found[other]:
            raise ValueError(f"names '{found[one]}' as {one} and as {other}")
    kinds = [kind for kind in ("good", "first", "sentence") if kind in found]
    if len(kinds) > 1:
        raise ValueError(f"names both {kinds[0]} and {kinds[1]}: a row has one sentence, or two")
    alone = [part for part in ("label", "pair", "order") if part in found]
    if "good" in found and alone:
        raise ValueError(f"names {alone[0]}, but a row with good and bad needs none")


def asked_layout(layout: str, columns: Columns) -> Layout:
    """What the user said: `--layout`, and `--columns`, whose default says nothing.

    Raises:
        InputError: for a layout that cannot be read, and for columns that are named by both.
    """
    try:
        asked = read_layout(layout)
    except ValueError as error:
        raise InputError(f"layout '{layout}' {error}") from None
    if tuple(columns) == COLUMNS:
        return asked
    if asked.one_a_row or asked.good is not None or asked.first is not None:
        raise InputError(f"--columns {','.join(columns)} and --layout {layout} both name sentences; give one of them")
    return replace(asked, good=columns[0], bad=columns[1])
