"""Argument structure: which verbs take an object, and of what kind."""

from __future__ import annotations

from .draw import Draw
from .lexicon import LOOSE, UNWILLED
from .paradigm import paradigm
from .phrases import BE, PERFECTS, Item, crossed, sentence, single

CHANGING = ("thing", "garment", "vehicle", "device", "furniture", "food", "building", "plant")
TO_PEOPLE = {"confirm", "deny", "expose", "ignore", "oppose", "prevent", "reject"}  # what a plan can do to somebody


def _with_or_without(draw: Draw, alone: str = "intransitive") -> Item:
    """A verb that stands alone belongs in the first frame, one that needs an object in the second."""
    one, other = draw.verb(alone, subject="person"), draw.verb("transitive", subject="person", but=LOOSE)
    who, what, tense, end = draw.person(), draw.object(other), draw.tense(), draw.adjunct()
    return crossed(
        lambda verb: sentence(who, verb, end),
        lambda verb: sentence(who, verb, what, end),
        tense(one, who.number),
        tense(other, who.number),
    )


@paradigm(second="as in `transitive`")
def intransitive(draw: Draw) -> Item:
    """Without an object only a verb that needs none: `slept`, not `devoured`.

    Balanced: with an object it is the other way round.
    """
    return _with_or_without(draw)


@paradigm(second="as in `intransitive`")
def transitive(draw: Draw) -> Item:
    """With an object only a verb that takes one: `devoured the cake`, not `slept the cake`.

    Balanced: without an object it is the other way round.
    """
    return _with_or_without(draw)[::-1]


@paradigm(plain=lambda draw: _with_or_without(draw, "droppable"), second="as in `transitive`")
def drop_argument(draw: Draw) -> Item:
    """Some verbs can leave out their object, `ate`, others cannot, `devoured`.

    Balanced: `ate` is right with an object too, so that an intransitive verb stands for it, as in `intransitive`.
    """
    return _with_or_without(draw)


def _happening_or_done(draw: Draw, happening: str = "intransitive") -> Item:
    """What a thing does by itself belongs in the first frame, what someone does to it in the second."""
    kind = draw.choice(CHANGING)
    one, other = draw.verb(happening, subject=kind), draw.verb("transitive", subject="person", object=kind, but=LOOSE)
    number, tense, end = draw.number(), draw.tense(), draw.adjunct()
    who, what = draw.person(number=number), draw.np(kind, number=number)  # one verb form for both
    return crossed(
        lambda verb: sentence(what, verb, end),
        lambda verb: sentence(who, verb, what, end),
        tense(one, number),
        tense(other, number),
    )


def _broken(draw: Draw, *, by_itself: bool) -> Item:
    """Some verbs say both what a thing does and what is done to it: `broke`."""
    kind = draw.choice(CHANGING)
    both, end, tense = draw.verb("alternating", object=kind), draw.adjunct(), draw.tense()
    who, what = draw.person(), draw.np(kind)
    if by_itself:
        other = draw.verb("transitive", subject="person", object=kind, but=LOOSE)
        return single(*(sentence(what, tense(verb, what.number), end) for verb in (both, other)))
    other = draw.verb("intransitive", subject=draw.choice((kind, "person")))
    return single(*(sentence(who, tense(verb, who.number), what, end) for verb in (both, other)))


@paradigm(plain=lambda draw: _broken(draw, by_itself=False), second="as in `inchoative`")
def causative(draw: Draw) -> Item:
    """Someone can break a thing, but not vanish it.

    Balanced: `broke` would be right without an object too, so that `repaired` stands for it; see `inchoative`.
    """
    return _happening_or_done(draw)[::-1]


@paradigm(plain=lambda draw: _broken(draw, by_itself=True), second="as in `causative`")
def inchoative(draw: Draw) -> Item:
    """A thing can break by itself, but not repair.

    Balanced: `broke` would be right with an object too, so that `vanished` stands for it; nobody vanishes a thing.
    """
    return _happening_or_done(draw)


def _passive(draw: Draw, *, agent: bool) -> Item:
    """What is done to someone belongs after `was`, what someone does after `had`; both are participles."""
    done = draw.verb("transitive", subject="person", object="person", but=LOOSE)
    doing = draw.verb("intransitive", subject="person", but={"swear"})  # he was sworn by a judge
    number, end, other = draw.number(), draw.adjunct(), draw.person()
    who = draw.person(number=number)
    be, have = draw.choice(BE).auxiliary(number), draw.choice(PERFECTS).auxiliary(number)
    near = draw.choice(("near", "beside", "behind"))
    return crossed(
        lambda verb: sentence(who, be, verb, f"by {other}" if agent else "", end),
        lambda verb: sentence(who, have, verb, f"{near} {other}" if agent else "", end),
        done.participle,
        doing.participle,
    )


@paradigm(second="active, after `had`")
def passive_1(draw: Draw) -> Item:
    """Only a verb that takes an object has a passive: `was praised by`, not `was slept by`.

    Balanced: after `had` and without an object it is the other way round.
    """
    return _passive(draw, agent=True)


@paradigm(second="active, after `had`")
def passive_2(draw: Draw) -> Item:
    """As `passive_1`, without the agent."""
    return _passive(draw, agent=False)


def _people_and_ideas(draw: Draw, *, passive: bool) -> Item:
    """People dislike plans, plans annoy people: the one who acts, or what does, comes first, or last in a passive."""
    doing = draw.verb("transitive", subject="person", object="idea", but=TO_PEOPLE)
    moving = draw.verb("transitive", subject="idea")
    number, end, tense, be = draw.number(), draw.adjunct(), draw.tense(), draw.choice(BE)
    who, idea = draw.person(number=number), draw.np("idea", number=number)

    def clause(acting: object, verb: object, other: object) -> str:
        return sentence(other, verb, "by", acting, end) if passive else sentence(acting, verb, other, end)

    dislikes, annoys = ((be if passive else tense)(verb, number) for verb in (doing, moving))
    return (
        (clause(who, dislikes, idea), clause(idea, dislikes, who)),
        (clause(idea, annoys, who), clause(who, annoys, idea)),
    )


def _acting(draw: Draw, *, passive: bool) -> Item:
    """Somebody does it; no thing does."""
    verb = draw.verb("transitive", subject="person", but=UNWILLED)
    what, number = draw.object(verb), draw.number()
    things = ("food", "garment") if passive else ("food", "garment", "furniture", "thing")  # by the desk: where
    who, thing = draw.np("person", number=number), draw.np(*things, number=number)
    if passive:
        done = draw.choice(BE)(verb, what.number)
        return single(*(sentence(what, done, "by", acting) for acting in (who, thing)))
    done = draw.tense()(verb, number)
    return single(*(sentence(acting, done, what) for acting in (who, thing)))


@paradigm(plain=lambda draw: _acting(draw, passive=False), second="an idea acts on somebody")
def animate_subject_trans(draw: Draw) -> Item:
    """Only someone animate does such things: `the teacher praised Anna`, not `the lamp praised Anna`.

    Balanced: people dislike plans and plans annoy people, not the other way round; the same words in another order.
    """
    return _people_and_ideas(draw, passive=False)


@paradigm(plain=lambda draw: _acting(draw, passive=True), second="an idea acts on somebody")
def animate_subject_passive(draw: Draw) -> Item:
    """As `animate_subject_trans`, in the passive: what is praised by the teacher is not praised by the lamp."""
    return _people_and_ideas(draw, passive=True)
