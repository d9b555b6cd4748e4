"""Selectional sense: what can be done to a thing. The nouns are those of the grammar's lexicon.

Both sentences have a subject, a verb with an object and all agreement; only what the verb means rules one object out.
A line is `past participle: what it takes; what it cannot be done to; nouns that it does not suit`.
"""

from __future__ import annotations

from dataclasses import dataclass

from neurosteer.grammar.draw import Draw
from neurosteer.grammar.lexicon import Number
from neurosteer.grammar.phrases import Item, clear, sentence

from .meaning_task import meaning_task

VERBS = """
ate eaten: food; music vehicle boat
drank drunk: drink; text music garment vehicle boat idea animal
sipped sipped: drink; text music garment vehicle boat idea animal
poured poured: drink; text music garment vehicle boat idea animal
read read: text; food drink garment vehicle boat
edited edited: text; food drink garment vehicle boat
wore worn: garment; drink vehicle boat music
drove driven: vehicle; food drink text music garment
parked parked: vehicle; food drink text music garment
sailed sailed: boat; food drink text music garment; canoe kayak gondola raft barge
sang sung: music; food drink garment vehicle boat animal plant; symphony sonata waltz opera
hummed hummed: music; food drink garment vehicle boat animal plant; opera symphony
baked baked: food; music vehicle boat; omelet pickle pudding salad steak stew sandwich taco burrito dumpling
caused caused: idea; food drink garment; policy plan choice decision idea project proposal question victory success
    criterion stimulus phenomenon law rule theory event risk storm
tamed tamed: animal; food drink music; bee crab frog spider whale turtle chicken cow swan otter crow
planted planted: plant; music; pine
"""


@dataclass(frozen=True, slots=True)
class Doing:
    """A verb, and kinds of nouns: of what it can be done to, and of what it cannot."""

    past: str
    participle: str
    takes: frozenset[str]
    never: frozenset[str]
    but: frozenset[str]  # nouns that it does not suit


@dataclass(frozen=True, slots=True)
class _Thing:
    text: str
    number: Number


def _read(table: str) -> tuple[Doing, ...]:
    doings = []
    for line in table.strip().replace("\n    ", " ").splitlines():
        forms, _, kinds = line.partition(": ")
        past, participle = forms.split()
        takes, never, but = (frozenset(some.split()) for some in [*kinds.split(";"), ""][:3])
        doings.append(Doing(past, participle, takes, never, but))
    return tuple(doings)


DOINGS = _read(VERBS)


def _thing(draw: Draw, doing: Doing) -> tuple[str, _Thing]:
    kind = draw.choice(sorted(doing.takes))
    noun = draw.noun(kind)
    if noun.singular in doing.but:
        raise LookupError(f"{doing.past} does not suit {noun.singular}")
    number = draw.number() if noun.plural else "singular"
    return kind, _Thing(f"the {noun.form(number)}", number)


@meaning_task("sense")
def selectional_sense(draw: Draw) -> Item:
    """What can be done to a thing: `The boy drank the milk`, not `The boy drank the sofa`."""
    one, other = draw.choice(DOINGS), draw.choice(DOINGS)
    (kind, a), (other_kind, b) = _thing(draw, one), _thing(draw, other)
    if kind not in other.never or other_kind not in one.never:
        raise LookupError(f"{one.past} and {other.past} can be done to the same")
    who, end, frame = (
        clear(draw.person()),
        draw.adjunct(),
        draw.choice((_active, _perfect, _cleft, _passive, _relative)),
    )

    def said(doing: Doing, thing: _Thing) -> str:
        return frame(str(who), doing, thing, end)

    if frame in (_active, _perfect):
        return (said(one, a), said(one, b)), (said(other, b), said(other, a))
    return (said(one, a), said(other, a)), (said(other, b), said(one, b))


def _active(who: str, doing: Doing, thing: _Thing, end: str) -> str:
    return sentence(who, doing.past, thing.text, end)


def _perfect(who: str, doing: Doing, thing: _Thing, end: str) -> str:
    return sentence(end, ",", who, "had", doing.participle, thing.text)


def _cleft(who: str, doing: Doing, thing: _Thing, end: str) -> str:
    return sentence("it was", thing.text, "that", who, doing.past, end)


def _passive(who: str, doing: Doing, thing: _Thing, end: str) -> str:
    return sentence(thing.text, "was" if thing.number == "singular" else "were", doing.participle, "by", who, end)


def _relative(who: str, doing: Doing, thing: _Thing, end: str) -> str:
    return sentence("everybody saw", thing.text, "that", who, "had", doing.participle, end)
