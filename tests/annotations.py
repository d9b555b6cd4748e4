"""Checks neurosteer's annotations while tests run with `--axes`, by beartype.

Any string passes for a closed set of words. A wrong word is a user's mistake: a type checker reports it beforehand,
and tests provoke the error that answers it.

A check is compiled when it is first needed, and once: jaxtyping asks for two of every function, also of those that no
test calls, and for two more whenever a function inside another one is defined again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from runpy import run_path
from typing import Any, Literal, get_args, get_origin

from beartype import BeartypeConf, FrozenDict, beartype

VOCABULARY = run_path(str(Path(__file__).parents[1] / "neurosteer" / "vocabulary.py"))  # to import it is to check it
WORDS: dict[Any, Any] = {
    words: str for known in VOCABULARY.values() for words in (known, *get_args(known)) if get_origin(words) is Literal
}
installed = False  # whether neurosteer's functions are checked
_compiled = beartype(conf=BeartypeConf(hint_overrides=FrozenDict(WORDS)))
_checks: dict[object, Callable[..., Any]] = {}


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function that jaxtyping made of a signature, which does nothing else than to be called, with checks."""
    hints = tuple(function.__annotations__.items())

    def check(*args: Any, **options: Any) -> Any:
        key = function.__module__, function.__qualname__, function.__code__, hints
        if key not in _checks:
            _checks[key] = _compiled(function)
        return _checks[key](*args, **options)

    return check
