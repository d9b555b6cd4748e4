"""Quantifiers: which of them stand after `there`, which under `no`."""

from __future__ import annotations

from .draw import Draw
from .lexicon import Noun, Number, Verb
from .paradigm import paradigm
from .phrases import PAST, PERFECTS, Item, crossed, sentence, single

WEAK: dict[Number, tuple[str, ...]] = {
    "singular": ("a",),
    "plural": ("many", "some", "several", "two", "three", "four", "five"),
}
STRONG: dict[Number, tuple[str, ...]] = {"singular": ("every",), "plural": ("all",)}
PROPORTIONAL: dict[Number, tuple[str, ...]] = {"singular": ("each", "every"), "plural": ("all", "most")}
DOING = ("food", "text", "art", "music", "vehicle", "plant", "building")  # with them one is busy
THINGS = ("thing", "garment", "vehicle", "device")
BE: dict[Number, tuple[str, str]] = {"singular": ("was", "is"), "plural": ("were", "are")}
SURELY = ("apparently", "certainly", "clearly", "evidently", "obviously", "probably", "surely")
THEN = ("at the time", "by then", "in fact", "of course", "that day", "at that point")
UNCOUNTED = {"drink", "mass"}
SOME = ("a", "each", "every", "some", "that", "the", "this")
ANYTHING = ("any {}", "any {}", "any {} at all")  # only where negated
NUMERALS = ("three", "four", "five", "six", "seven", "eight", "nine", "ten")
ABOUT = ("about", "approximately", "roughly")


def _busy(draw: Draw) -> tuple[str, str]:
    """A kind of noun, and what it is doing."""
    if draw.coin(0.15):
        kind = draw.choice(THINGS)
        return kind, draw.verb("intransitive", subject=kind).progressive
    if draw.coin(0.4):
        return "person", draw.verb("intransitive", subject="person").progressive
    kind = draw.choice(DOING)
    return "person", f"{draw.verb('droppable', subject='person', object=kind).progressive} {draw.np(kind)}"


def _there(draw: Draw) -> Item:
    kind, doing = _busy(draw)
    number = draw.number()
    strong = PROPORTIONAL[number]
    weak = WEAK[number] + (("no", "few") if number == "plural" else ("no",))
    noun, be = draw.noun(kind).form(number), draw.choice(BE[number])
    return single(*(sentence("there", be, draw.choice(q), noun, doing) for q in (weak, strong)))


@paradigm(plain=_there, second="an exception with `but`")
def existential_there_quantifiers_1(draw: Draw) -> Item:
    """After `there was` only weak quantifiers: `there was a man singing`, not `there was every man singing`.

    Balanced: an exception needs `every` or `all`: `every man but Adam was singing`, `*a man but Adam was singing`.
    """
    kind, doing = _busy(draw)
    number, noun = draw.number(), draw.noun(kind)
    but = draw.name(noun.gender or None).text if kind == "person" else draw.choice(("this one", "that one"))
    be, surely, end = draw.choice(BE[number]), draw.choice(SURELY), draw.adjunct()
    return crossed(
        lambda many: sentence("there", be, surely, many, noun.form(number), doing, end),
        lambda many: sentence(surely, many, noun.form(number), "but", but, be, doing, end),
        draw.choice(WEAK[number]),
        draw.choice(STRONG[number]),
    )


def _being_there(draw: Draw) -> Item:
    kind, doing = _busy(draw)
    number = draw.number()
    strong = draw.choice(PROPORTIONAL[number])
    be = draw.choice(BE[number]) + draw.choice(("", "", " not"))
    noun = draw.noun(kind).form(number)
    return single(sentence(strong, noun, be, "there", doing), sentence("there", be, strong, noun, doing))


@paradigm(plain=_being_there, second="`any` under `not`")
def existential_there_quantifiers_2(draw: Draw) -> Item:
    """Strong quantifiers do not follow `there was`: `all men were there singing`, not `there were all men singing`.

    Balanced: `any` must follow `not`: `there were not any men singing`, `*any men were not there singing`.
    """
    kind, doing = _busy(draw)
    number = draw.number()
    noun, be, then, end = draw.noun(kind).form(number), draw.choice(BE[number][:1]), draw.choice(THEN), draw.adjunct()
    strong = draw.choice(PROPORTIONAL[number])

    def order(quantifier: str) -> tuple[str, str]:
        first = sentence(then, quantifier, noun, be, "not there", doing, end)
        return first, sentence("there", be, "not", then, quantifier, noun, doing, end)

    return order(strong), order("any")[::-1]


def _counted(draw: Draw) -> tuple[Verb, Noun, Noun]:
    """A verb, who does it, and to what that can be counted."""
    verb = draw.verb("transitive", "droppable", subject=draw.choice(("person", "person", "person", "idea")))
    kinds = sorted(verb.objects - UNCOUNTED)
    if not kinds:
        raise LookupError("nothing to count")
    return verb, draw.noun(draw.choice(sorted(verb.subjects))), draw.noun(draw.choice(kinds))


def _numbers(draw: Draw) -> tuple[str, str, str]:
    """A comparative, a superlative and a number."""
    more, least = draw.choice((("more than", "at least"), ("fewer than", "at most")))
    return more, least, draw.choice(NUMERALS)


def _under_no(draw: Draw) -> Item:
    (verb, who, what), tense = _counted(draw), draw.tense()
    *quantifiers, number = _numbers(draw)
    return single(*(sentence("no", who.singular, tense(verb), q, number, what.plural) for q in quantifiers))


@paradigm(plain=_under_no, second="before `as many as`")
def superlative_quantifiers_1(draw: Draw) -> Item:
    """Under `no` only comparative quantifiers: `no man saw more than two cats`, not `no man saw at least two cats`.

    Balanced: before `as many as` only superlative ones: `at least as many cats as Adam`, `*more than as many`.
    """
    (verb, who, what), tense, some = _counted(draw), draw.tense(), draw.choice(SOME)
    other = draw.name().text if who.kind == "person" else f"the {draw.noun(who.kind).singular}"
    (more, least, number), about, end = _numbers(draw), draw.choice(ABOUT), draw.adjunct()
    return crossed(
        lambda than: sentence("no", who.singular, tense(verb), than, about, number, what.plural, end),
        lambda than: sentence(some, who.singular, tense(verb), than, about, "as many", what.plural, "as", other, end),
        more,
        least,
    )


@paradigm(second="`any` under `no`")
def superlative_quantifiers_2(draw: Draw) -> Item:
    """Superlative quantifiers do not go with `no`: `some man saw at least two cats`, not `no man saw at least two`.

    Balanced: `any` goes with `no` only: `no man saw any cats`, `*some man saw any cats`.
    """
    (verb, who, what), tense, end = _counted(draw), draw.choice((PAST, PAST, *PERFECTS)), draw.adjunct()
    (_, least, number), anything = _numbers(draw), draw.choice(ANYTHING)
    return crossed(
        lambda some: sentence(some, who.singular, tense(verb), least, number, what.plural, end),
        lambda some: sentence(some, who.singular, tense(verb), anything.format(what.plural), end),
        draw.choice(SOME),
        "no",
    )
