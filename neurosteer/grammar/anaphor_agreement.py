"""Anaphor agreement: a reflexive has the gender and the number of its antecedent."""

from __future__ import annotations

from .draw import Draw
from .lexicon import Gender, Number
from .paradigm import paradigm
from .phrases import Item, crossed, sentence, single

REFLEXIVES: dict[Gender, str] = {"f": "herself", "m": "himself"}
DETERMINERS: dict[Number, tuple[str, ...]] = {
    "singular": ("the", "the", "a", "this", "that"),
    "plural": ("the", "the", "some", "these", "those", "many", "several", "most", "all"),
}
NOT_TO_ONESELF = """accompany adopt affect appoint arrest assist avoid befriend bribe capture catch chase concern
    contact detect encounter escort forsake greet handcuff impersonate interrogate interview kidnap obey outrun
    outsmart prosecute pursue recruit spot thwart"""
PREPOSITIONS = {
    "about": "chuckle complain daydream dream gossip moan",
    "at": "frown giggle glance grin laugh scowl smile smirk sneer snicker stare swear wink",
    "with": "disagree quarrel",
    "for": "apologize pray",
}


def _deed(draw: Draw) -> dict[Number, str]:
    """What people do to themselves: `has praised`, `have laughed at`."""
    if draw.coin(0.75):
        verb, link = draw.verb("transitive", subject="person", object="person"), ""
        fits = verb.base not in NOT_TO_ONESELF.split()
    else:
        verb = draw.verb("intransitive", subject="person")
        link = next((link for link, verbs in PREPOSITIONS.items() if verb.base in verbs.split()), "")
        fits = bool(link)
    if not fits:
        raise LookupError(f"nobody would {verb.base} oneself")
    tense = draw.tense()
    return {number: f"{tense(verb, number)} {link}".strip() for number in DETERMINERS}


def _one(draw: Draw, gender: Gender) -> str:
    """A man or a woman, by name or not."""
    return str(draw.person(number="singular", gender=gender, named=0.6))


def _gender(draw: Draw) -> Item:
    she, he, done, end = _one(draw, "f"), _one(draw, "m"), _deed(draw)["singular"], draw.adjunct()
    return crossed(
        lambda reflexive: sentence(she, done, reflexive, end),
        lambda reflexive: sentence(he, done, reflexive, end),
        REFLEXIVES["f"],
        REFLEXIVES["m"],
    )


def _gender_or_thing(draw: Draw) -> Item:
    """The wrong reflexive is that of the other gender or that of a thing."""
    good, bad = draw.choice(_gender(draw))
    wrong = next(reflexive for reflexive in REFLEXIVES.values() if f" {reflexive} " in bad)
    return single(good, bad.replace(wrong, "itself") if draw.coin(0.4) else bad)


@paradigm(plain=_gender_or_thing)
def anaphor_gender_agreement(draw: Draw) -> Item:
    """The reflexive has the gender of its antecedent: `the queen praised herself`, not `himself` or `itself`.

    Balanced: with `the king` it is the other way round.
    """
    return _gender(draw)


def _one_and_several(draw: Draw, gender: Gender) -> tuple[str, str]:
    """A man or a woman, and several such people or people of no marked gender."""
    noun = draw.noun("person", gender=gender)
    one, several = (draw.choice(determiners) for determiners in DETERMINERS.values())
    who = f"{one} {noun.singular}" if draw.coin() else draw.name(gender).text
    if draw.coin(0.25):
        return who, f"{draw.name(gender).text} and {draw.name(gender).text}"
    if draw.coin(0.6):
        noun = draw.noun("person", gender="")
    return who, f"{several} {noun.plural}"


@paradigm(either=True)
def anaphor_number_agreement(draw: Draw) -> Item:
    """The reflexive has the number of its antecedent: `the queen praised herself`, not `themselves`.

    Always of a man or a woman, as `themselves` could stand for one person of no marked gender.

    Balanced: with `the queens` it is the other way round.
    """
    gender: Gender = draw.choice(("m", "f"))
    (who, several), done, end = _one_and_several(draw, gender), _deed(draw), draw.adjunct()
    return crossed(
        lambda reflexive: sentence(who, done["singular"], reflexive, end),
        lambda reflexive: sentence(several, done["plural"], reflexive, end),
        REFLEXIVES[gender],
        "themselves",
    )
