"""Minimal pairs: where they come from, how they are split, what a bag of words knows of them."""

from __future__ import annotations

from .baselines import Baselines, Tokenise, mean_baselines
from .blimp import TASKS
from .builtin import NAMED, OF_AUTO
from .copies import fetched
from .duplicates import LeftOut
from .fetch import fetch_data
from .known import known_tasks
from .layouts import read_layout
from .lexical import LexicalSplitError
from .load import load_others, load_pairs, load_tasks
from .pair import Pair, sentence_hashes
from .published import PUBLISHED, PublishedSet
from .types import Pairs, Split

__all__ = [
    "NAMED",
    "OF_AUTO",
    "PUBLISHED",
    "TASKS",
    "Baselines",
    "LeftOut",
    "LexicalSplitError",
    "Pair",
    "Pairs",
    "PublishedSet",
    "Split",
    "Tokenise",
    "fetch_data",
    "fetched",
    "known_tasks",
    "load_others",
    "load_pairs",
    "load_tasks",
    "mean_baselines",
    "read_layout",
    "sentence_hashes",
]
