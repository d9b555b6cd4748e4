"""Opposites: adjectives, and no two that could be the opposite of the same word (old: young, new)."""

from __future__ import annotations

from neurosteer.grammar.draw import Draw
from neurosteer.grammar.phrases import Item

from .facts import Fact, cross, of_part, read_couples
from .meaning_task import meaning_task

WORDS = """
hot/cold big/small fast/slow rich/poor young/old happy/sad wet/dry full/empty strong/weak early/late clean/dirty
cheap/expensive easy/difficult thick/thin loud/quiet true/false alive/dead public/private smooth/rough brave/cowardly
guilty/innocent positive/negative active/passive male/female near/far deep/shallow horizontal/vertical
internal/external temporary/permanent natural/artificial single/married generous/selfish rare/common urban/rural
wild/tame black/white polite/rude awake/asleep beautiful/ugly smart/stupid safe/dangerous solid/liquid
raw/cooked northern/southern
"""
FRAMES = (
    "The opposite of {subject} is {answer}.",
    "The opposite of the word {subject} is {answer}.",
    "A word that means the opposite of {subject} is {answer}.",
    "As everyone knows, the opposite of {subject} is {answer}.",
    "In the dictionary, the opposite of {subject} is {answer}.",
    "The adjectives {subject} and {answer} are opposites.",
    "The words {subject} and {answer} have opposite meanings.",
    "{answer} is the opposite of {subject}.",
    "The word {answer} is the opposite of {subject}.",
    "The word {answer} means the opposite of {subject}.",
    "As everyone knows, {answer} is the opposite of {subject}.",
)
FACTS = tuple(
    Fact(one, other, frozenset({other}), part=part)
    for a, b, part in read_couples(WORDS)
    for one, other in ((a, b), (b, a))
)


@meaning_task("sense", parted=True)
def opposites(draw: Draw) -> Item:
    """Which word means the opposite: `The opposite of hot is cold`, not `The opposite of hot is empty`."""
    return cross(draw, of_part(FACTS, draw.part), FRAMES)
