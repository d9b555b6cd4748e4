"""Binding: which antecedent a reflexive needs, and where a pronoun stands instead."""

from __future__ import annotations

from .draw import Draw
from .lexicon import Gender, Verb
from .paradigm import paradigm
from .phrases import MODALS, PAST, Item, NounPhrase, clear, crossed, sentence, single

GENDERS: tuple[tuple[Gender, Gender], ...] = (("m", "f"), ("f", "m"), ("m", ""), ("f", ""), ("", "m"), ("", "f"))
# What nobody does to herself.
TO_OTHERS = {
    "accompany", "adopt", "appoint", "arrest", "assist", "avoid", "befriend", "capture", "catch", "chase",
    "contact", "detect", "encounter", "escort", "frighten", "greet", "handcuff", "impersonate", "interrogate",
    "interview", "kidnap", "notify", "obey", "outrun", "outsmart", "prosecute", "pursue", "recognize", "recruit",
    "spot", "thwart",
}  # fmt: skip
# What could be a participle after `imagined herself`: she was left the house, was slouched.
MISREAD = {
    "appoint", "arrive", "bake", "build", "call", "construct", "cook", "deny", "emigrate", "fetch", "find",
    "fry", "kneel", "knit", "leave", "lend", "mingle", "nominate", "paint", "peel", "purchase", "read", "sew",
    "sit", "slice", "slouch", "socialize", "stagger", "toss", "write",
}  # fmt: skip
# What one can also do to a plan or a question, or with no object: `the rumor that Mary delighted in the city`.
TO_IDEAS = {
    "affect", "concern", "confuse", "disturb", "excite", "frustrate", "puzzle", "trouble", "upset", "bother",
    "delight",
}  # fmt: skip
# What does without its `that` less well.
WITH_THAT = {"boast", "complain"}


def _someone(draw: Draw, gender: Gender, *, named: float = 0.5) -> NounPhrase:
    """Unmarked, it is a plural, since one doctor could be he or she."""
    return draw.person(number="singular" if gender else "plural", gender=gender or None, named=named)


def _anyone(draw: Draw) -> NounPhrase:
    return _someone(draw, draw.choice(("m", "f", "")))


def _two(draw: Draw, *, named: tuple[float, float] = (0.5, 0.5)) -> tuple[NounPhrase, NounPhrase]:
    """Two with different reflexives."""
    one, other = draw.choice(GENDERS)
    return _someone(draw, one, named=named[0]), _someone(draw, other, named=named[1])


def _to_herself(draw: Draw) -> Verb:
    """What one does to others or to oneself."""
    return draw.verb("transitive", subject="person", object="person", but=TO_OTHERS)


def _modifier(draw: Draw) -> tuple[str, str]:
    """What parts a noun phrase from the one that it is in, and what follows it: `who admired` and nothing, `who` and
    `admired`."""
    if draw.coin(0.2):
        return draw.choice(("near", "beside", "behind", "with")), ""
    verb = draw.choice((PAST, PAST, *MODALS))(draw.verb("transitive", subject="person", object="person"))
    return ("who", verb) if draw.coin(0.3) else (f"{draw.choice(('who', 'that'))} {verb}", "")


def _antecedents(draw: Draw) -> Item:
    """The plain form of `principle_A_c_command`, where the noun phrase inside may be a name or a thing."""
    who, inside = _two(draw, named=(0.0, 0.6))
    before, after = _modifier(draw)
    if draw.coin(0.25):
        doing = draw.verb("transitive", "droppable", subject="person", object="thing")
        before, inside, after = f"who {draw.tense()(doing, who.number)}", draw.np("thing", number="singular"), ""
    verb, end = draw.tense()(_to_herself(draw), who.number), draw.adjunct()
    selves = who.reflexive, inside.reflexive
    return single(*(sentence(who, before, inside, after, verb, self, end) for self in selves))


@paradigm(plain=_antecedents)
def principle_A_c_command(draw: Draw) -> Item:
    """The antecedent is the whole subject, none inside it: `the girl who met Bill blamed herself`, not `himself`.

    Balanced: `the boy who met the girl` and `the girl who met the boy`.
    """
    one, other = _two(draw, named=(0.0, 0.0))
    (before, after), verb, tense, end = _modifier(draw), _to_herself(draw), draw.tense(), draw.adjunct()
    return crossed(
        lambda self: sentence(one, before, other, after, tense(verb, one.number), self, end),
        lambda self: sentence(other, before, one, after, tense(verb, other.number), self, end),
        one.reflexive,
        other.reflexive,
    )


def _doing(draw: Draw) -> tuple[Verb, str]:
    """A verb, and its object and an adjunct."""
    verb = draw.verb("intransitive" if draw.coin() else "transitive", subject="person", but=MISREAD)
    what = draw.object(verb) if verb.objects else ""
    return verb, f"{what} {draw.adjunct()}".strip()


def _said(draw: Draw) -> Item:
    """The plain form of `principle_A_case_1`."""
    who, tense = _anyone(draw), draw.tense()
    says, (verb, rest) = draw.tense()(draw.verb("report"), who.number), _doing(draw)
    return single(
        *(sentence(who, says, "that", self, tense(verb, who.number), rest) for self in (who.pronoun, who.reflexive))
    )


def _imagined(draw: Draw) -> tuple[Item, Item]:
    """`Mary imagined she slept` and `imagined herself sleeping`, paired by the pronouns and by the verb's forms."""
    who = _anyone(draw)
    imagined, (verb, rest) = draw.tense()(draw.verb("perceive"), who.number), _doing(draw)

    def clause(pronoun: str, form: str) -> str:
        return sentence(who, imagined, pronoun, form, rest)

    she, herself, slept, sleeping = who.pronoun, who.reflexive, verb.past, verb.progressive
    return (
        crossed(lambda self: clause(self, slept), lambda self: clause(self, sleeping), she, herself),
        crossed(lambda form: clause(herself, form), lambda form: clause(she, form), sleeping, slept),
    )


@paradigm(plain=_said, second="as in `principle_A_case_2`")
def principle_A_case_1(draw: Draw) -> Item:
    """The subject of a finite clause is no reflexive: `Mary said that she slept`, not `that herself slept`.

    Balanced: that of a participle is, after verbs with both: `imagined herself sleeping`, `imagined she slept`.
    """
    return _imagined(draw)[0]


@paradigm(second="nominatives, with no reflexive")
def principle_A_case_2(draw: Draw) -> Item:
    """A reflexive is no subject of a finite verb: `Mary imagined herself sleeping`, not `herself slept`.

    Balanced: a nominative is, and not of a participle: `imagined she slept`, not `she sleeping`.
    """
    return _imagined(draw)[1]


def _her(draw: Draw) -> Item:
    """The plain form of `principle_A_domain_1`."""
    one, other = _two(draw)
    other = clear(other)
    says, praised = draw.tense()(draw.verb("report"), one.number), draw.tense()(_to_herself(draw), other.number)
    forms, end = (one.accusative, one.reflexive), draw.adjunct()
    return single(*(sentence(one, says, "that", other, praised, form, end) for form in forms))


@paradigm(plain=_her)
def principle_A_domain_1(draw: Draw) -> Item:
    """The antecedent is in the reflexive's own clause: `Mary said that Bill praised her`, not `praised herself`.

    Balanced: a pronoun alone would be right everywhere, so that it stands with a reflexive, in either order: `Bill
    told her that Mary would praise herself`, `Mary told herself that Bill would praise her`.
    """
    mary, bill = (clear(who) for who in _two(draw))
    tell, praise, tense, modal, end = (
        draw.verb("tell"), _to_herself(draw), draw.tense(), draw.choice(MODALS), draw.adjunct()
    )  # fmt: skip

    def told(one: NounPhrase, first: str, other: NounPhrase, second: str) -> str:
        return sentence(one, tense(tell, one.number), first, "that", other, modal(praise), second, end)

    her, herself = mary.accusative, mary.reflexive
    return (
        (told(bill, her, mary, herself), told(bill, herself, mary, her)),
        (told(mary, herself, bill, her), told(mary, her, bill, herself)),
    )


def _thought(draw: Draw) -> tuple[Item, Item]:
    """`Mary thought Bill praised himself` and with the two exchanged, paired by reflexives and by subjects."""
    mary, bill = (clear(who) for who in _two(draw))
    if mary.number != bill.number:
        says, praised = draw.choice((PAST, *MODALS)), draw.choice((PAST, *MODALS))
    else:
        says, praised = draw.tense(), draw.tense()
    thought, praise, end = draw.verb("report", but=WITH_THAT), _to_herself(draw), draw.adjunct()

    def clause(one: NounPhrase, other: NounPhrase, self: str) -> str:
        return sentence(one, says(thought, one.number), other, praised(praise, other.number), self, end)

    himself, herself = bill.reflexive, mary.reflexive
    return (
        crossed(lambda self: clause(mary, bill, self), lambda self: clause(bill, mary, self), himself, herself),
        (
            (clause(mary, bill, himself), clause(bill, mary, himself)),
            (clause(bill, mary, herself), clause(mary, bill, herself)),
        ),
    )


@paradigm()
def principle_A_domain_2(draw: Draw) -> Item:
    """The antecedent is the subject nearby, not that of the main clause: `Mary thought Bill praised himself`, not
    `herself`.

    Balanced: the two subjects change places.
    """
    return _thought(draw)[0]


@paradigm()
def principle_A_domain_3(draw: Draw) -> Item:
    """`Mary thought Bill praised himself`, not `Bill thought Mary praised himself`.

    Balanced: `herself`.
    """
    return _thought(draw)[1]


def _cleft(draw: Draw) -> Item:
    """The plain form of `principle_A_reconstruction`."""
    who = clear(_anyone(draw))
    verb = draw.tense()(_to_herself(draw), who.number)
    it, that, end = draw.choice(("it was", "it is")), draw.choice(("that", "who")), draw.adjunct()
    return single(*(sentence(it, who.reflexive, that, *order, end) for order in ((who, verb), (verb, who))))


@paradigm(plain=_cleft, second="with no reflexive")
def principle_A_reconstruction(draw: Draw) -> Item:
    """A reflexive in front is understood where it is missing: `it was herself that Mary shocked`, not `that shocked
    Mary`.

    Balanced: what shocks and is not shocked, `it was the rumor that shocked Mary`, not `that Mary shocked`.
    """
    verb, number, end = draw.verb("transitive", subject="idea", but=TO_IDEAS), draw.number(), draw.adjunct()
    who = clear(_someone(draw, draw.choice(("m", "f")) if number == "singular" else ""))
    what, shocked = draw.np("idea", number=number), draw.tense()(verb, number)
    it = draw.choice(("it was", "it is"))

    def orders(first: object) -> list[str]:
        return [sentence(it, first, "that", *order, end) for order in ((who, shocked), (shocked, who))]

    (hers, by_her), (its, by_it) = orders(who.reflexive), orders(what)
    return (hers, by_her), (by_it, its)
