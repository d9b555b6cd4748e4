"""Checks neurosteer's annotations while tests run: beartype, to which any string passes for a closed set of words.

A wrong word is a user's mistake: a type checker reports it beforehand, and tests provoke the error that answers it.
"""

from __future__ import annotations

from pathlib import Path
from runpy import run_path
from typing import Any, Literal, get_args, get_origin

from beartype import BeartypeConf, FrozenDict, beartype

VOCABULARY = run_path(str(Path(__file__).parents[1] / "neurosteer" / "vocabulary.py"))  # to import it is to check it
WORDS: dict[Any, Any] = {
    words: str for known in VOCABULARY.values() for words in (known, *get_args(known)) if get_origin(words) is Literal
}
checked = beartype(conf=BeartypeConf(hint_overrides=FrozenDict(WORDS)))
