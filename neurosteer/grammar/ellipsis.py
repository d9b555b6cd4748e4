"""Ellipsis: a noun that is left out takes its adjectives along."""

from __future__ import annotations

from .draw import Draw
from .lexicon import Noun
from .paradigm import paradigm
from .phrases import Item, sentence, single

FEW = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "several")
THINGS = ("thing", "garment", "vehicle", "device", "furniture", "art", "text", "food", "plant")
ALTHOUGH = ("although", "because", "though")  # where the noun can come later: though he saw two, she saw three cats
REPORTS = ("admitted", "alleged", "believed", "claimed", "declared", "insisted", "said", "thought")
NOT_BOUND = {  # adjectives that can follow an object, he ate two cold, or that are adverbs too, he drove two fast
    "bent", "broken", "burnt", "cheap", "cold", "cool", "dead", "dirty", "dry", "dusty", "empty", "fast", "faulty",
    "fresh", "frozen", "hot", "long", "loose", "lost", "loud", "moldy", "new", "open", "plain", "raw", "ripe",
    "rotten", "rusty", "short", "slow", "stale", "thick", "thin", "tight", "torn", "warm", "wild",
}  # fmt: skip
RESULTS = {"clean", "find", "hold", "label", "paint", "polish", "repaint", "scrub"}  # he painted two red
NO_NOUN = ("hers", "none", "ours", "theirs", "yours")


def _seen_twice(draw: Draw) -> tuple[str, str, Noun]:
    """What somebody does to things, and somebody else too."""
    kind = draw.choice(THINGS)
    verb, tense = draw.verb("transitive", "droppable", subject="person", object=kind), draw.tense()
    if verb.base in RESULTS:
        raise LookupError("two red")
    return f"{draw.name().text} {tense(verb)}", f"{draw.name().text} {tense(verb)}", draw.noun(kind)


def _doing_twice(draw: Draw) -> tuple[str, str, Noun]:
    """Two things that people do, or that happen to things."""
    kind = draw.choice(("person", *THINGS))
    one, other = (
        draw.verb("intransitive", subject=kind)
        if kind == "person" or draw.coin(0.3)
        else draw.verb("alternating", object=kind)
        for _ in range(2)
    )
    return one.past, other.past, draw.noun(kind)


def _adjective(draw: Draw, noun: Noun) -> str:
    """One that needs its noun."""
    text = draw.adjective(noun.kind).text
    if text in NOT_BOUND:
        raise LookupError("two cold")
    return text


def _numbers(draw: Draw, one: float = 0.0) -> tuple[str, str]:
    """Two of them, the first of them `one` in a share of cases."""
    few, more = draw.rng.sample(FEW, 2)
    return ("one" if draw.coin(one) else few), more


class Twice:
    """A sentence of two clauses that count the same things, each clause with one quantified phrase.

    The phrase is an object, or else a subject. What follows it is never one of a few words, which would tell whether
    a noun is missing: a verb, a name, or the name of who says so.
    """

    def __init__(self, draw: Draw) -> None:
        self.objects = draw.coin()
        self.one, self.other, self.noun = _seen_twice(draw) if self.objects else _doing_twice(draw)
        self.although, self.end = draw.choice(ALTHOUGH), draw.adjunct()
        if self.objects:
            self.end = f", {draw.name().text} {draw.choice(REPORTS)} {self.end}"

    def __call__(self, these: str, those: str) -> str:
        first, second = (self.one, these), (self.other, those)
        if not self.objects:
            first, second = first[::-1], second[::-1]
        return sentence(self.although, *first, ",", *second, self.end)


def _stranded(draw: Draw) -> Item:
    one, other, noun = _seen_twice(draw)
    (few, more), old = _numbers(draw, one=0.4), _adjective(draw, noun)
    cats = noun.form("singular" if few == "one" else "plural")
    return single(
        sentence(one, few, old, cats, "and", other, more), sentence(one, few, cats, "and", other, more, old)
    )


@paradigm(plain=_stranded)
def ellipsis_n_bar_1(draw: Draw) -> Item:
    """No adjective without its noun: `he saw two old cats and she saw three`, not `two cats and she saw three old`.

    Balanced: the noun is left out of the second clause, or of the first, with the adjective in the other one.
    """
    clauses = Twice(draw)
    (few, more), cats, old = _numbers(draw), clauses.noun.plural, _adjective(draw, clauses.noun)
    return (
        (clauses(f"{few} {old} {cats}", more), clauses(f"{few} {cats}", f"{more} {old}")),
        (clauses(few, f"{more} {old} {cats}"), clauses(f"{few} {old}", f"{more} {cats}")),
    )


def _with_noun(draw: Draw) -> Item:
    one, other, noun = _seen_twice(draw)
    few, more = _numbers(draw, one=0.4)
    old, new = (_adjective(draw, noun) for _ in range(2))
    cats = noun.form("singular" if few == "one" else "plural")
    return single(
        sentence(one, few, cats, "and", other, more, new, noun.plural),
        sentence(one, few, old, cats, "and", other, more, new),
    )


@paradigm(plain=_with_noun, second="`none` or `hers` for the noun")
def ellipsis_n_bar_2(draw: Draw) -> Item:
    """An adjective needs its noun: `he saw two cats and she saw three new cats`, not `two old cats ... three new`.

    Balanced: `none` and `hers` stand for the noun, and cannot stand before it.
    """
    clauses = Twice(draw)
    (few, more), cats, none = _numbers(draw), clauses.noun.plural, draw.choice(NO_NOUN)
    old, new = (_adjective(draw, clauses.noun) for _ in range(2))
    short, long = f"{few} {cats}", f"{few} {old} {cats}"
    return (
        (clauses(short, f"{more} {new} {cats}"), clauses(long, f"{more} {new}")),
        (clauses(long, none), clauses(short, f"{none} {cats}")),
    )
