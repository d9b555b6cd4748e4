"""Phrases: what words become in a sentence."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from .lexicon import Gender, Number, Verb

Pair = tuple[str, str]  # the good and the bad sentence
Item = tuple[Pair, ...]  # one pair, or one in each of the two frames of a balanced item


@dataclass(frozen=True, slots=True)
class NounPhrase:
    """`the old teacher`, with what other words must agree with. As a string it is its text."""

    text: str
    kind: str
    number: Number
    gender: Gender = ""

    def __str__(self) -> str:
        return self.text

    def like(self, text: str) -> NounPhrase:
        """The same with another text, such as a longer one."""
        return replace(self, text=text)

    @property
    def pronoun(self) -> str:
        """Nominative. A person of no marked gender is `they`."""
        return self._form("they", "he", "she", "it")

    @property
    def accusative(self) -> str:
        return self._form("them", "him", "her", "it")

    @property
    def reflexive(self) -> str:
        return self._form("themselves", "himself", "herself", "itself")

    def _form(self, plural: str, masculine: str, feminine: str, thing: str) -> str:
        if self.number == "plural" or (self.kind == "person" and not self.gender):
            return plural
        return {"m": masculine, "f": feminine, "": thing}[self.gender]


def clear(phrase: NounPhrase) -> NounPhrase:
    """The same without the determiner `that`, for where a clause could begin: not `said that that teacher slept`."""
    return phrase.like(f"the {phrase.text[5:]}") if phrase.text.startswith("that ") else phrase


@dataclass(frozen=True, slots=True)
class Tense:
    """A tense with its auxiliary, for any verb: `tense(verb, "plural")` is `have eaten`."""

    singular: str  # auxiliary with a singular subject, "" for none
    plural: str
    form: str  # of the verb: past, base, participle, progressive; present without auxiliary

    def __call__(self, verb: Verb, number: Number = "singular") -> str:
        auxiliary = self.auxiliary(number)
        return f"{auxiliary} {self.main(verb, number)}" if auxiliary else self.main(verb, number)

    def auxiliary(self, number: Number) -> str:
        return self.singular if number == "singular" else self.plural

    def main(self, verb: Verb, number: Number = "singular") -> str:
        """The verb without its auxiliary."""
        if self.form == "present":
            return verb.third if number == "singular" else verb.base
        return str(getattr(verb, self.form))


PAST = Tense("", "", "past")
PRESENT = Tense("", "", "present")
MODALS = tuple(Tense(modal, modal, "base") for modal in ("will", "would", "could", "should", "might", "must"))
PERFECTS = Tense("had", "had", "participle"), Tense("has", "have", "participle")
PROGRESSIVES = Tense("was", "were", "progressive"), Tense("is", "are", "progressive")
BE = Tense("was", "were", "participle"), Tense("is", "are", "participle")  # of passives


def sentence(*parts: object, end: str = ".") -> str:
    """Parts as a sentence: empty ones left out, a or an as what follows wants it, a capital and a full stop."""
    text = " ".join(str(part) for part in parts if str(part))
    text = re.sub(r"\b(a) (?=(\w+))", lambda found: f"{_article(found[2])} ", text).replace(" ,", ",")
    return text[0].upper() + text[1:] + end


def single(good: str, bad: str) -> Item:
    """An item of one pair."""
    return ((good, bad),)


def crossed(first: Callable[[str], str], second: Callable[[str], str], one: object, other: object) -> Item:
    """A balanced item: `one` belongs in the first frame and not in the second, `other` the other way round."""
    a, b = str(one), str(other)
    return (first(a), first(b)), (second(b), second(a))


def _article(following: str) -> str:
    word = following.lower()
    if word.startswith(("hour", "honest", "honor", "heir")):
        return "an"
    if re.match(r"one|once|u[ns]i|u[st]e|euro|ewe", word) and not word.startswith("unim"):
        return "a"
    return "an" if word[0] in "aeiou" else "a"
