"""Subject-verb agreement: a singular subject takes a singular verb, a plural one a plural verb."""

from __future__ import annotations

from .draw import Draw
from .lexicon import Noun, Number
from .paradigm import paradigm
from .phrases import BE, MODALS, PAST, PERFECTS, PRESENT, PROGRESSIVES, Item, Tense, crossed, sentence

Forms = dict[Number, str]
NUMBERS: tuple[Number, Number] = ("singular", "plural")
OTHER: dict[Number, Number] = {"singular": "plural", "plural": "singular"}
DETERMINERS: dict[Number, tuple[str, ...]] = {
    "singular": ("the", "the", "a", "this", "that"),
    "plural": ("the", "the", "some", "these", "those", "many", "most"),
}
NEGATED = Tense("hasn't", "haven't", "participle"), Tense("doesn't", "don't", "base")
ONGOING = *PROGRESSIVES, Tense("isn't", "aren't", "progressive"), Tense("wasn't", "weren't", "progressive")
COPULAS = *BE, Tense("isn't", "aren't", ""), Tense("wasn't", "weren't", "")
UNMARKED = PAST, PAST, *MODALS, PERFECTS[0]  # tenses with one form for both numbers
HAPPENING = ("thing", "garment", "vehicle", "device", "furniture", "art", "text", "food", "plant")
ACTED_ON = ("idea", "text", "art", "garment", "vehicle", "device", "thing", "furniture", "place")
COUNTED = ("person", "animal", "place", "idea", *HAPPENING)

RELATIONS = """admirer ally assistant aunt brother classmate colleague companion cousin critic daughter follower
    friend granddaughter grandson guest mentor neighbor nephew niece opponent rival roommate sister son supporter
    teammate tutor uncle"""
OF = "cartoon drawing mural painting photograph picture portrait sculpture sketch statue"
ABOUT = """article biography book document essay letter manuscript memoir novel pamphlet play poem report script
    story textbook thesis"""


def _forms(draw: Draw, noun: Noun, *, determiner: str | None = None) -> Forms:
    """The noun in both numbers, with an adjective now and then."""
    adjective = draw.adjective(noun.kind).text if draw.coin(0.25) else ""
    return {
        number: " ".join(
            word for word in (determiner or draw.choice(DETERMINERS[number]), adjective, noun.form(number)) if word
        )
        for number in NUMBERS
    }


def _between(draw: Draw, *kinds: str) -> Forms:
    """A noun that stands between subject and verb; a person has a name now and then."""
    noun = draw.counted(*kinds)
    forms = _forms(draw, noun)
    return {**forms, "singular": draw.name().text} if noun.kind == "person" and draw.coin(0.4) else forms


def _predicate(draw: Draw, kind: str) -> tuple[Forms, str]:
    """What such a subject does or is, in both numbers, and what follows."""
    if kind == "place" or draw.coin(0.75 if kind in HAPPENING else 0.3):
        be, adjective = draw.choice(COPULAS), draw.adjective(kind).text
        return {number: f"{be.auxiliary(number)} {adjective}" for number in NUMBERS}, ""
    tenses: tuple[Tense, ...] = PRESENT, PRESENT, PERFECTS[1], *NEGATED
    if kind in ("idea", "text", "art"):
        verb, what = draw.verb("transitive", subject="idea"), str(draw.person())
    elif kind == "person" and draw.coin():
        verb = draw.verb("transitive", subject="person")
        what = str(draw.object(verb))
    else:
        verb, what = draw.verb("intransitive", subject=kind), ""
        tenses = (*tenses, *(ONGOING if kind in ("person", "animal") else ()))
    tense = draw.choice(tenses)
    return {number: tense(verb, number) for number in NUMBERS}, f"{what} {draw.adjunct()}".strip()


def _verb_agrees(subject: Forms, verb: Forms, end: str) -> Item:
    """The singular verb belongs to the singular subject, the plural verb to the plural one."""
    singular, plural = (lambda form, number=number: sentence(subject[number], form, end) for number in NUMBERS)
    return crossed(singular, plural, verb["singular"], verb["plural"])


def _noun_agrees(subject: Forms, verb: Forms, end: str) -> Item:
    """The singular subject belongs before the singular verb, the plural subject before the plural one."""
    singular, plural = (lambda form, number=number: sentence(form, verb[number], end) for number in NUMBERS)
    return crossed(singular, plural, subject["singular"], subject["plural"])


def _near(draw: Draw, *, irregular: bool) -> Item:
    noun = draw.counted(*COUNTED, irregular=irregular)
    subject = _forms(draw, noun)
    if noun.kind == "person" and not irregular and draw.coin(0.3):
        subject["singular"] = draw.name().text
    return _verb_agrees(subject, *_predicate(draw, noun.kind))


def _near_nouns(draw: Draw, *, irregular: bool) -> Item:
    noun = draw.counted(*COUNTED, irregular=irregular)
    return _noun_agrees(_forms(draw, noun, determiner="the"), *_predicate(draw, noun.kind))


@paradigm(either=True)
def regular_plural_subject_verb_agreement_1(draw: Draw) -> Item:
    """The verb agrees with a subject of regular plural: `the dogs bark`, not `the dogs barks`.

    Balanced: with the singular subject it is the other way round.
    """
    return _near(draw, irregular=False)


@paradigm(either=True)
def irregular_plural_subject_verb_agreement_1(draw: Draw) -> Item:
    """The verb agrees with a subject of irregular plural: `the women smile`, not `the women smiles`.

    Balanced: with the singular subject it is the other way round.
    """
    return _near(draw, irregular=True)


@paradigm(either=True)
def regular_plural_subject_verb_agreement_2(draw: Draw) -> Item:
    """The subject agrees with the verb: `the dogs bark`, not `the dog bark`.

    Balanced: with the singular verb it is the other way round.
    """
    return _near_nouns(draw, irregular=False)


@paradigm(either=True)
def irregular_plural_subject_verb_agreement_2(draw: Draw) -> Item:
    """The subject, of irregular plural, agrees with the verb: `the women smile`, not `the woman smile`.

    Balanced: with the singular verb it is the other way round.
    """
    return _near_nouns(draw, irregular=True)


def _numbers_between(draw: Draw, *, distracting: bool) -> dict[Number, Number]:
    """The number of the noun in between, by that of the subject: the other one, or the same in both frames."""
    number = draw.number()
    return {own: OTHER[own] if distracting else number for own in NUMBERS}


def _relational_noun(draw: Draw, *, distracting: bool) -> Item:
    """`the niece of the senators`, `a story about the wars`."""
    noun = draw.counted("person", "person", "text", "art")
    if noun.singular in RELATIONS.split():
        link, between = "of", _between(draw, "person")
    elif noun.singular in OF.split():
        link, between = "of", _between(draw, "person", "animal", "vehicle", "building", "plant")
    elif noun.singular in ABOUT.split():
        link, between = "about", _between(draw, "person", "animal", "vehicle", "building", "place", "idea")
    else:
        raise LookupError(f"{noun.singular} takes no complement")
    head, inner = _forms(draw, noun), _numbers_between(draw, distracting=distracting)
    subject: Forms = {number: f"{head[number]} {link} {between[inner[number]]}" for number in NUMBERS}
    return _verb_agrees(subject, *_predicate(draw, noun.kind))


def _relative_clause(draw: Draw, *, distracting: bool) -> Item:
    """`the boy who helped the guests`, `the lamp that the guests repaired`."""
    noun = draw.counted("person", *ACTED_ON) if draw.coin() else draw.counted("person", "idea")
    kind, tense = noun.kind, draw.choice(UNMARKED)
    that = draw.choice(("who", "that") if kind == "person" else ("that", "which"))
    head, inner = _forms(draw, noun), _numbers_between(draw, distracting=distracting)
    if kind in ("person", "idea") and draw.coin(0.8):
        verb = draw.verb("transitive", subject=kind)
        between = _between(draw, draw.choice(sorted(verb.objects)))
        clause: Forms = {number: f"{that} {tense(verb)} {between[inner[number]]}" for number in NUMBERS}
    else:
        verb, between = draw.verb("transitive", subject="person", object=kind), _between(draw, "person")
        clause = {number: f"{that} {between[inner[number]]} {tense(verb)}" for number in NUMBERS}
    subject: Forms = {number: f"{head[number]} {clause[number]}" for number in NUMBERS}
    return _verb_agrees(subject, *_predicate(draw, kind))


@paradigm(either=True, plain=lambda draw: _relational_noun(draw, distracting=True))
def distractor_agreement_relational_noun(draw: Draw) -> Item:
    """The verb agrees with its subject, not with a nearer noun: `the niece of the kings smiles`, not `smile`.

    Balanced: with the plural subject it is the other way round; the nearer noun agrees in one of them.
    """
    return _relational_noun(draw, distracting=False)


@paradigm(either=True, plain=lambda draw: _relative_clause(draw, distracting=True))
def distractor_agreement_relative_clause(draw: Draw) -> Item:
    """The nearer noun stands in a relative clause: `the boy who saw the kings smiles`, not `smile`.

    Balanced: as `distractor_agreement_relational_noun`.
    """
    return _relative_clause(draw, distracting=False)
