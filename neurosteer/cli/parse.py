"""Values of options for which typer has no type: what was typed, checked before anything slow is imported.

Typer passes defaults through them too. Only the syntax is judged here: whether the model has such a layer, or as many
neurons, is for the study to say.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, NoReturn, TypeVar

import typer

from neurosteer.vocabulary import (
    COLUMNS,
    DIRECTION_KINDS,
    QUESTIONS,
    DirectionKind,
    Question,
    Workers,
    is_device,
    is_share,
    read_layers,
    read_workers,
)

Word = TypeVar("Word", bound=str)


class Columns(NamedTuple):
    """The names of the columns with the good and with the bad sentences."""

    good: str = COLUMNS[0]
    bad: str = COLUMNS[1]


def refuse(text: object, why: str) -> NoReturn:
    """Say what is wrong with the text of an option; the command line puts the option's name before it."""
    raise typer.BadParameter(f"'{text}' {why}")


def words(allowed: Sequence[str]) -> dict[str, Any]:
    """Of a `typer.Option` that repeats: each is one of these words. Lists of literals are more than typer knows."""

    def one_of(text: str) -> str:
        return text if text in allowed else refuse(text, f"is not one of {', '.join(allowed)}")

    return {"parser": one_of, "metavar": "|".join(allowed), "autocompletion": suggest(*allowed)}


def suggest(*known: str) -> Callable[[], list[str]]:
    """What a shell completes an option with."""
    return lambda: list(known)


def each_once(given: Iterable[str], allowed: Sequence[Word]) -> tuple[Word, ...]:
    """The words given, in their order, as the words of the vocabulary that they are."""
    return tuple(word for text in dict.fromkeys(given) for word in allowed if word == text)


def some_text(text: str) -> str:
    """Any text but none."""
    return text if text.strip() else refuse(text, "is empty")


def finite(text: str | float) -> float:
    """A finite number."""
    return _number(text, "a finite number", math.isfinite)


def not_negative(text: str | float) -> float:
    """A finite number of at least 0."""
    return _number(text, "a finite number of at least 0", lambda value: 0 <= value < math.inf)


def positive(text: str | float) -> float:
    """A finite number above 0."""
    return _number(text, "a finite number above 0", lambda value: 0 < value < math.inf)


def penalty(text: str | float) -> float:
    """A number above 0 and up to 1."""
    return _number(text, "a number above 0 and up to 1", lambda value: 0 < value <= 1)


def _number(text: str | float, kind: str, is_right: Callable[[float], bool]) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    return value if is_right(value) else refuse(text, f"is not {kind}")


def divergence(text: str | float) -> float | Literal["auto"]:
    """A KL above 0, or `auto`."""
    if text == "auto":
        return "auto"
    return _number(text, "auto, or a finite number above 0", lambda value: 0 < value < math.inf)


def workers(text: str | int) -> Workers:
    """How many, or `auto`."""
    try:
        return read_workers(text)
    except ValueError as error:
        return refuse(text, str(error))


def questions(text: str) -> tuple[Question, ...]:
    """Some of the six questions of evidence, `necessary,sufficient`."""
    asked = [word.strip() for word in text.split(",")]
    for word in asked:
        if word not in QUESTIONS:
            refuse(word, f"is not one of {', '.join(QUESTIONS)}")
    return tuple(question for question in QUESTIONS if question in asked)


def topk(text: str) -> str:
    """How many neurons: a count (`"40"`) or a share of a layer's units (`"1%"`), still as text."""
    if (re.fullmatch(r"[0-9]{1,9}", text) and int(text) > 0) or is_share(text):
        return text
    if re.fullmatch(r"0*[1-9][0-9]{9,}", text):
        refuse(text, "is more neurons than any layer has")
    return refuse(text, "is neither a count of neurons (40) nor a share above 0 and up to 100% (1%)")


def layers(text: str) -> Literal["all"] | list[int]:
    """`all`, or the layers of `3`, `3,7,12`, `0-5` or `0-5,9`, ascending, each once."""
    try:
        return "all" if text == "all" else read_layers(text)
    except ValueError:
        return refuse(text, "is not 'all', a layer (3), a list (3,7,12) or an ascending range (0-5)")


def columns(text: str | Columns) -> Columns:
    """Two different names, `GOOD,BAD`."""
    if isinstance(text, Columns):  # the default
        return text
    names = [name.strip() for name in text.split(",")]
    if len(names) != 2 or not all(names) or names[0] == names[1]:
        refuse(text, "is not two different column names, GOOD,BAD")
    return Columns(*names)


def layout(text: str) -> str:
    """How rows become pairs, still as text."""
    from neurosteer.pairs import read_layout

    try:
        read_layout(text)
    except ValueError as error:
        refuse(text, str(error))
    return text


def device(text: str) -> str:
    """`auto`, or a device as torch names it."""
    return text if is_device(text) else refuse(text, "is not one of auto, cpu, cuda, cuda:N, xpu, mps")


def expanded(text: str) -> Path:
    """A path, whether it is there or not."""
    try:
        return Path(some_text(text)).expanduser()
    except RuntimeError:
        return refuse(text, "begins with a user of whom no home folder is known")


def file(text: str) -> Path:
    """A file that is there and can be read."""
    path = expanded(text)
    if not path.is_file():
        raise typer.BadParameter(f"'{text}': no such file")
    if not os.access(path, os.R_OK):
        raise typer.BadParameter(f"'{text}': no permission to read it")
    return path


def neurons(text: str) -> Path | tuple[tuple[int, int], ...]:
    """A file, or neurons as LAYER:UNIT, with commas between them."""
    if not re.fullmatch(r"[0-9]{1,9}:[0-9]{1,9}(, *[0-9]{1,9}:[0-9]{1,9})*", text):
        if ":" in text and not expanded(text).exists():
            refuse(text, "is no file, and not neurons as LAYER:UNIT,LAYER:UNIT")
        return file(text)
    typed = (one.split(":") for one in text.split(","))
    return tuple((int(layer), int(unit)) for layer, unit in typed)


def direction(text: str) -> Path | DirectionKind:
    """The kind of a direction, or a file that has one."""
    known = each_once([text], DIRECTION_KINDS)
    return known[0] if known else file(text)


def folder(text: str | Path) -> Path:
    """A folder that is there, or that can be made."""
    path = expanded(str(text))
    there = next(parent for parent in (path.absolute(), *path.absolute().parents) if parent.exists())
    if not there.is_dir():
        raise typer.BadParameter(f"'{text}': '{there}' is a file, not a folder")
    if not os.access(there, os.W_OK):
        raise typer.BadParameter(f"'{text}': no permission to write in '{there}'")
    return path


def given_folder(text: str | Path) -> Path:
    """A folder that is there."""
    path = expanded(str(text))
    return path if path.is_dir() else refuse(text, "is no folder")
