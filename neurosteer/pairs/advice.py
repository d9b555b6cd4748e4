"""What to do where a table does not say which sentences are good: advice that can help with what was found."""

from __future__ import annotations

from collections.abc import Sequence

from .known_columns import LABEL, SENTENCE, columns_named, is_known, is_label
from .layouts import DELIMITERS
from .tables import PairTable

ORDER = "--layout good-bad (good, bad, good, bad, ...) or --layout bad-good"
ENDS = (".", "!", "?")  # of sentences, not of names
_LONG = 3  # words of a column's name


def name_columns(names: Sequence[str]) -> str:
    """What helps where none of the columns is the one that was looked for."""
    if any(is_sentence(name) for name in names):
        return (
            "is the first line a sentence? put a line of column names before it, or give --layout good-bad where "
            "each line holds a good and a bad sentence"
        )
    if columns_named((*SENTENCE, *LABEL), names):
        return "name yours with --layout sentence=COLUMN,label=COLUMN, or with --columns GOOD,BAD"
    if len(names) == 1 and not is_known(names[0]):
        return "a row needs two sentences; where good and bad rows alternate, give --layout good-bad,sentence=COLUMN"
    return "name yours with --columns GOOD,BAD"


def is_sentence(name: str) -> bool:
    """Whether the name of a column looks like a sentence."""
    return name.rstrip().endswith(ENDS) or len(name.split()) > _LONG


def say_order(table: PairTable, column: str) -> str:
    """What helps where a text has a sentence in each line and no label."""
    lines = [str(record[column]) for _, record in table.records]
    if all(is_label(line.partition(" ")[0]) for line in lines):
        return "its lines seem to begin with a label: put a tab between label and sentence"
    for delimiter, mark in DELIMITERS.items():
        if {line.count(mark) for line in lines} == {1}:
            return f"give {ORDER}; where a line holds both, --layout good-bad,delimiter={delimiter}"
    return f"give {ORDER}"
