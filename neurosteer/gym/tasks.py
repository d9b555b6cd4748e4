"""Minimal pairs of invented words: an early word has one of two forms, and the last word has to agree with it.

    dab molo kiri sufu      dab molo kiri sufen
    daben molo kiri sufen   daben molo kiri sufu

There are four such tasks of different words. What is good after one form is bad after the other, and both forms are
equally frequent, so that no word tells good from bad; a balanced item holds both. Each item is of one part of the
lexicon, so that the words of test are in no pair of train.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from random import Random

from neurosteer.grammar import FRAMES, ROUND, Form, Made

FORMS = ("", "en"), ("u", "en")  # of a first and of a last word: the first and the second feature
MOST = 5000  # pairs of a task
EACH = {"train": 12, "validation": 6, "test": 10}  # words of each part, of first and of last words
FILLERS = tuple(f"{first}{second}" for first, second in product(("mo", "ki", "lu", "re"), ("lo", "ri", "na")))
Row = tuple[tuple[str, str], str, str, tuple[str, str]]  # first word, two fillers, last word; in their forms
Lexicon = Mapping[str, tuple[tuple[str, str], ...]]  # part -> words in both forms
_VOWELS = "aiou"
_CONSONANTS = "bdfghjklmnprstvwz"


@dataclass(frozen=True)
class GymTask:
    """One contrast: its first words and its last words, by the part of the lexicon and their two forms."""

    name: str
    index: int
    firsts: Lexicon
    lasts: Lexicon

    @property
    def phenomenon(self) -> str:
        return f"{self.name}_agreement"

    def pairs(self, n: int, *, seed: int = 0, form: Form = "plain") -> Iterator[Made]:
        """The first n pairs of this seed, no item twice. Raises `LookupError` for more than there are.

        A balanced item has both frames, a plain one either of them, by lot.
        """
        if n > MOST:
            raise LookupError(f"{self.name} has {MOST:,} pairs")
        rng, seen = Random(f"{seed} {self.name} {form}"), set[Row]()
        for number in range(n if form == "plain" else (n + 1) // 2):
            part = ROUND[number % len(ROUND)]
            row = self._row(rng, part)
            while row in seen:
                row = self._row(rng, part)
            seen.add(row)
            if form == "plain":
                yield self._made(row, rng.randrange(2), f"{number}", part)._replace(id=f"{number}", frame="")
                continue
            for at in range(min(2, n - 2 * number)):
                yield self._made(row, at, f"{number}", part)

    def _made(self, row: Row, at: int, item: str, part: str) -> Made:
        """The pair of one frame: the form of the first word."""
        first, one, two, last = row
        good, bad = (f"{first[at]} {one} {two} {last[form]}" for form in (at, 1 - at))
        return Made(good, bad, f"{item}{'ab'[at]}", item, part, FRAMES[at])

    def words(self) -> Iterator[str]:
        """Every word but the fillers."""
        for words in (self.firsts, self.lasts):
            yield from self.flat(words)

    @staticmethod
    def flat(words: Lexicon) -> list[str]:
        """All forms of some words."""
        return [form for part in words.values() for both in part for form in both]

    def _row(self, rng: Random, part: str) -> Row:
        one, two = rng.sample(FILLERS, 2)
        return rng.choice(self.firsts[part]), one, two, rng.choice(self.lasts[part])


def _tasks(*names: str) -> dict[str, GymTask]:
    """Their words are the stems that can be made of these letters, one after the other."""
    stems = [f"{a}{v}{b}" for v, a, b in product(_VOWELS, _CONSONANTS, _CONSONANTS) if a != b]
    Random("gym").shuffle(stems)
    source = iter(stems)

    def lexicon(forms: tuple[str, str]) -> Lexicon:
        return {
            part: tuple((stem + forms[0], stem + forms[1]) for stem in [next(source) for _ in range(count)])
            for part, count in EACH.items()
        }

    return {name: GymTask(name, i, lexicon(FORMS[0]), lexicon(FORMS[1])) for i, name in enumerate(names)}


GYM_TASKS = _tasks("number", "gender", "tense", "case")


def neutral_text(sentences: int = 24) -> str:
    """A text of the words of all tasks, for what an edit does beside the contrast; a paragraph a sentence."""
    rng = Random("neutral")
    lines = []
    for i in range(sentences):
        task = list(GYM_TASKS.values())[i % len(GYM_TASKS)]
        first, last = (rng.choice(rng.choice(words["train"])) for words in (task.firsts, task.lasts))
        lines.append(" ".join([first, *rng.sample(FILLERS, 4), last, *rng.sample(FILLERS, 3)]))
    return "\n\n".join(lines) + "\n"
