"""What was typed, checked and turned into values before anything slow is imported.

Each function takes the text of one option and raises InputError that names the option, the text and what
would have been right. Only the syntax is judged here: whether the model has such a layer, or as many
neurons, is for the study to say.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeVar

from neurosteer.errors import InputError, did_you_mean
from neurosteer.vocabulary import is_device, is_share, read_layers

FORMATS = ("table", "json")

Word = TypeVar("Word", bound=str)


def choice(option: str, text: str, allowed: Sequence[Word]) -> Word:
    """`text`, if it is one of the allowed words."""
    if text not in allowed:
        hint = did_you_mean(text, allowed)
        raise InputError(f"{option} '{text}' is not one of {', '.join(allowed)}{hint}")
    return allowed[allowed.index(text)]


def choices(option: str, texts: Sequence[str], allowed: Sequence[Word]) -> tuple[Word, ...]:
    """Several allowed words, each once, in the order given."""
    return tuple(dict.fromkeys(choice(option, text, allowed) for text in texts))


def some_text(option: str, text: str) -> str:
    """`text`, if there is any."""
    if not text.strip():
        raise InputError(f"{option} '{text}' is empty")
    return text


def text_if_given(option: str, text: str | None) -> str | None:
    """The same, or None where the option was not given."""
    return None if text is None else some_text(option, text)


def whole(option: str, text: str, *, least: int, most: int | None = None) -> int:
    """A whole number of at least `least`, and at most `most`."""
    if not re.fullmatch(r"[0-9]{1,18}", text) or int(text) < least:
        raise InputError(f"{option} '{text}' is not a whole number of at least {least}")
    if most is not None and int(text) > most:
        raise InputError(f"{option} '{text}' is more than {most:,}, the most that can be drawn")
    return int(text)


def number(option: str, text: str, *, least: float = -math.inf) -> float:
    """A finite number of at least `least`."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < least:
        bound = "" if least == -math.inf else f" of at least {least:g}"
        raise InputError(f"{option} '{text}' is not a finite number{bound}")
    return value


def numbers(option: str, texts: Sequence[str]) -> tuple[float, ...]:
    """Finite numbers, each once, in the order given."""
    return tuple(dict.fromkeys(number(option, text) for text in texts))


def topk(text: str) -> str:
    """How many neurons: a count (`"40"`) or a share of a layer's units (`"1%"`), still as text."""
    count = re.fullmatch(r"[0-9]{1,9}", text)
    if (count and int(text) > 0) or is_share(text):
        return text
    raise InputError(f"--topk '{text}' is neither a count of neurons (40) nor a share above 0 and up to 100% (1%)")


def lambdas(texts: Sequence[str] | None) -> tuple[float, ...] | None:
    """L0 penalties, each once; None where none was given, which leaves them to the study."""
    if not texts:
        return None
    return tuple(dict.fromkeys(_penalty(text) for text in texts))


def _penalty(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 < value <= 1:  # NaN is not
        raise InputError(f"--lambda '{text}' is not a number above 0 and up to 1")
    return value


def layers(text: str) -> Literal["all"] | list[int]:
    """`all`, or the layers of `3`, `3,7,12`, `0-5` or `0-5,9`, ascending, each once."""
    if text == "all":
        return "all"
    try:
        return read_layers(text)
    except ValueError:
        raise InputError(
            f"--layers '{text}' is not 'all', a layer (3), a list (3,7,12) or an ascending range (0-5)"
        ) from None


def columns(text: str) -> tuple[str, str]:
    """The names of the columns with the good and with the bad sentences."""
    names = [name.strip() for name in text.split(",")]
    if len(names) != 2 or not all(names) or names[0] == names[1]:
        raise InputError(f"--columns '{text}' is not two different column names, GOOD,BAD")
    return names[0], names[1]


def device(text: str) -> str:
    """`auto`, or a device as torch names it."""
    if not is_device(text):
        raise InputError(f"--device '{text}' is not one of auto, cpu, cuda, cuda:N, xpu, mps")
    return text


def file(option: str, text: str) -> Path:
    """A file that is there and can be read."""
    path = Path(some_text(option, text)).expanduser()
    if not path.is_file():
        raise InputError(f"{option} '{text}': no such file")
    if not os.access(path, os.R_OK):
        raise InputError(f"{option} '{text}': no permission to read it")
    return path


def folder(option: str, text: str) -> Path:
    """A folder that is there, or that can be made."""
    path = Path(some_text(option, text)).expanduser()
    there = next(parent for parent in (path.absolute(), *path.absolute().parents) if parent.exists())
    if not there.is_dir():
        raise InputError(f"{option} '{text}': '{there}' is a file, not a folder")
    if not os.access(there, os.W_OK):
        raise InputError(f"{option} '{text}': no permission to write in '{there}'")
    return path
