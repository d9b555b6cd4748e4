"""Filler and gap: `who` or `what` wants a place that is left empty, and an empty place wants one of them."""

from __future__ import annotations

from .draw import ADJUNCTS, Draw
from .lexicon import LOOSE, UNWILLED, Verb
from .paradigm import paradigm
from .phrases import MODALS, PAST, PERFECTS, Item, NounPhrase, clear, crossed, sentence, single


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Verbs without an object that can have one after all: what he dreamed, or moaned.
SAYING = words(
    """agree complain cry dream gasp giggle gossip groan howl laugh moan object pray sigh sneer sob stammer swear
    sweat weep whimper whine"""
)
WITHOUT_NOUN = "determine", "guess", "hear", "learn", "realize"  # the others: knew that, who, and the girl
THEN = (PAST, PAST, PERFECTS[0], *(modal for modal in MODALS if modal.singular not in ("will", "must")))
TIMES = words(
    """breakfast dinner lunch dawn dusk midnight night noon weekend break holidays storm summer winter afternoon
    evening morning Friday Monday Saturday Sunday Thursday Tuesday"""
)
WHEN = tuple(phrase for phrase in ADJUNCTS if phrase.split()[-1] in TIMES)
HOW = tuple(
    """allegedly;apparently;certainly;often;presumably;probably;secretly;supposedly;almost certainly;in fact;
    most likely;of course;quite often;very probably;for no reason;for some reason;in all likelihood;
    without a doubt""".replace("\n    ", "").split(";")
)


def needing(draw: Draw, object: str | None = None, *, willed: bool = False) -> Verb:
    """What somebody does to something, and never without it; `willed`: nothing but somebody does it."""
    loose = LOOSE | UNWILLED if willed else LOOSE
    return draw.verb("transitive", subject="person", object=object, but=loose)


def acting(draw: Draw) -> Verb:
    """What somebody does, with no object whatever."""
    return draw.verb("intransitive", subject="person", but=SAYING)


def wh(what: NounPhrase) -> str:
    return "who" if what.kind == "person" else "what"


def knowing(draw: Draw, *without: str) -> Verb:
    """With `that` and with a question."""
    return draw.verb("learn", but=("calculate", *without))


def _knew(draw: Draw, *, with_noun: bool = False) -> tuple[str, bool]:
    """`Anna knew`, and whether she can know somebody, too."""
    who, verb = draw.person(), knowing(draw, *(WITHOUT_NOUN if with_noun else ()))
    return f"{who} {draw.tense()(verb, who.number)}", verb.base not in WITHOUT_NOUN


def _with_clause(draw: Draw) -> NounPhrase:
    """`the teacher that Anna greeted`."""
    who = draw.np("person", determiner="the")
    verb, other = needing(draw, "person"), clear(draw.person())
    happened = acting(draw).past if draw.coin() else f"{other} {verb.past}"
    return who.like(f"{who} {draw.choice(('that', 'who'))} {happened}")


def _how(draw: Draw, other: NounPhrase) -> str:
    """`probably`, with as many words as the noun phrase."""
    fitting = [phrase for phrase in HOW if len(phrase.split()) == len(other.text.split())]
    return draw.choice(fitting)


def _beside(draw: Draw, other: NounPhrase) -> str:
    """`near Anna`, `near the museum`, with as many words as the noun phrase."""
    near, words = draw.choice(("near", "beside", "behind")), len(other.text.split())
    if words not in (2, 3):
        raise LookupError("no phrase of that length")
    return f"{near} {draw.name().text if words == 2 else draw.np('building', 'place', 'person', determiner='the')}"


def _object(draw: Draw, verb: Verb) -> NounPhrase:
    """`the vase`, `the old vase`."""
    return clear(draw.np(draw.choice(sorted(verb.objects)), described=0.5))


# A clause with `who` or `that`, with a gap or without.


def _who_or_that(draw: Draw, *, long: bool = False) -> Item:
    """The word decides, and the clause stays: with a gap in the first frame, without in the second."""
    (knew, _), verb, end = _knew(draw), needing(draw), draw.adjunct()
    doer = _with_clause(draw) if long else clear(draw.person())
    did, what = draw.choice(THEN)(verb), clear(draw.object(verb))
    return crossed(
        lambda word: sentence(knew, word, doer, did, end),
        lambda word: sentence(knew, word, doer, did, what, end),
        wh(what),
        "that",
    )


@paradigm(second="as in `wh_vs_that_no_gap`")
def wh_vs_that_with_gap(draw: Draw) -> Item:
    """A gap wants `who` or `what`: `knew who Anna greeted at noon`, not *`knew that Anna greeted at noon`.

    Balanced: without a gap it is the other way round, as in `wh_vs_that_no_gap`.
    """
    return _who_or_that(draw)


@paradigm(second="as in `wh_vs_that_with_gap`")
def wh_vs_that_no_gap(draw: Draw) -> Item:
    """Where nothing is missing: `knew that Anna greeted him at noon`, not *`knew who Anna greeted him at noon`.

    Balanced: with a gap it is the other way round, as in `wh_vs_that_with_gap`.
    """
    return _who_or_that(draw)[::-1]


@paradigm(second="as in `wh_vs_that_no_gap_long_distance`")
def wh_vs_that_with_gap_long_distance(draw: Draw) -> Item:
    """As `wh_vs_that_with_gap`, with a relative clause before the verb."""
    return _who_or_that(draw, long=True)


@paradigm(second="as in `wh_vs_that_with_gap_long_distance`")
def wh_vs_that_no_gap_long_distance(draw: Draw) -> Item:
    """As `wh_vs_that_no_gap`, with a relative clause before the verb."""
    return _who_or_that(draw, long=True)[::-1]


# A filler, or the noun that it stands for.


def _filler(draw: Draw, like: NounPhrase, with_noun: bool) -> str:
    """`what`, or with a relative clause `the vase that`: unlike `the story that` it does not say what happened."""
    if with_noun and like.kind not in ("idea", "text", "art") and draw.coin(0.4):
        return f"{draw.np(like.kind, determiner='the')} that"
    return wh(like)


def _vase_that(draw: Draw) -> Item:
    """`knew the vase that Anna took`, not `knew what Anna took the vase`."""
    (knew, _), verb = _knew(draw, with_noun=True), needing(draw)
    doer, what, did = clear(draw.person()), draw.np(draw.choice(sorted(verb.objects))), draw.choice(THEN)(verb)
    return single(sentence(knew, what, "that", doer, did), sentence(knew, wh(what), doer, did, what))


@paradigm(plain=_vase_that, second="after `that`")
def wh_questions_object_gap(draw: Draw) -> Item:
    """After `what` no object: `knew the vase that Anna took`, not *`knew what Anna took the vase`.

    Balanced: `what Anna took [near Peter]` or *`[the vase]`, after `that` the other way round; also `the cup that`.
    """
    (knew, with_noun), verb, end = _knew(draw), needing(draw), draw.choice(WHEN)
    doer, what, did = clear(draw.person()), _object(draw, verb), draw.choice(THEN)(verb)
    filler, where = _filler(draw, what, with_noun), _beside(draw, what)
    return crossed(
        lambda phrase: sentence(knew, filler, doer, did, phrase, end),
        lambda phrase: sentence(knew, "that", doer, did, phrase, end),
        where,
        what,
    )


def _one_that(draw: Draw, *, long: bool = False) -> Item:
    """`knew the boy that greeted Anna`, not `knew who the boy greeted Anna`."""
    knew, _ = _knew(draw, with_noun=True)
    idea = not long and draw.coin(0.3)
    verb = draw.verb("transitive", subject="idea") if idea else needing(draw)
    doer = _with_clause(draw) if long else draw.np("idea" if idea else "person")
    did, what = draw.choice(THEN)(verb), clear(draw.object(verb))
    return single(sentence(knew, doer, "that", did, what), sentence(knew, wh(what), doer, did, what))


def _subject_gap(draw: Draw, *, long: bool = False) -> Item:
    """After `who` no subject, after `that` always one; when it was keeps the two words apart."""
    (knew, with_noun), verb, when = _knew(draw), needing(draw, willed=True), draw.choice(WHEN)
    did, what = draw.choice((PAST, PERFECTS[0]))(verb), clear(draw.object(verb))
    if long:
        place = draw.np(draw.choice(("place", "building")), determiner="the")
        seen = draw.verb("transitive", subject="person", object=place.kind)
        when = f", {draw.choice(('after', 'before', 'when'))} {draw.name().text} {seen.past} {place} ,"
    named = draw.coin(0.35)
    doer = draw.person(number="singular", named=1.0) if named else clear(draw.np("person", described=0.4))
    filler, how = _filler(draw, doer, with_noun), _how(draw, doer)
    return crossed(
        lambda phrase: sentence(knew, filler, when, phrase, did, what),
        lambda phrase: sentence(knew, "that", when, phrase, did, what),
        how,
        doer,
    )


@paradigm(plain=_one_that, second="after `that`")
def wh_questions_subject_gap(draw: Draw) -> Item:
    """After `who` one thing is missing: `knew the boy that greeted Anna`, not *`knew who the boy greeted Anna`.

    Balanced: `who at noon [probably] greeted Anna` or *`[Peter]`, after `that` the other way round.
    """
    return _subject_gap(draw)


@paradigm(plain=lambda draw: _one_that(draw, long=True), second="after `that`")
def wh_questions_subject_gap_long_distance(draw: Draw) -> Item:
    """As `wh_questions_subject_gap`, with a relative clause before the verb.

    Balanced: as there, but `who, when Anna left the town, [probably] greeted Peter`.
    """
    return _subject_gap(draw, long=True)
