"""NPI licensing: where `ever` can stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .draw import Draw
from .lexicon import Verb
from .paradigm import paradigm
from .phrases import MODALS, PAST, PERFECTS, Item, NounPhrase, Tense, clear, sentence, single

SUBJECTS = ("person",) * 7 + ("idea", "thing", "garment", "vehicle", "device")
DID = Tense("did", "did", "base")
HAD, HAS = PERFECTS
WILL, WOULD, COULD, SHOULD, MIGHT, _ = MODALS
TENSES = (WILL, WOULD, COULD, SHOULD, HAD, HAD, HAS, HAS)
NEUTRAL = ("also", "certainly", "clearly", "often", "probably", "really")  # like `ever`, they follow an auxiliary
OFTEN = ("often", "sometimes", "usually", "always")
IN_FACT = ("actually", "in fact", "in truth", "really")  # stand between `not` and `ever`


class Clause(NamedTuple):
    """Somebody does something: `clause("ever")` is `the nurse has ever slept`."""

    who: NounPhrase
    tense: Tense
    verb: Verb
    what: NounPhrase | str

    def __call__(self, *adverbs: str, focus: str = "") -> str:
        return _join(focus, self.who, self.predicate(*adverbs))

    def predicate(self, *adverbs: str) -> str:
        number = self.who.number
        return _join(self.tense.auxiliary(number), *adverbs, self.tense.main(self.verb, number), self.what)

    def question(self, *adverbs: str) -> str:
        number = self.who.number
        return _join(self.tense.auxiliary(number), self.who, *adverbs, self.tense.main(self.verb, number), self.what)


def _join(*parts: object) -> str:
    return " ".join(str(part) for part in parts if str(part))


def _clause(draw: Draw, tense: Tense, who: NounPhrase | None = None) -> Clause:
    kind = who.kind if who else draw.choice(SUBJECTS)
    verb = draw.verb("intransitive", "transitive", "droppable", subject=kind)
    who = who or (draw.person() if kind == "person" else draw.np(kind))
    return Clause(who, tense, verb, "" if verb.frame == "intransitive" else draw.object(verb))


def _asked(draw: Draw) -> Item:
    does, end = _clause(draw, draw.choice((*TENSES, DID, DID))), draw.adjunct()
    return single(sentence(does.question("ever"), end, end="?"), sentence(does("ever"), end))


@paradigm(plain=_asked)
def matrix_question_npi_licensor_present(draw: Draw) -> Item:
    """A question licenses `ever`: `has he ever slept?`, not `he has ever slept`.

    Balanced: of a question and a `though` clause, which states something, the question can have `ever`: `though he
    often slept, did she ever win?`, not `though he ever slept, did she often win?`, in either order.
    """
    stated, asked = _clause(draw, PAST), _clause(draw, DID)
    though, often, end = draw.choice(("although", "though")), draw.choice(OFTEN), draw.adjunct()

    def first(one: str, other: str) -> str:
        return sentence(though, stated(one), ",", asked.question(other), end, end="?")

    def last(one: str, other: str) -> str:
        return sentence(asked.question(other), ",", though, stated(one), end, end="?")

    return (
        (first(often, "ever"), first("ever", often)),
        (last(often, "ever"), last("ever", often)),
    )


def _stated(draw: Draw, focus: str = "") -> Item:
    """Nothing licenses `ever`."""
    does, end = _clause(draw, draw.choice((PAST, PAST, *TENSES))), draw.adjunct()
    return single(*(sentence(does(adverb, focus=focus), end) for adverb in (draw.choice(NEUTRAL), "ever")))


def _before_or_if(draw: Draw, focus: str = "") -> Item:
    """`before` and `if` license `ever` in their clause, and nothing does so in the main clause, which comes first in
    one frame and last in the other. In each pair `ever` and `often` change places."""
    link, tense, adverbs = draw.choice(
        (("if", PAST, OFTEN), ("before", PAST, OFTEN[:2]), ("before", HAD, (*OFTEN[:2], "already")))
    )
    main, other = _clause(draw, tense), _clause(draw, tense)
    often, end = draw.choice(adverbs), draw.adjunct()
    if end.startswith(link):
        raise LookupError("before it happened before noon")

    def first(one: str, two: str) -> str:
        return sentence(main(one, focus=focus), link, other(two), end)

    def last(one: str, two: str) -> str:
        return sentence(link, other(two), ",", main(one, focus=focus), end)

    return (
        (first(often, "ever"), first("ever", often)),
        (last(often, "ever"), last("ever", often)),
    )


@paradigm(plain=lambda draw: _stated(draw, "even"))
def npi_present_1(draw: Draw) -> Item:
    """`even` does not license `ever`: `even he also slept`, not `even he ever slept`.

    Balanced: `even he often smiled before she ever slept`, not `even he ever smiled before she often slept`, and the
    same with the `before` clause in front: `before` and `if` license `ever`, in their own clause only.
    """
    return _before_or_if(draw, "even")


@paradigm(plain=_stated)
def npi_present_2(draw: Draw) -> Item:
    """A plain statement does not license `ever`: `he also slept`, not `he ever slept`.

    Balanced: as `npi_present_1`, without `even`.
    """
    return _before_or_if(draw)


def _only(draw: Draw) -> Item:
    does, end = _clause(draw, draw.choice((PAST, PAST, *TENSES))), draw.adjunct()
    return single(*(sentence(does("ever", focus=focus), end) for focus in ("only", "even")))


@paradigm(plain=_only)
def only_npi_licensor_present(draw: Draw) -> Item:
    """`only` licenses `ever`: `only he ever slept`, not `even he ever slept`.

    Balanced: of two clauses, one with `only`, one with `even`, that with `only` can have `ever`.
    """
    one, other = (_clause(draw, draw.choice((PAST, PAST, *TENSES))) for _ in range(2))
    but, end = draw.choice(("and", "but")), draw.adjunct()

    def clauses(only: str, even: str, adverb: str, last: str) -> str:
        return sentence(one(adverb, focus=only), but, other(last, focus=even), end)

    return (
        (clauses("only", "even", "ever", ""), clauses("even", "only", "ever", "")),
        (clauses("even", "only", "", "ever"), clauses("only", "even", "", "ever")),
    )


def _only_of_relative(draw: Draw) -> Item:
    """`only` inside a relative clause does not license `ever` outside it."""
    kind = draw.choice(("person", "person", "thing", "garment", "vehicle", "device"))
    told = draw.verb("transitive", subject="person", object=kind)
    number = draw.number()
    definite = ("the", "the", "this", "that") if number == "singular" else ("the", "the", "these", "those")
    head, other = draw.np(kind, number=number, determiner=draw.choice(definite)), draw.person()
    does, end = _clause(draw, draw.choice((PAST, PAST, *TENSES)), head), draw.adjunct()
    that, other = ("who", other) if kind == "person" else ("that", clear(other))
    rest = draw.choice((PAST, HAD))(told), does.predicate("ever"), end
    return single(sentence("only", head, that, other, *rest), sentence(head, that, "only", other, *rest))


@paradigm(plain=_only_of_relative)
def only_npi_scope(draw: Draw) -> Item:
    """`only` licenses `ever` where it has scope: `only men she met ever left`, not `men only she met ever left`.

    Balanced: of a `because` and a main clause, that with `only` can have `ever`; `only men she ever met` is unclear.
    """
    one, other = (_clause(draw, draw.choice((PAST, PAST, HAD, HAS, WOULD))) for _ in range(2))
    because, end = draw.choice(("although", "because", "though")), draw.adjunct()
    only, ever = ("only", ""), ("ever", "")

    def clauses(only: tuple[str, str], ever: tuple[str, str]) -> str:
        return sentence(because, one(ever[0], focus=only[0]), ",", other(ever[1], focus=only[1]), end)

    return (
        (clauses(only, ever), clauses(only[::-1], ever)),
        (clauses(only[::-1], ever[::-1]), clauses(only, ever[::-1])),
    )


def _not(draw: Draw) -> Item:
    does, end = _clause(draw, draw.choice((*TENSES, MIGHT, DID))), draw.adjunct()
    return single(*(sentence(does(adverb, "ever"), end) for adverb in ("not", draw.choice(NEUTRAL))))


@paradigm(plain=_not)
def sentential_negation_npi_licensor_present(draw: Draw) -> Item:
    """`not` licenses `ever`: `he has not ever slept`, not `he has certainly ever slept`.

    Balanced: of two clauses, one with `not`, one with `certainly`, that with `not` can have `ever`.
    """
    one, other = (_clause(draw, draw.choice(TENSES)) for _ in range(2))
    neutral, but = draw.choice(("also", "certainly", "clearly", "doubtless")), draw.choice(("and", "but"))
    (fact, truth), end = draw.rng.sample(("in fact", "in truth"), 2), draw.adjunct()

    def clauses(first: str, second: str, ever: str, last: str) -> str:
        return sentence(one(first, fact, ever), but, other(second, truth, last), end)

    return (
        (clauses("not", neutral, "ever", ""), clauses(neutral, "not", "ever", "")),
        (clauses(neutral, "not", "", "ever"), clauses("not", neutral, "", "ever")),
    )


def _not_of_relative(draw: Draw, tenses: tuple[Tense, ...], facts: Sequence[str]) -> Item:
    """`not` and `ever` in the relative or the main clause. The head is singular: `those who ever` is right."""
    head = draw.np(draw.choice(SUBJECTS), number="singular", determiner=draw.choice(("the", "the", "this", "that")))
    tense = draw.choice(tenses)
    one, other = (_clause(draw, tense, head) for _ in range(2))
    (fact, truth), end = draw.rng.sample(facts, 2), draw.adjunct()
    who = "who" if head.kind == "person" else "that"

    def clauses(negation: tuple[str, str], ever: tuple[str, str]) -> str:
        inner, outer = one.predicate(negation[0], fact, ever[0]), other.predicate(negation[1], truth, ever[1])
        return sentence(head, who, inner, outer, end)

    early, late = ("not", ""), ("", "not")
    return (
        (clauses(late, ("", "ever")), clauses(early, ("", "ever"))),
        (clauses(early, ("ever", "")), clauses(late, ("ever", ""))),
    )


@paradigm(plain=lambda draw: _not_of_relative(draw, (*TENSES, MIGHT), ("", "")))
def sentential_negation_npi_scope(draw: Draw) -> Item:
    """`not` licenses `ever` in its own clause: `who had left had not ever won`, not `who had not left had ever won`.

    Balanced: with `ever` in the relative clause, `not` belongs there.
    """
    return _not_of_relative(draw, (HAD, HAS), IN_FACT)
