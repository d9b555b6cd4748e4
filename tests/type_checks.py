"""How annotations are checked while tests run: `pyproject.toml` names `checked` to jaxtyping's plugin.

A closed set of words is a `Literal` for type checkers and editors. At run time any text may come, and it is a message
of ours that must refuse it: so for beartype such a word is a text.
"""

from __future__ import annotations

from functools import cache
from typing import Literal, TypeVar, get_origin

from beartype import BeartypeConf, FrozenDict, beartype

T = TypeVar("T")


@cache
def _lenient() -> BeartypeConf:
    from neurosteer import vocabulary

    words = [value for value in vars(vocabulary).values() if get_origin(value) is Literal]
    return BeartypeConf(hint_overrides=FrozenDict(dict.fromkeys(words, str)))


def checked(annotated: T) -> T:
    """beartype's own decorator, for which a word of the vocabulary is any text."""
    return beartype(conf=_lenient())(annotated)
