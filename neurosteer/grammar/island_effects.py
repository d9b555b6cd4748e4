"""Islands: phrases that `who`, `what` or `which` cannot be moved out of."""

from __future__ import annotations

from .draw import Draw
from .filler_gap_dependency import THEN, WHEN, acting, knowing, needing, wh
from .lexicon import Number, Verb
from .paradigm import paradigm
from .phrases import MODALS, PAST, PERFECTS, Item, NounPhrase, Pair, Tense, clear, crossed, sentence, single

DID = Tense("did", "did", "base")
HAD = PERFECTS[0]
ASKING = (DID, DID, HAD, *MODALS)
KINDS = "person", "person", "person", "animal", "device", "vehicle", "text", "art", "food", "thing"
LINKS = {  # how a verb goes on that never lacks its object, and the kind of what stands behind the preposition
    "with": (
        "annotate demolish dismantle fix frame garnish modify nurture repair replace restore sabotage service",
        "thing",
    ),
    "from": ("acquire confiscate obtain procure reclaim salvage", "building"),
    "for": ("analyze auction commission examine inspect promote recommend", "idea"),
}


def _asked(draw: Draw, what: NounPhrase) -> str:
    """`who`, or `which teacher`."""
    noun = draw.noun(what.kind)
    return f"which {noun.form(what.number)}" if noun.plural and draw.coin(0.3) else wh(what)


def _possessive(who: NounPhrase) -> str:
    return f"{who}'" if who.number == "plural" and who.text.endswith("s") else f"{who}'s"


# A noun in the island or not in it: not, where there is no `who` and the verb in the island has no object.


def _adjunct(draw: Draw, *, light: bool) -> Item:
    """A light noun phrase, such as `him`, never moves to the end. No `them` with things: `what did he find them`."""
    kind = draw.choice(KINDS)
    number: Number = "singular" if light and kind != "person" else draw.number()
    verb, other, alone = needing(draw, kind), needing(draw, kind), acting(draw)
    what = draw.person(named=1.0) if light and kind == "person" else clear(draw.np(kind, number=number))
    who, end, ask = clear(draw.person()), draw.adjunct(), draw.choice(ASKING)
    asked, why = _asked(draw, what), draw.choice(("after", "before", "while", "without"))
    if end.startswith(why):
        raise LookupError(f"{why} it {end}")
    does = f"{ask.singular} {who} {ask.main(verb)}"
    if light and (what.number == "plural" or kind != "person" or draw.coin()):
        what = what.like(what.accusative)

    def inside(filler: str, verb: Verb) -> str:
        return sentence(filler, does, why, verb.progressive, what, end, end="?")

    def before(filler: str, verb: Verb) -> str:
        return sentence(filler, does, what, why, verb.progressive, end, end="?")

    return (inside(asked, other), before(asked, other)), (before("", alone), inside("", alone))


@paradigm(plain=lambda draw: _adjunct(draw, light=False), second="nothing is moved")
def adjunct_island(draw: Draw) -> Item:
    """Nothing moves out of an adjunct: `who did he greet after seeing her`, not *`who did he greet her after seeing`.

    Balanced: without `who` and with a verb without an object, `did he greet her after smiling` and not
    *`did he greet after smiling her`; with a pronoun or a name, which nothing puts after `smiling`.
    """
    return _adjunct(draw, light=True)


@paradigm(second="nothing is moved")
def complex_NP_island(draw: Draw) -> Item:
    """Nothing moves out of a relative clause: *`who did Anna greet the boy that met`, but `who did the boy that met
    Anna greet`.

    Balanced: without `who` and with a verb without an object, `did Anna greet the boy that smiled` and not
    *`did the boy that smiled Anna greet`.
    """
    verb, other, alone = needing(draw, "person"), needing(draw, "person"), acting(draw)
    boy, who, end = draw.np("person", determiner="the"), clear(draw.person()), draw.adjunct()
    ask = draw.choice(ASKING)
    asked, that, then = _asked(draw, who), draw.choice(("that", "who")), draw.choice(THEN)
    does, greet = ask.singular, ask.main(verb)

    def subject(filler: str, verb: Verb) -> str:
        return sentence(filler, does, boy, that, then(verb), who, greet, end, end="?")

    def object(filler: str, verb: Verb) -> str:
        return sentence(filler, does, who, greet, boy, that, then(verb), end, end="?")

    return (subject(asked, other), object(asked, other)), (object("", alone), subject("", alone))


@paradigm(second="nothing is moved")
def sentential_subject_island(draw: Draw) -> Item:
    """Nothing moves out of a subject: `who did Anna's hugging him annoy`, not *`who did Anna's hugging annoy him`.

    Balanced: without `who` and with a verb without an object, `did Anna's smiling annoy him` and not
    *`did Anna's smiling him annoy`.
    """
    verb, other = draw.verb("transitive", subject="idea"), needing(draw, "person")
    alone = acting(draw)
    who, what, end, ask = clear(draw.person()), clear(draw.person()), draw.adjunct(), draw.choice(ASKING)
    asked, does, annoy = _asked(draw, what), f"{ask.singular} {_possessive(who)}", ask.main(verb)

    def inside(filler: str, verb: Verb) -> str:
        return sentence(filler, does, verb.progressive, what, annoy, end, end="?")

    def after(filler: str, verb: Verb) -> str:
        return sentence(filler, does, verb.progressive, annoy, what, end, end="?")

    return (inside(asked, other), after(asked, other)), (after("", alone), inside("", alone))


# A conjunct.


def _conjuncts(draw: Draw, number: Number) -> tuple[str, NounPhrase, NounPhrase, str]:
    verb, ask = needing(draw), draw.choice(ASKING)
    who, other = clear(draw.person(number=number)), clear(draw.person())
    return f"{_asked(draw, draw.object(verb))} {ask.singular}", who, other, ask.main(verb)


def _and(draw: Draw) -> Item:
    did, who, other, greet = _conjuncts(draw, draw.number())
    return single(sentence(did, who, "and", other, greet, end="?"), sentence(did, who, greet, "and", other, end="?"))


@paradigm(plain=_and, second="nothing is moved out of `both ... and`")
def coordinate_structure_constraint_object_extraction(draw: Draw) -> Item:
    """Nothing moves out of one of two conjuncts: `who did Anna and Peter greet`, not *`who did Anna greet and Peter`.

    Balanced: `who did Anna greet [with] Peter` or *`[and]`, `who did both Anna [and] Peter greet` or *`[with]`.
    """
    did, who, other, greet = _conjuncts(draw, "singular")  # `both those near Peter` would be right
    return crossed(
        lambda word: sentence(did, who, greet, word, other, end="?"),
        lambda word: sentence(did, "both", who, word, other, greet, end="?"),
        draw.choice(("with", "alongside")),
        "and",
    )


# `which` or `whose` without its noun.


def _which_boys(draw: Draw, form: str) -> Item:
    """The noun stays with its `which`: in situ (`echo`), in front (`simple`), also with two verbs (`coordinated`)."""
    kind, end, number = draw.choice(KINDS), draw.choice(WHEN), draw.number()
    verb, noun = needing(draw, kind), draw.noun(kind)
    words = ["which"] if kind == "person" else ["which", "what", "whose"]
    which = draw.choice(words + ["how many"] * (number == "plural"))
    who, ask = clear(draw.person()), draw.choice((HAD, *MODALS) if form == "echo" else ASKING)
    rest = f"and {clear(draw.person())} {ask.main(needing(draw, kind))}" if form == "coordinated" else ""
    return single(*_together_and_apart(form, which, noun.form(number), who, ask, verb, rest, end))


def _together_and_apart(
    form: str, which: str, boys: str, who: NounPhrase, ask: Tense, verb: Verb, *rest: str
) -> Pair:
    """`which boys did Anna meet`, or `Anna did meet which boys` as an echo, and `which did Anna meet boys`."""
    did, meet = ask.singular, ask.main(verb)
    order = (who, did, meet, which, boys) if form == "echo" else (which, boys, did, who, meet)
    return sentence(*order, *rest, end="?"), sentence(which, did, who, meet, boys, *rest, end="?")


def _what_with(draw: Draw, form: str) -> Item:
    """`what cars did Anna fix`, where `what` belongs to the noun, and `what did Anna fix cars with`, where it does
    not: it is what she fixed them with."""
    kind = draw.choice(("device", "vehicle", "text", "art", "food", "thing", "furniture", "building"))
    verb = needing(draw, kind)
    link, of = next(((link, of) for link, (verbs, of) in LINKS.items() if verb.base in verbs.split()), ("", ""))
    if not link:
        raise LookupError(f"{verb.base} takes no preposition")
    cars, who = draw.counted(kind).plural, clear(draw.person())
    end = draw.choice([when for when in WHEN if when.startswith(("at", "in", "on"))])  # hardly `with before noon`
    ask = draw.choice((HAD, *MODALS) if form == "echo" else ASKING)
    rest = ("", "")
    if form == "coordinated":
        peter, other, needed = clear(draw.person()), needing(draw, kind), needing(draw, of)
        rest = f"and {peter} {ask.main(other)}", f"and {peter} {ask.main(needed)}"
    fixed = _together_and_apart(form, "what", cars, who, ask, verb, rest[0], end)
    fixed_with = _together_and_apart(form, "what", cars, who, ask, verb, link, rest[1], end)
    return fixed, fixed_with[::-1]


@paradigm(plain=lambda draw: _which_boys(draw, "echo"), second="about what is behind a preposition")
def left_branch_island_echo_question(draw: Draw) -> Item:
    """`which` does not leave its noun: `Anna had met which boys`, not *`which had Anna met boys`.

    Balanced: `Anna had fixed what cars`, not *`what had Anna fixed cars`, but with `with` it is the other way round:
    `what had Anna fixed cars with`.
    """
    return _what_with(draw, "echo")


@paradigm(plain=lambda draw: _which_boys(draw, "simple"), second="about what is behind a preposition")
def left_branch_island_simple_question(draw: Draw) -> Item:
    """`which` does not leave its noun: `which boys had Anna met`, not *`which had Anna met boys`.

    Balanced: `what cars had Anna fixed`, not *`what had Anna fixed cars`, but with `with` it is the other way round:
    `what had Anna fixed cars with`.
    """
    return _what_with(draw, "simple")


@paradigm(plain=lambda draw: _which_boys(draw, "coordinated"), second="about what is behind a preposition")
def coordinate_structure_constraint_complex_left_branch(draw: Draw) -> Item:
    """As `left_branch_island_simple_question`, out of two conjuncts: `which boys did Anna meet and Peter greet`.

    Balanced: as there; `what did Anna fix cars with and Peter misplace`.
    """
    return _what_with(draw, "coordinated")


# A question in a question.


def _learned_who(draw: Draw, then: Tense) -> Item:
    verb, other, knew = needing(draw), needing(draw, "person"), knowing(draw, "hear", "see")
    who, name, end, ask = clear(draw.person()), draw.name().text, draw.adjunct(), draw.choice(ASKING)
    third = f"{name}'s {draw.noun('person').form(draw.number())}" if draw.coin(0.4) else name
    asked, learned = _asked(draw, draw.object(verb)), f"{ask.singular} {who} {ask.main(knew)}"
    return crossed(
        lambda word: sentence(asked, learned, word, then(verb), end, end="?"),
        lambda word: sentence(learned, word, third, then(other), end, end="?"),
        who.pronoun,
        "who",
    )


@paradigm(plain=lambda draw: _learned_who(draw, draw.choice(THEN)), second="nothing is moved out of the question")
def wh_island(draw: Draw) -> Item:
    """Nothing moves out of a question: `who had he learned she met`, not *`who had he learned who met`.

    Balanced: without the first `who`, and with a subject: `had he learned who Anna met`, not
    *`had he learned she Anna met`. In the past tense: an auxiliary next to the word would tell its frame.
    """
    return _learned_who(draw, PAST)
