"""Minimal pairs: where they come from, how they are split, what a bag of words knows of them."""

from __future__ import annotations

from .baselines import Baselines, Tokenise, mean_baselines
from .blimp import TASKS
from .builtin import NAMED, OF_AUTO
from .known import known_tasks
from .lexical import LexicalSplitError
from .load import load_pairs, load_tasks
from .once import LeftOut
from .pair import Pair, sentence_hashes
from .types import Pairs, Split

__all__ = [
    "NAMED",
    "OF_AUTO",
    "TASKS",
    "Baselines",
    "LeftOut",
    "LexicalSplitError",
    "Pair",
    "Pairs",
    "Split",
    "Tokenise",
    "known_tasks",
    "load_pairs",
    "load_tasks",
    "mean_baselines",
    "sentence_hashes",
]
