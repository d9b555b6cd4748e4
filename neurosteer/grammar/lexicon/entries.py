"""What is known of a word: a noun, a name, a verb or an adjective, with its forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Number = Literal["singular", "plural"]
Gender = Literal["m", "f", ""]  # of persons; "" for the others, and for persons who are either
PARTS = ("train", "validation", "test")
SHARES = {"train": 0.6, "validation": 0.2, "test": 0.2}


@dataclass(frozen=True, slots=True)
class Noun:
    singular: str
    plural: str
    kind: str  # person, animal, food, ...: see nouns.py
    gender: Gender
    irregular: bool
    part: str

    def form(self, number: Number) -> str:
        return self.singular if number == "singular" else self.plural


@dataclass(frozen=True, slots=True)
class Name:
    text: str
    gender: Gender
    part: str


@dataclass(frozen=True, slots=True)
class Verb:
    base: str
    past: str
    participle: str
    progressive: str
    frame: str  # intransitive, transitive, ...: see verbs.py
    subjects: frozenset[str]  # kinds of nouns
    objects: frozenset[str]
    part: str

    @property
    def third(self) -> str:
        """The present with a singular subject."""
        return with_s(self.base)

    @property
    def irregular(self) -> bool:
        """Whether past and participle differ: `wrote`, `written`."""
        return self.past != self.participle


@dataclass(frozen=True, slots=True)
class Adjective:
    text: str
    kind: str  # of the nouns it describes, or the infinitive it takes: see adjectives.py
    part: str


def with_s(word: str) -> str:
    """The regular plural of a noun, and the third person of a verb."""
    if word.endswith(("s", "x", "z", "ch", "sh")) or word in _WITH_ES:
        return f"{word}es"
    if word.endswith("y") and word[-2] not in VOWELS:
        return f"{word[:-1]}ies"
    return f"{word}s"


def with_ed(base: str) -> str:
    """The regular past."""
    if base.endswith("e"):
        return f"{base}d"
    if base.endswith("y") and base[-2] not in VOWELS:
        return f"{base[:-1]}ied"
    return f"{_doubled(base)}ed"


def with_ing(base: str) -> str:
    """The progressive."""
    if base.endswith("e") and not base.endswith(("ee", "ye", "oe")):
        return f"{base[:-1]}ing"
    return f"{_doubled(base)}ing"


VOWELS = "aeiou"
_WITH_ES = {"potato", "tomato", "volcano"}
_STRESSED_END = {
    "admit",
    "begin",
    "compel",
    "commit",
    "forget",
    "kidnap",
    "outrun",
    "prefer",
    "regret",
    "unwrap",
    "upset",
}


def _doubled(base: str) -> str:
    """`stop` as `stopp`: a single vowel before a single consonant, in a stressed syllable."""
    head, end = base[:-1], base[-1]
    short = len(base) > 2 and end not in VOWELS + "wxy" and head[-1] in VOWELS and head[-2] not in VOWELS
    quiet = head[-2:] == "qu"
    alone = sum(a in VOWELS and b not in VOWELS for a, b in zip(base, f"{base[1:]} ", strict=True)) == 1
    return base + end if short and not quiet and (alone or base in _STRESSED_END) else base
