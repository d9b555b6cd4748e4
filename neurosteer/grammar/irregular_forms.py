"""Irregular forms: `hid` is the past, `hidden` the participle."""

from __future__ import annotations

from .draw import Draw
from .lexicon import Verb
from .paradigm import paradigm
from .phrases import BE, PERFECTS, Item, crossed, sentence

VOWEL_ONLY = ("drink", "sing", "shrink", "sink", "begin")  # whose participle many use as the past: she drunk it
BOTH_PARTICIPLES = ("forget", "hide")  # had forgot, had forgotten
RATHER_NOT_AS_ADJECTIVES = (
    "choose",
    "draw",
    "drive",
    "eat",
    "forgive",
    "forsake",
    "grow",
    "outgrow",
    "shake",
    "throw",
)
ADVERBS = ("recently", "recently", "allegedly", "apparently", "presumably", "reportedly", "supposedly")


def _irregular(draw: Draw, *frames: str, without: tuple[str, ...] = ()) -> Verb:
    """One whose past is not used as its participle: not sewed, sewn, nor outrun, which is also a present."""
    verb = draw.verb(*frames, irregular=True)
    if verb.past.endswith("ed") or verb.participle == verb.base or verb.base in (*VOWEL_ONLY, *without):
        raise LookupError(f"{verb.past} and {verb.participle} are both used")
    return verb


@paradigm(second="after `had`")
def irregular_past_participle_verbs(draw: Draw) -> Item:
    """By itself the past, not the participle: `wrote the letter`, not `written the letter`.

    Balanced: after `had` it is the other way round.
    """
    verb = _irregular(draw, "transitive", "droppable", "alternating", "intransitive", without=BOTH_PARTICIPLES)
    who, what = draw.subject(verb), draw.object(verb) if verb.objects else ""
    have, end = draw.choice(PERFECTS).auxiliary(who.number), draw.adjunct()
    adverb = draw.choice(ADVERBS) if draw.coin() else ""
    return crossed(
        lambda form: sentence(who, adverb, form, what, end),
        lambda form: sentence(who, have, adverb, form, what, end),
        verb.past,
        verb.participle,
    )


@paradigm(second="as a verb")
def irregular_past_participle_adjectives(draw: Draw) -> Item:
    """Before a noun the participle, not the past: `the hidden key`, not `the hid key`.

    Balanced: as a verb it is the other way round: `she hid the key`.
    """
    verb = _irregular(draw, "transitive", "droppable", "alternating", without=RATHER_NOT_AS_ADJECTIVES)
    kind = draw.choice(sorted(verb.objects))
    what = draw.np(kind, determiner="")
    who, end, adverb = draw.person(), draw.adjunct(), draw.choice(ADVERBS) if draw.coin() else ""
    if kind != "food" and draw.coin():  # hardly `the frozen pie is warm`
        be, adjective = draw.choice(BE).auxiliary(what.number), draw.adjective(kind, but={verb.participle})

        def attribute(form: str) -> str:
            return sentence("the", adverb, form, what, be, adjective.text)
    else:
        other = draw.verb("transitive", subject="person", object=kind)
        done = draw.tense()(other, who.number)

        def attribute(form: str) -> str:
            return sentence(who, done, "the", adverb, form, what, end)

    return crossed(attribute, lambda form: sentence(who, adverb, form, "the", what, end), verb.participle, verb.past)
