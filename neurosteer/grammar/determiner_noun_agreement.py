"""Determiner-noun agreement: `this` and `that` take a singular noun, `these` and `those` a plural one."""

from __future__ import annotations

from .draw import Draw
from .paradigm import paradigm
from .phrases import Item, crossed, sentence

DEMONSTRATIVES = ("this", "these"), ("that", "those")
KINDS = ("person", "animal", "food", "text", "art", "garment", "vehicle", "device", "thing", "furniture", "plant")
PLACES = ("building", "place")
PREPOSITIONS = ("near", "beside", "behind")
# With these a bad noun phrase could be a clause: she mentioned (that) that works on Monday.
TAKING_CLAUSES = """advise announce confirm deny detect find foresee forget hold mention predict recommend recognize
    regret trust understand"""


def _before(draw: Draw, kind: str) -> str:
    """What someone does to such a thing, or where: `the pilot sold`, `Emily slept near`."""
    if kind in (*PLACES, "person", "furniture") and draw.coin(0.3):
        who, verb = draw.person(), draw.verb("intransitive", subject="person")
        return f"{who} {draw.tense()(verb, who.number)} {draw.choice(PREPOSITIONS)}"
    verb = draw.verb("transitive", object=kind)
    if verb.base in TAKING_CLAUSES.split():
        raise LookupError(f"{verb.base} takes a clause too")
    who = draw.subject(verb)
    return f"{who} {draw.tense()(verb, who.number)}"


def _agreeing(draw: Draw, differing: str, *, irregular: bool = False, described: bool = False) -> Item:
    """A singular noun belongs after `this`, a plural one after `these`; the noun or the determiner differs."""
    noun = draw.counted(*KINDS, *PLACES, *(("idea",) if irregular else ()), irregular=irregular)
    before, end = _before(draw, noun.kind), draw.adjunct()
    one, many = draw.choice(DEMONSTRATIVES)
    adjective = draw.adjective(noun.kind).text if described else ""
    if differing == "noun":
        return crossed(
            lambda form: sentence(before, one, adjective, form, end),
            lambda form: sentence(before, many, adjective, form, end),
            noun.singular,
            noun.plural,
        )
    return crossed(
        lambda determiner: sentence(before, determiner, adjective, noun.singular, end),
        lambda determiner: sentence(before, determiner, adjective, noun.plural, end),
        one,
        many,
    )


@paradigm(either=True)
def determiner_noun_agreement_1(draw: Draw) -> Item:
    """The noun agrees with its determiner: `this lamp`, not `this lamps`.

    Balanced: after `these` it is the other way round.
    """
    return _agreeing(draw, "noun")


@paradigm(either=True)
def determiner_noun_agreement_2(draw: Draw) -> Item:
    """The determiner agrees with its noun: `this lamp`, not `these lamp`.

    Balanced: before `lamps` it is the other way round.
    """
    return _agreeing(draw, "determiner")


@paradigm(either=True)
def determiner_noun_agreement_irregular_1(draw: Draw) -> Item:
    """A noun of irregular plural agrees with its determiner: `this woman`, not `this women`.

    Balanced: after `these` it is the other way round.
    """
    return _agreeing(draw, "noun", irregular=True)


@paradigm(either=True)
def determiner_noun_agreement_irregular_2(draw: Draw) -> Item:
    """The determiner agrees with a noun of irregular plural: `this woman`, not `these woman`.

    Balanced: before `women` it is the other way round.
    """
    return _agreeing(draw, "determiner", irregular=True)


@paradigm(either=True)
def determiner_noun_agreement_with_adjective_1(draw: Draw) -> Item:
    """The noun agrees with its determiner across an adjective: `this old lamp`, not `this old lamps`.

    Balanced: after `these` it is the other way round.
    """
    return _agreeing(draw, "noun", described=True)


@paradigm(either=True)
def determiner_noun_agreement_with_adj_2(draw: Draw) -> Item:
    """The determiner agrees with its noun across an adjective: `this old lamp`, not `these old lamp`.

    Balanced: before `lamps` it is the other way round.
    """
    return _agreeing(draw, "determiner", described=True)


@paradigm(either=True)
def determiner_noun_agreement_with_adj_irregular_1(draw: Draw) -> Item:
    """A noun of irregular plural agrees across an adjective: `this old woman`, not `this old women`.

    Balanced: after `these` it is the other way round.
    """
    return _agreeing(draw, "noun", irregular=True, described=True)


@paradigm(either=True)
def determiner_noun_agreement_with_adj_irregular_2(draw: Draw) -> Item:
    """The determiner agrees, across an adjective, with a noun of irregular plural: `this old ox`, not `these old ox`.

    Balanced: before `women` it is the other way round.
    """
    return _agreeing(draw, "determiner", irregular=True, described=True)
