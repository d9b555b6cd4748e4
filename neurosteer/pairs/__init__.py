"""Minimal pairs: where they come from, how they are split, what a bag of words knows of them."""

from __future__ import annotations

from .baselines import Baselines
from .blimp import TASKS
from .builtin import NAMED, OF_AUTO
from .known import known_tasks
from .lexical import LexicalSplitError
from .load import load_pairs, load_tasks
from .types import Pair, Pairs, Split, sentence_hashes

__all__ = [
    "NAMED",
    "OF_AUTO",
    "TASKS",
    "Baselines",
    "LexicalSplitError",
    "Pair",
    "Pairs",
    "Split",
    "known_tasks",
    "load_pairs",
    "load_tasks",
    "sentence_hashes",
]
