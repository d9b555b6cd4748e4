"""Control and raising: which predicates give a role to the subject of their infinitive, and which leave it alone."""

from __future__ import annotations

from .draw import ADJUNCTS, Draw
from .lexicon import LOOSE, Number
from .paradigm import paradigm
from .phrases import BE, MODALS, Item, NounPhrase, Tense, clear, crossed, sentence, single

OUTDOORS = tuple(adjunct for adjunct in ADJUNCTS if adjunct.split()[0] in ("by", "near", "outside"))
INDOORS = ("in the attic", "in the basement", "in the hallway", "in the kitchen", "in the office")
SOME: dict[Number, tuple[str, ...]] = {"singular": ("a", "a", "another"), "plural": ("some", "many", "several")}
# What some take for raising too: there was able, promised, managed, was determined to be; ordered there to be.
NEARLY_RAISING = {
    "able", "ask", "beg", "command", "determined", "direct", "force", "induce", "instruct", "manage", "order",
    "promise", "prompt", "refuse", "unable",
}  # fmt: skip
# Control adjectives without `for`: *she was careful for there to be. Raising predicates with it: she started (for
# that purpose), was set for there to be.
WITHOUT_FOR, WITH_FOR = {"afraid", "ashamed", "careful", "hesitant"}, {"appear", "continue", "set", "start"}
HARDLY_THERE = {"begin", "fail", "start", "threaten"}  # `there began to be a bush by the river`
WISHED = {"need", "require", "want"}  # nobody wants a thing to be odd
FEELINGS = {"crave", "despise", "dislike", "idolize", "regret"}  # hardly risky or easy
TOUGH_OF = {"nice", "safe"}  # she was nice to help, safe to leave
UNMODAL = {"supposed"}  # hardly `will be supposed to`
NOT_TOUGH = UNMODAL | {"due", "liable"}  # could be due to envy


def _be(draw: Draw) -> Tense:
    """`was` or `would be`, as its auxiliary."""
    modal = f"{draw.choice(MODALS).singular} be"
    return draw.choice(BE) if draw.coin(0.7) else Tense(modal, modal, "")


def _something(draw: Draw) -> NounPhrase:
    """What there can be: `a dog by the river`, `some boys laughing after dinner`, `many books in the attic`."""
    number = draw.number()
    kind = draw.choice(("person", "animal", "thing", "plant", "text", "furniture", "vehicle"))
    what = draw.np(kind, number=number, determiner=draw.choice(SOME[number]))
    if kind in ("person", "animal") and draw.coin():
        return what.like(f"{what} {draw.verb('intransitive', subject=kind).progressive} {draw.adjunct()}")
    inside = kind in ("thing", "text", "furniture") or (kind == "person" and draw.coin())
    return what.like(f"{what} {draw.choice(INDOORS if inside else OUTDOORS)}")


def _event(draw: Draw) -> str:
    """A clause, to stand after `that`: `Bill slept at noon`."""
    verb = draw.verb("intransitive", "transitive", subject="person")
    who, end = clear(draw.person()), draw.adjunct()
    what = draw.object(verb) if verb.objects else ""
    return " ".join(str(part) for part in (who, draw.tense()(verb, who.number), what, end) if str(part))


def _dummy_object(draw: Draw, *, dummy: str, wished: bool, rest: str) -> Item:
    """The plain form of object raising: `expected there to be`, not `persuaded there to be`."""
    who, tense = draw.person(), draw.tense()
    raising = draw.verb("object_raise", but=set() if wished else WISHED)
    verbs = raising, draw.verb("object_control", but=NEARLY_RAISING)
    return single(*(sentence(who, tense(verb, who.number), dummy, "to be", rest) for verb in verbs))


def _told(draw: Draw, *, dummy: str, be: str, but: set[str], rest: str) -> Item:
    """An object that the verb has itself, before its clause, belongs in the second frame: `persuaded Bill that`."""
    one, other = draw.verb("object_raise", but=but | {"believe"}), draw.verb("tell", but=NEARLY_RAISING)
    who, hearer, tense = draw.person(), draw.person(), draw.tense()
    return crossed(
        lambda verb: sentence(who, verb, dummy, "to be", rest),
        lambda verb: sentence(who, verb, hearer, "that", dummy, be, rest),
        tense(one, who.number),
        tense(other, who.number),
    )


@paradigm(
    plain=lambda draw: _dummy_object(draw, dummy="there", wished=True, rest=str(_something(draw))),
    second="a person and a clause",
)
def existential_there_object_raising(draw: Draw) -> Item:
    """`There` is an object only of a verb that gives it no role: `expected there to be a cat`, not `persuaded there`.

    Balanced: with a person and a clause, `persuaded Bill that there was a cat`, not `expected Bill that`.
    """
    what = _something(draw)
    be = draw.choice((draw.choice(BE).auxiliary(what.number), f"{draw.choice(MODALS).singular} be"))
    return _told(draw, dummy="there", be=be, but=set(), rest=str(what))


def _odd(draw: Draw) -> str:
    return f"{draw.adjective('matter').text} that {_event(draw)}"


@paradigm(
    plain=lambda draw: _dummy_object(draw, dummy="it", wished=False, rest=_odd(draw)), second="a person and a clause"
)
def expletive_it_object_raising(draw: Draw) -> Item:
    """As `existential_there_object_raising`: `believed it to be odd that Bill slept`, not `persuaded it to be odd`.

    Balanced: `persuaded Jane that it was odd that Bill slept`.
    """
    be = draw.choice((draw.choice(BE).singular, f"{draw.choice(MODALS).singular} be"))
    return _told(draw, dummy="it", be=be, but=WISHED, rest=_odd(draw))


def _predicates(draw: Draw, *, crossing: bool) -> tuple[Tense, str, str]:
    """A raising and a control predicate with a tense: verbs or adjectives. When crossing, the latter takes `for`."""
    ruled_out = HARDLY_THERE | (WITH_FOR if crossing else set())
    if draw.coin():
        wishing = draw.verb("wish" if crossing else "control", but=() if crossing else NEARLY_RAISING)
        tense = draw.tense()
        return tense, tense.main(draw.verb("raise", but=ruled_out)), tense.main(wishing)
    control = draw.adjective("control", but=NEARLY_RAISING | (WITHOUT_FOR if crossing else set()))
    return _be(draw), draw.adjective("raise", but=ruled_out | UNMODAL).text, control.text


def _dummy_subject(draw: Draw) -> Item:
    """The plain form of `existential_there_subject_raising`."""
    what, (tense, *predicates) = _something(draw), _predicates(draw, crossing=False)
    return single(*(sentence("there", tense.auxiliary(what.number), word, "to be", what) for word in predicates))


@paradigm(plain=_dummy_subject, second="`for there to be`")
def existential_there_subject_raising(draw: Draw) -> Item:
    """`There` is the subject only of what gives it no role: `there was sure to be a cat`, not `there was eager to`.

    Balanced: with a subject of its own and `for`, `Bill was eager for there to be a cat`, not `sure for there to be`.
    """
    what, who = _something(draw), draw.person()
    tense, raising, control = _predicates(draw, crossing=True)
    return crossed(
        lambda word: sentence("there", tense.auxiliary(what.number), word, "to be", what),
        lambda word: sentence(who, tense.auxiliary(who.number), word, "for there to be", what),
        raising,
        control,
    )


def _tough_or_raising(draw: Draw) -> Item:
    """The object is missing in the first frame and there in the second, or the verb needs none."""
    one = draw.verb("transitive", subject="person", but=LOOSE | FEELINGS)
    other = draw.verb("intransitive", "transitive", subject="person")
    what, who, be, end = draw.object(one), draw.person(), _be(draw), draw.adjunct()
    more = draw.object(other) if other.objects else ""
    return crossed(
        lambda word: sentence(what, be.auxiliary(what.number), word, "to", one.base, end),
        lambda word: sentence(who, be.auxiliary(who.number), word, "to", other.base, more, end),
        draw.adjective("tough", but=TOUGH_OF).text,
        draw.adjective("raise", but=NOT_TOUGH).text,
    )


@paradigm(second="as in `tough_vs_raising_2`")
def tough_vs_raising_1(draw: Draw) -> Item:
    """The subject is the infinitive's missing object: `the letter was easy to borrow`, not `certain to borrow`.

    Balanced: where none is missing, `the guard was certain to sleep`, it is the other way round.
    """
    return _tough_or_raising(draw)


@paradigm(second="as in `tough_vs_raising_1`")
def tough_vs_raising_2(draw: Draw) -> Item:
    """The subject is the infinitive's: `the guard was certain to sleep`, not `easy to sleep`.

    Balanced: as `tough_vs_raising_1`.
    """
    return _tough_or_raising(draw)[::-1]
