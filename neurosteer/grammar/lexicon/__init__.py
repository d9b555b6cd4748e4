"""The words: nouns, names, verbs and adjectives, with their forms and what they go with.

Every word belongs to one part (train, validation, test), three fifths of each line of the tables to the first: pairs
of one part share no such word with pairs of another.
"""

from __future__ import annotations

from . import adjectives, nouns, verbs
from .entries import PARTS, SHARES, Adjective, Gender, Name, Noun, Number, Verb
from .tables import read_adjectives, read_names, read_nouns, read_verbs

NOUNS = read_nouns(nouns.NOUNS)
NAMES = read_names(nouns.NAMES)
VERBS = read_verbs(verbs.VERBS)
LOOSE = frozenset(verbs.LOOSE.split())
UNWILLED = frozenset(verbs.UNWILLED.split())
ADJECTIVES = read_adjectives(adjectives.ADJECTIVES)

__all__ = [
    "ADJECTIVES",
    "LOOSE",
    "NAMES",
    "NOUNS",
    "PARTS",
    "SHARES",
    "UNWILLED",
    "VERBS",
    "Adjective",
    "Gender",
    "Name",
    "Noun",
    "Number",
    "Verb",
]
