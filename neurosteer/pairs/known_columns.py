"""The names that published sets give their columns, and the words with which they call a sentence good."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from neurosteer.vocabulary import COLUMNS

from .layouts import JOIN

_WORDS = (
    ("good", "bad"),
    ("acceptable", "unacceptable"),
    ("correct", "incorrect"),
    ("grammatical", "ungrammatical"),
    ("original", "corrupted"),
    ("right", "wrong"),
)
GOOD_BAD: tuple[tuple[str, str], ...] = (
    COLUMNS,
    *_WORDS,
    *((f"{good}_sentence", f"{bad}_sentence") for good, bad in _WORDS),
    *((f"sentence_{good}", f"sentence_{bad}") for good, bad in _WORDS[1:]),
    ("sen", "wrong_sen"),  # MultiBLiMP
    ("source_sentence", "target_sentence"),  # RuBLiMP
    ("prefix_acceptable+property_phrase", "prefix_unacceptable+property_phrase"),  # COMPS
    ("context1+target1", "context1+target2"),  # EWoK
)
EITHER = (("sentence_a", "sentence_b"),)  # QFrBLiMP: which is good, the label says
SENTENCE = ("sentence", "sent", "text", "utterance")
LABEL = (
    *("label", "grammaticality", "acceptability", "grammatical", "acceptable", "is_grammatical", "is_acceptable"),
    *("correct", "is_correct", "judgment", "judgement"),
)
PAIR = ("pair", "pair_id", "pairid", "minimal_pair", "minimal_pair_id")
PERHAPS_PAIR = ("item", "item_id", "itemid", "group", "id")  # where each of its values stands in two rows
TASK = ("paradigm", "uid", "task")
PHENOMENON = ("linguistics_term", "phenomenon", "category", "field")
_LABELS = {
    **dict.fromkeys(chain(("1", "1.0", "true", "yes", "+"), (good for good, _ in _WORDS)), True),
    **dict.fromkeys(chain(("0", "0.0", "false", "no", "-", "*"), (bad for _, bad in _WORDS)), False),
}
_ROLES = {*chain(*(name.split(JOIN) for pair in (*GOOD_BAD, *EITHER) for name in pair)), *SENTENCE, *LABEL}


def plain_name(name: str) -> str:
    """A column's name without what differs between spellings: `Pair ID` and `pair_id` are one."""
    return re.sub(r"\W+", "_", name.strip().lower()).strip("_")


def is_known(name: str) -> bool:
    """Whether a column of this name holds sentences or labels in some published set."""
    return plain_name(name) in _ROLES


def is_label(text: str) -> bool:
    """Whether a word calls a sentence good or bad."""
    return text.strip().lower() in _LABELS


def label_of(value: Any) -> bool | None:
    """Whether a label calls its sentence good; None for what is no label."""
    return _LABELS.get(str(value).strip().lower())


def second_is_good(value: Any) -> bool | None:
    """Whether a label says that the second of two sentences is the good one; None for what is neither 0 nor 1."""
    return {"0": False, "0.0": False, "1": True, "1.0": True}.get(str(value).strip())


def columns_named(names: Iterable[str], columns: Sequence[str]) -> list[str]:
    """The columns that have one of these names, in the order of the names."""
    plain = [(column, plain_name(column)) for column in columns]
    return [column for name in names for column, own in plain if own == name]


def pairs_named(names: Iterable[tuple[str, str]], columns: Sequence[str]) -> list[tuple[str, str]]:
    """The columns that have one of these pairs of names; joined ones as `A+B`."""
    found = []
    for pair in names:
        parts = [[columns_named([name], columns) for name in joined.split(JOIN)] for joined in pair]
        if all(len(one) == 1 for side in parts for one in side):
            good, bad = (JOIN.join(one[0] for one in side) for side in parts)
            found.append((good, bad))
    return found
