"""What transformers, TransformerLens and others say: hushed where all is well, and one line of it where it is not."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from neurosteer.errors import one_line

LONGEST = 320  # characters of another library's message
_ITEM = r"['\"`]?[\w./<>-]+['\"`]?"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_ROW = re.compile(r"^(.*\|\s*CONVERSION\b(?:.|\n)*?)(?=\n[^|\n]*\||\n\nNotes:|\Z)", re.MULTILINE)
_LIST = re.compile(rf"(?P<first>{_ITEM}, {_ITEM}, {_ITEM})(?:, {_ITEM}){{4,}}")


def essence(error: BaseException, said: Sequence[str] = ()) -> str:
    """A library's message as one line: all of it, for the first line seldom names the tensor, field or architecture.

    Of long lists the first three items. `said` is what it has logged before, to which some messages only point.
    """
    text = one_line(error).rstrip(":.;, ")
    if "above report" in text:
        text = next((row for report in said for row in _rows(report)), text)
    if isinstance(error, KeyError) or not text:
        text = f"{type(error).__name__} {text}".strip()
    text = _LIST.sub(r"\g<first>, ...", text)
    if len(text) > LONGEST:
        text = text[:LONGEST].rsplit(" ", 1)[0] + " ..."
    return text


def _rows(report: str) -> list[str]:
    """The rows of a table of tensors that could not be converted, with what is said of each."""
    plain = _COLOUR.sub("", report)
    return [" ".join(row.replace("|", " ").split()) for row in _ROW.findall(plain)]


@contextmanager
def quiet_transformers() -> Iterator[list[str]]:
    """Inside the block transformers shows no progress bars and only errors; yields what else it says."""
    from transformers.utils import logging as hf_logging

    level, bars = hf_logging.get_verbosity(), hf_logging.is_progress_bar_enabled()
    logger, said = logging.getLogger("transformers"), list[str]()
    hushed = [handler for handler in logger.handlers if handler.level < logging.ERROR]
    before = [handler.level for handler in hushed]
    listener = _Listener(said)
    hf_logging.set_verbosity(logging.WARNING)
    hf_logging.disable_progress_bar()
    logger.addHandler(listener)
    for handler in hushed:
        handler.setLevel(logging.ERROR)
    try:
        yield said
    finally:
        logger.removeHandler(listener)
        for handler, old in zip(hushed, before, strict=True):
            handler.setLevel(old)
        hf_logging.set_verbosity(level)
        if bars:
            hf_logging.enable_progress_bar()


class _Listener(logging.Handler):
    """Keeps what is logged."""

    def __init__(self, said: list[str]) -> None:
        super().__init__()
        self.said = said

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())
