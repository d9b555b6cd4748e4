"""`Draw`: the words of one item, by lot from one part of the lexicon."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from random import Random
from typing import TypeVar

from .lexicon import ADJECTIVES, NAMES, NOUNS, VERBS, Adjective, Gender, Name, Noun, Number, Verb
from .phrases import MODALS, PAST, PERFECTS, NounPhrase, Tense

T = TypeVar("T")
BOTH_NUMBERS = {"person", "die", "cactus", "criterion", "crab", "duck"}  # a form of theirs is used in both numbers
DETERMINERS: dict[Number, tuple[str, ...]] = {
    "singular": ("the", "the", "a", "this", "that"),
    "plural": ("the", "the", "some", "these", "those"),
}
ADJUNCTS = tuple(
    """after breakfast;after dinner;after lunch;at dawn;at dusk;at midnight;at night;at noon;at the festival;
    at the weekend;before breakfast;before dinner;before lunch;before noon;by the river;during the break;
    during the holidays;during the storm;during the summer;during the winter;in the afternoon;in the city;
    in the evening;in the morning;in the summer;in the village;in the winter;in town;near the border;
    near the bridge;near the station;on Friday;on Monday;on Saturday;on Sunday;on Thursday;on Tuesday;
    outside the city;outside the hotel""".replace("\n    ", "").split(";")
)


class Draw:
    """Words of one part, none of them twice.

    `part` is train, validation or test. Filters are kinds (`"person", "animal"`), frames and genders as in the
    tables of the lexicon; a word that fits none of them is a `LookupError`.
    """

    def __init__(self, rng: Random, part: str) -> None:
        self.rng, self.part = rng, part
        self.used: set[str] = set()

    def choice(self, options: Sequence[T]) -> T:
        return options[int(self.rng.random() * len(options))]

    def coin(self, chance: float = 0.5) -> bool:
        return self.rng.random() < chance

    def number(self) -> Number:
        return "singular" if self.coin() else "plural"

    def noun(self, *kinds: str, gender: Gender | None = None, irregular: bool | None = None) -> Noun:
        """Of any of the kinds; `gender` m, f or "" for unmarked; with an irregular plural or a regular one."""
        return self._new(_nouns(self.part, kinds, gender, irregular), "singular")

    def counted(self, *kinds: str, irregular: bool | None = None) -> Noun:
        """A noun that shows its number: not people or dice, which are also singular (this people, the dice is)."""
        noun = self._new(_nouns(self.part, kinds, None, irregular), "singular")
        if not noun.plural or noun.singular in BOTH_NUMBERS:
            raise LookupError(f"{noun.plural or noun.singular} does not show its number")
        return noun

    def name(self, gender: Gender | None = None) -> Name:
        return self._new(_names(self.part, gender), "text")

    def adjective(self, kind: str, *, but: Collection[str] = ()) -> Adjective:
        """One that describes such nouns, or `tough`, `raise`, `control`, `matter`; none of `but`."""
        return self._new(_adjectives(self.part, kind), "text", but)

    def verb(
        self,
        *frames: str,
        subject: str | None = None,
        object: str | None = None,
        irregular: bool | None = None,
        but: Collection[str] = (),
    ) -> Verb:
        """With any of the frames, that takes such a subject and such an object; `irregular`: past is not participle.

        None of `but`, which are base forms.
        """
        return self._new(_verbs(self.part, frames, subject, object, irregular), "base", but)

    def tense(self) -> Tense:
        """Any but the present, which shows the number, and the progressive, which many verbs do not like."""
        return self.choice((PAST, PAST, PAST, *MODALS, *PERFECTS))

    def adjunct(self) -> str:
        """`by the river`, `at noon`: goes with any event in any tense, be it done to a cake, a car or a castle."""
        return self.choice(ADJUNCTS)

    def np(
        self,
        *kinds: str,
        number: Number | None = None,
        gender: Gender | None = None,
        determiner: str | None = None,
        described: float = 0.0,
        irregular: bool | None = None,
    ) -> NounPhrase:
        """`the teachers`, with an adjective in a share (`described`) of cases. A mass noun is singular."""
        noun = self.noun(*kinds, gender=gender, irregular=irregular)
        number = (number or self.number()) if noun.plural else "singular"
        if determiner is None:
            determiner = self.choice(DETERMINERS[number] if noun.plural else ("the", "some"))
        adjective = self.adjective(noun.kind).text if self.coin(described) else ""
        text = " ".join(part for part in (determiner, adjective, noun.form(number)) if part)
        return NounPhrase(text, noun.kind, number, noun.gender)

    def person(self, *, number: Number | None = None, gender: Gender | None = None, named: float = 0.4) -> NounPhrase:
        """Somebody, by name in a share (`named`) of the singular cases. `gender=None` is anybody."""
        number = number or self.number()
        if number == "singular" and self.coin(named):
            name = self.name(gender)
            return NounPhrase(name.text, "person", "singular", name.gender)
        return self.np("person", number=number, gender=gender)

    def subject(self, verb: Verb, *, number: Number | None = None) -> NounPhrase:
        """One that the verb can have."""
        kind = self.choice(sorted(verb.subjects))
        return self.person(number=number) if kind == "person" else self.np(kind, number=number)

    def object(self, verb: Verb, *, number: Number | None = None) -> NounPhrase:
        """One that the verb can have."""
        kind = self.choice(sorted(verb.objects))
        return self.person(number=number) if kind == "person" else self.np(kind, number=number)

    def _new(self, words: tuple[T, ...], key: str, but: Collection[str] = ()) -> T:
        for _ in range(50):
            word = self.choice(words)
            text = getattr(word, key)
            if text not in self.used and text not in but:
                self.used.add(text)
                return word
        raise LookupError(f"no {type(words[0]).__name__.lower()} left that fits")


def _fitting(words: tuple[T, ...], wanted: str) -> tuple[T, ...]:
    if not words:
        raise LookupError(f"no {wanted} in the lexicon")
    return words


@cache
def _nouns(part: str, kinds: tuple[str, ...], gender: Gender | None, irregular: bool | None) -> tuple[Noun, ...]:
    return _fitting(
        tuple(
            noun
            for noun in NOUNS
            if noun.part == part
            and noun.kind in kinds
            and gender in (None, noun.gender)
            and irregular in (None, noun.irregular)
        ),
        f"noun {kinds} {gender} {irregular}",
    )


@cache
def _names(part: str, gender: Gender | None) -> tuple[Name, ...]:
    return _fitting(tuple(name for name in NAMES if name.part == part and gender in (None, name.gender)), "name")


@cache
def _adjectives(part: str, kind: str) -> tuple[Adjective, ...]:
    return _fitting(
        tuple(word for word in ADJECTIVES if word.part == part and word.kind == kind), f"adjective {kind}"
    )


@cache
def _verbs(
    part: str, frames: tuple[str, ...], subject: str | None, object: str | None, irregular: bool | None
) -> tuple[Verb, ...]:
    return _fitting(
        tuple(
            verb
            for verb in VERBS
            if verb.part == part
            and verb.frame in frames
            and (subject is None or subject in verb.subjects)
            and (object is None or object in verb.objects)
            and irregular in (None, verb.irregular)
        ),
        f"verb {frames} {subject} {object} {irregular}",
    )
