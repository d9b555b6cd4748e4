"""Baselines of words and of tokens, under the names that tables, figures and pages give them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WORDS = ("majority", "length", "last_word", "unigram", "stem", "bigram")
TOKENS = ("count", "unigram", "bigram")
NAMES = (*(name.replace("_", " ") for name in WORDS), *(f"token {name}" for name in TOKENS))
DRAWN = ("last word", "bigram", "unigram", "stem", "token bigram", "token unigram")
UNSPACED = "– no word baseline: this script does not part words by spaces"  # noqa: RUF001


def named(baselines: Mapping[str, Any]) -> dict[str, float | None]:
    """Every baseline of NAMES, None where there is none."""
    tokens = baselines.get("tokens") or {}
    values = [*(baselines.get(name) for name in WORDS), *(tokens.get(name) for name in TOKENS)]
    return dict(zip(NAMES, values, strict=True))


def lacks_words(baselines: Mapping[str, Any]) -> bool:
    """Whether words could not be told from the text."""
    return baselines.get("unigram") is None
