"""Baselines of words and of tokens, under the names that tables, figures and pages give them."""

from __future__ import annotations

from neurosteer.pairs.baselines import FEATURES, TOKEN_FEATURES, Baselines

NAMES = (
    *(name.replace("_", " ") for name in ("majority", *FEATURES)),
    *(f"token {name}" for name in TOKEN_FEATURES),
)
COLUMNS = {  # of the table that `find` prints: of words, and which one of tokens stands beneath
    "majority": "",
    "length": "token count",
    "last word": "",
    "unigram": "token unigram",
    "stem": "",
    "bigram": "token bigram",
}
DRAWN = ("last word", "bigram", "unigram", "stem", "token bigram", "token unigram")
UNSPACED = "– not available: this script does not part words by spaces"  # noqa: RUF001


def named(baselines: Baselines) -> dict[str, float | None]:
    """Every baseline of NAMES, None where there is none."""
    of_words = [getattr(baselines, name) for name in ("majority", *FEATURES)]
    of_tokens = [getattr(baselines.tokens, name, None) for name in TOKEN_FEATURES]
    return dict(zip(NAMES, (*of_words, *of_tokens), strict=True))


def lacks_words(baselines: Baselines) -> bool:
    """Whether words could not be told from the text."""
    return baselines.unigram is None
