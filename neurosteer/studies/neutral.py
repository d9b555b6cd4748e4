"""Neutral text: running prose on which an edit's side effects are measured."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

from neurosteer.errors import InputError
from neurosteer.forward import Text, texts_of
from neurosteer.model import Model

BUILT_IN = "built-in"
_LONGEST = 256  # tokens of one passage; longer ones are cut


def read_neutral(path: Path | None) -> tuple[str, str]:
    """A name and the text: of a file, or our own. Raises `InputError` for a file without readable text."""
    if path is None:
        return BUILT_IN, files(__package__).joinpath("neutral.txt").read_text("utf-8")
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read the neutral text '{path}': {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"the neutral text '{path}' is not UTF-8; save it as UTF-8") from None
    if not text.strip():
        raise InputError(f"the neutral text '{path}' is empty; give a file of some prose")
    return path.name, text


def paragraphs(text: str) -> list[str]:
    """Those of a text, each on one line; they are parted by empty lines."""
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text) if part.strip()]


def passages(model: Model, text: str) -> list[list[Text]]:
    """The paragraphs of a text, each a group of its own."""
    limit = min(_LONGEST, model.context - 1)
    wholes = [text.tokens for text in texts_of(model, paragraphs(text), "sum", fits=False)]
    return [[piece] for whole in wholes for piece in _pieces(whole, 1 if model.bos else 0, limit) if piece.scored]


def _pieces(tokens: Sequence[int], head: int, limit: int) -> Iterator[Text]:
    """The same tokens in pieces of at most `limit`, each after the same head (BOS)."""
    for start in range(head, len(tokens), limit):
        yield Text((*tokens[:head], *tokens[start : start + limit]), 1)
